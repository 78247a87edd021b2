/* SPDX-License-Identifier: MIT */
/* The schedule that is being followed: steps that can be taken back, and written down. */
#pragma once

#include "engine.h"

#define DEPTH_MAX 16000u

struct frame {
	uint64_t hash;
	uint32_t choices;	/* not tried yet */
	uint8_t choice;		/* the one being tried */
	uint8_t last;		/* the CPU that ran before, 8: none */
	uint16_t switches;
	uint16_t alone;		/* steps of the same CPU in the same call until here */
	uint16_t none_ends;	/* steps since a call has ended */
	double schedules;
	/* to take the choice back */
	struct cpu cpu;
	size_t mark, stack_bytes;
};

extern struct frame frames[DEPTH_MAX + 1];

/* Before the first step. */
void path_begin(const struct explore_program *p);

/* Would it stop a CPU that could go on, or interrupt one? */
bool is_switch(const struct frame *f, unsigned choice);

/* From @f by @choice to the frame after it, and back again. */
void advance(struct frame *f, unsigned choice);
void take_back(const struct frame *f);

/* It is a failure if one call has been alone for too long, or, @together, if none has ended. */
void look_for_end(const struct frame *f, bool together);

#define FOR_EVER "I10: it comes back to where it was, and no call has ended"

/*
 * explore_failure, after @depth steps; of these, those from @again on have led back to where they
 * began (@depth: none).
 */
void path_failed(struct explore_result *r, unsigned depth, unsigned again);

