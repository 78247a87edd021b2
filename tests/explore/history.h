/* SPDX-License-Identifier: MIT */
/*
 * What the CPUs of a scenario call, and whether an order of these calls exists
 * that a set of free frames could have answered one by one (I11, I12).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <labyrinth/page.h>

#define NO_FRAME UINT32_MAX

/* --- calls: each is recorded, and checked as it returns (I2, I4) */

uint32_t do_take(unsigned order);		/* tree and zone only; NO_FRAME: none */
uint32_t do_gather(uint32_t frame, unsigned order);	/* piece by piece, while promised */
void do_give(uint32_t frame, unsigned order);
uint32_t do_some(uint32_t *first);		/* up to 32 single frames; a bit each */
void do_give_some(uint32_t first, uint32_t bits);
uint32_t do_alloc(unsigned order);		/* by the scenario's owner */
enum page_error do_free(uint32_t frame, unsigned order);

/* --- around a run */

/*
 * What is free now is where the history begins.  @strict: NULL counts (I12); @lenient: but for
 * calls during which another took.
 */
void history_begin(uint32_t frames, bool strict, bool lenient);

/* The frames of a block that the scenario holds from the start. */
void history_holds(uint32_t frame, unsigned order);

/* Fails the run if the calls fit no order. */
void history_check(void);

/* Is all that calls took by an owner, so that the frame words tell of it? */
bool history_owned(void);

/* Give back what calls took and nobody gave back. */
void history_give_back(void);

extern owner_t history_owner;
