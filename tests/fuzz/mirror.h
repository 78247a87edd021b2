/* SPDX-License-Identifier: MIT */
/*
 * The textbook allocator as a mirror of labyrinth's: it does not choose blocks of
 * its own but is told which one labyrinth chose, so that both have the same
 * frames free at any time, and every answer can be compared.
 */
#pragma once

#include "../conformance/allocator.h"

/* What a machine for the fuzzer may be at most. */
#define MACHINE_RANGES 4u
#define MACHINE_END    0x101000u	/* one past the highest frame */

/* Start labyrinth on @r, and the mirror on what labyrinth says is usable. */
void mirror_start(const struct frame_range *r, size_t n, unsigned ncpu);
void mirror_stop(void);

/* Is there a block for this request: if the watermark counts, if it does not? */
bool mirror_fits(gfp_t gfp, unsigned order, bool watermark);

/* Follow labyrinth's choice.  Aborts unless the block was free and allowed. */
void mirror_claim(frame_t f, gfp_t gfp, unsigned order, owner_t owner);

/* Abort unless @e, labyrinth's answer, agrees with the mirror's @mine and is true. */
void mirror_judge(enum page_error e, enum page_error mine, frame_t f, unsigned order,
		  owner_t owner);

/* Compare all counts and the free blocks of every order, after draining @ncpu caches. */
void mirror_compare(unsigned ncpu);

/* Say @what and abort, unless @ok. */
void require(bool ok, const char *what);
