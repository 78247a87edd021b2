/* SPDX-License-Identifier: MIT */
/* What a scenario is, and what it can prepare before its CPUs start. */
#pragma once

#include "../../arch/explore/explore.h"
#include "history.h"

struct scenario {
	const char *name, *what;
	unsigned areas;		/* of 512 frames, all usable */
	uint32_t first;		/* the first of these frames */
	bool exact;		/* turn the schedule at hints and zones' counts too */
	bool strict;		/* NULL only when nothing fits (I12) */
	bool lenient;		/* but for calls during which another took */
	bool no_history;	/* nothing is said about the order of calls */
	void (*setup)(void);
	void (*also)(void);	/* more to check at the end */
	struct explore_program program;
};

/* Of the scenario that runs; words.c. */
extern bool words_exact;

/* The words are as the scenario begins; words.c. */
void words_begin(void);

/* All of memory is held, in blocks of @order where they fit. */
void hold_all(unsigned order);

/* All areas that are awake are held, and nothing is woken. */
void hold_all_awake(void);

/* A group of the memory that sleeps is woken, and held. */
void hold_fresh_group(void);

/* Of that, give back what lies within this block. */
void let(uint32_t frame, unsigned order);

/* Take that block for a CPU of the scenario, which may do_give() it. */
void take_for(uint32_t frame, unsigned order);

/* Of that block, which is held, one frame alone is free from now on. */
void let_one_frame(uint32_t frame, unsigned order);

/* Nothing that is free has @order: what is promised of it is struck off. */
void promise_less(unsigned order);

/* The scenario has taken that block itself: a CPU may do_give() it, or it is held to the end. */
void take_is_done(uint32_t frame, unsigned order);

/* CPU @cpu takes and gives back a block of @order: where, is its home from then on. */
void make_home(unsigned cpu, unsigned order);

