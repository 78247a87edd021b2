/* SPDX-License-Identifier: MIT */
/*
 * GFP_KERNEL sleeps until memory comes free: who waits, in which order, and for how long.
 *
 * Requests wait in three lines, one for each set of zones that a request may be served
 * from: DMA; DMA and DMA32; all.  Each line is strictly first come, first served, whatever
 * the size: a block that comes free goes to the first in line who fits, before any other
 * GFP_KERNEL request, and a large request is not overtaken by small ones behind it.  Of
 * the three firsts, who came first is asked first.  GFP_NOWAIT and GFP_ATOMIC do not
 * stand in line: they take what they are entitled to when they ask.
 */
#pragma once

#include <labyrinth/page.h>

/* How long GFP_KERNEL waits where nobody says otherwise, in nanoseconds. */
#define MM_PATIENCE ((uint64_t)10 * 1000000000)

/**
 * allocpages_wait() - allocpages() with GFP_KERNEL, and a limit
 * @gfp:        GFP_KERNEL, with zone limits and options
 * @timeout_ns: 0: as GFP_NOWAIT; WAIT_FOREVER: no limit
 *
 * Context: threads that may sleep.
 * Return:  NULL when nothing fitted in all that time, or nothing ever will.
 */
void *allocpages_wait(gfp_t gfp, unsigned order, owner_t owner, uint64_t timeout_ns);

/**
 * mm_set_patience() - how long GFP_KERNEL requests of the running thread wait
 *
 * MM_PATIENCE at first; as @timeout_ns above.
 *
 * Context: threads.
 * Return:  the limit until now.
 */
uint64_t mm_set_patience(uint64_t timeout_ns);

/* Gives back what its owner can spare.  Return: how many frames. */
typedef size_t (*reclaim_fn_t)(void *arg, unsigned order);

/**
 * owner_set_reclaim() - whom to ask before a thread sleeps for memory
 * @fn: called with @arg and the order that is missing, in the thread that is about to sleep;
 *      GFP_KERNEL in it does not sleep.  NULL: nobody any more
 *
 * Calls of @fn do not overlap, and when this returns the one before is not running.
 *
 * Context: threads that may sleep; not @fn.
 */
void owner_set_reclaim(owner_t owner, reclaim_fn_t fn, void *arg);

/* What has happened so far. */
struct mm_wait_stats {
	uint64_t slept;			/* requests that had to wait */
	uint64_t served;		/* of these, were given a block */
	uint64_t gave_up;		/* or not */
	uint64_t reclaims;		/* calls of reclaim functions */
	uint64_t drains;		/* times that all CPUs were asked for what they cache */
	unsigned waiting;		/* now */
};
void mm_wait_stats(struct mm_wait_stats *out);	/* Context: any; a look in passing. */

/* GFP_KERNEL sleeps from now on.  Context: boot, in a thread that may sleep. */
void mm_wait_init(void);
