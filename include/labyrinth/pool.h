/* SPDX-License-Identifier: MIT */
/*
 * Page pools: single pages held ready for one queue of a driver.
 *
 * A pool is filled ahead.  Its interrupt handler takes pages without ever
 * waiting for the allocator, whoever is done with one gives it back, and a take
 * that leaves fewer than the low mark buys a batch.
 */
#pragma once

#include <labyrinth/page.h>

#define POOL_PAGES_MAX 400u
#define POOL_BATCH     32u

struct pool;

/**
 * pool_create() - a pool, filled to its high mark
 * @owner: holds the pool's pages, in the pool and outside, and the page with its books
 * @gfp:   how pages are asked for: GFP_ATOMIC, GFP_NOWAIT or GFP_KERNEL, and a zone limit;
 *         they are bought wherever pages are taken, so GFP_KERNEL is for threads' pools
 * @low:   fewer than this many left: buy a batch
 * @high:  more than this many are not kept; low < high <= POOL_PAGES_MAX
 *
 * Context: as @gfp says.
 * Return:  the pool, perhaps not full; NULL for bad arguments or without a page for the books.
 */
struct pool *pool_create(owner_t owner, gfp_t gfp, unsigned low, unsigned high);

/**
 * pool_take() - a page of the pool, held by its owner
 *
 * Two compare-and-swaps; with a batch to buy, POOL_BATCH pages' worth more.
 *
 * Context: any, NMI included, on any CPU, as far as the pool's gfp goes; lock-free.
 * Return:  the page, or NULL when the pool is empty and no page can be bought.
 */
void *pool_take(struct pool *p);

/**
 * pool_give() - give a page back
 * @page: any single page held by the pool's owner; handles to it go stale
 *
 * While it waits in the pool it can be neither freed, transferred, shared nor
 * given again.  Pages that the pool has no use for are freed: above the high
 * mark, and those of a reserve contract, which is owed them.
 *
 * Context: any, as pool_take().
 * Return:  PAGE_OK, or why it was refused; then nothing has changed.
 */
enum page_error pool_give(struct pool *p, void *page);

/* Buy until the high mark is reached.  Context: as pool_take().  Return: pages bought. */
unsigned pool_refill(struct pool *p);

struct pool_stats {
	unsigned level, low, high;	/* pages ready, and the marks */
	unsigned least;			/* the lowest level a take has left */
	uint64_t takes, gives;		/* that succeeded */
	uint64_t passed_on;		/* of the gives, freed instead of kept */
	uint64_t refills, bought;	/* batches, and the pages in them */
	uint64_t misses;		/* takes that returned NULL */
};

/* Exact when nobody is in the pool: level = bought + gives - passed_on - takes.  Context: any. */
void pool_stats(const struct pool *p, struct pool_stats *out);

/**
 * pool_destroy() - free what is in the pool, and the pool
 *
 * Pages that are out stay their holder's, to be freed with freepage().
 *
 * Context: any; nobody else is in the pool or will be.
 * Return:  pages freed.
 */
unsigned pool_destroy(struct pool *p);
