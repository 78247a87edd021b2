/* SPDX-License-Identifier: MIT */
/*
 * The seam between mm/, which never sleeps and knows no threads, and whoever can put a
 * GFP_KERNEL request to sleep (kernel/mm_wait.c).
 */
#pragma once

#include <labyrinth/page.h>

struct mm_sleeper {
	/* Every GFP_KERNEL request, whether it will have to wait or not: may the caller sleep?
	 * Panics if not. */
	void (*check)(unsigned order, owner_t owner);

	/**
	 * alloc() - a GFP_KERNEL request that the hot path did not serve
	 *
	 * Flags and owner are good.  Tries by mm_try(), waits, tries again.
	 *
	 * Return: the block; NULL to give up, with @walk filled in.
	 */
	void *(*alloc)(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk);

	/* Memory has come free while mm_watch_frees() is on.  Context: any, NMI included. */
	void (*freed)(void);
};

/* Without one, GFP_KERNEL is GFP_NOWAIT.  Context: boot, one CPU.  NULL: none again. */
void mm_set_sleeper(const struct mm_sleeper *s);

/**
 * mm_watch_frees() - have freed() called for each block that comes back from now on
 *
 * Meanwhile nothing is cached.  What other CPUs hold in their caches they must be asked to
 * page_drain() afterwards; from then on no free escapes, unless it joins what a refill cached that
 * was under way.  What a request puts back that it has taken in vain is no free.
 *
 * Context: any, one caller at a time.
 */
void mm_watch_frees(bool on);

/**
 * mm_try() - one attempt at a request, as GFP_NOWAIT's, that is not counted if it fails
 * @gfp: as the caller's; GFP_ZERO is not done
 *
 * Context: any.
 * Return:  the block, or NULL, with @walk filled in.
 */
void *mm_try(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk);

/**
 * mm_may_ever_fit() - is there an allowed zone so large that a block of @order could be had?
 * Context: any.
 */
bool mm_may_ever_fit(gfp_t gfp, unsigned order);
