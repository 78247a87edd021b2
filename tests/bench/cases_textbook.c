/* SPDX-License-Identifier: MIT */
/* The benchmarks' cases for the textbook allocator. */
#include "../conformance/allocator.h"
#include "../textbook/textbook.h"

#define BENCH_NAME  bench_textbook
#define BENCH_TITLE "textbook"

typedef frame_t block_t;

static inline block_t take(unsigned order, owner_t owner)
{
	return textbook_alloc(&the_textbook, GFP_ATOMIC, order, owner, NULL);
}

static inline void give(block_t b, unsigned order, owner_t owner)
{
	textbook_free(&the_textbook, b, order, owner);
}

static inline bool is_none(block_t b)
{
	return frame_is_none(b);
}

static inline size_t batch_take(size_t n, block_t b[], owner_t owner)
{
	return textbook_ops.alloc_bulk(GFP_ATOMIC, n, b, owner);
}

static inline void batch_give(size_t n, block_t b[], owner_t owner)
{
	textbook_ops.free_bulk(n, b, owner);
}

static void drain(void)
{
	/* It has no caches. */
}

#include "cases.h"
