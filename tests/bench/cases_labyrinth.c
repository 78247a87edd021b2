/* SPDX-License-Identifier: MIT */
/* The benchmarks' cases for the kernel's own allocator, through its public functions. */
#include <labyrinth/page.h>

#define BENCH_NAME  bench_labyrinth
#define BENCH_TITLE "labyrinth"

typedef void *block_t;

static inline block_t take(unsigned order, owner_t owner)
{
	return order == 0 ? allocpage(GFP_ATOMIC, owner) : allocpages(GFP_ATOMIC, order, owner);
}

static inline void give(block_t b, unsigned order, owner_t owner)
{
	if (order == 0)
		freepage(b, owner);
	else
		freepages(b, order, owner);
}

static inline bool is_none(block_t b)
{
	return !b;
}

static inline size_t batch_take(size_t n, block_t b[], owner_t owner)
{
	return allocpages_bulk(GFP_ATOMIC, n, b, owner);
}

static inline void batch_give(size_t n, block_t b[], owner_t owner)
{
	freepages_bulk(n, b, owner);
}

static void drain(void)
{
	page_drain();
}

#include "cases.h"
