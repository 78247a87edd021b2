/* SPDX-License-Identifier: MIT */
/* What a node's word says, computed without loops over its entries where it matters. */
#include "node.h"

/* The larger of each two entries: where the guard survives, a's. */
static inline uint64_t larger(uint64_t a, uint64_t b)
{
	uint64_t guard = ((a | EVEN_GUARDS) - b) & EVEN_GUARDS;
	uint64_t keep = guard - (guard >> ENTRY_BITS);

	return (a & keep) | (b & ~keep & EVEN_LANES);
}

/* The largest entry: eight, four, two, one. */
static unsigned largest_entry(uint64_t w)
{
	uint64_t four = larger(w & EVEN_LANES, w >> ENTRY_BITS & EVEN_LANES);
	uint64_t two = larger(four, four >> 20 & EVEN_LANES);

	return (unsigned)larger(two, two >> 10 & EVEN_LANES) & ENTRY_MASK;
}

/* Starts of aligned runs of 2, 4 and 8 ones. */
static unsigned mask_pairs(unsigned m) { return m & m >> 1 & 0x55; }
static unsigned mask_quads(unsigned m) { return mask_pairs(m) & mask_pairs(m) >> 2 & 0x11; }

int mask_run(unsigned mask, unsigned log)
{
	if (log == 1)
		mask = mask_pairs(mask);
	else if (log == 2)
		mask = mask_quads(mask);
	return mask ? __builtin_ctz(mask) : -1;
}

static unsigned capped(unsigned order)
{
	return ENTRY_OPEN + (order < ORDER_MAX ? order : ORDER_MAX);
}

unsigned node_code(uint64_t w, unsigned level)
{
	unsigned whole = child_order(level);
	/* A DIRTY child may turn out to be whole: promise the most. */
	uint64_t m = node_at_least(w, ENTRY_OPEN + whole), pairs = slot_runs(m, 1);

	if (m == 0) {
		unsigned most = largest_entry(w);

		return most == ENTRY_HELD ? ENTRY_NONE : most;
	}
	if (pairs == 0)
		return capped(whole);
	return capped(whole + (m == SLOTS_ALL ? 3 : slot_runs(m, 2) ? 2 : 1));
}

/* Where a run of 2^order may begin. */
static const uint64_t aligned[] = {
	UINT64_MAX, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1,
};

/* Starts of aligned runs of 2^order ones. */
static uint64_t bits_runs(uint64_t x, unsigned order)
{
	for (unsigned o = 0; o < order; o++)
		x &= x >> (1u << o);
	return x & aligned[order];
}

/* Runs of each order from those of the order below, as long as there are any. */
unsigned bits_code(uint64_t bits)
{
	unsigned order = 0;

	if (bits == 0)
		return ENTRY_NONE;
	if ((bits & UINT32_MAX) == UINT32_MAX || bits >> 32 == UINT32_MAX)
		return ENTRY_OPEN + (bits == UINT64_MAX ? 6 : 5);
	/* None of order 5: that is where it ends at the latest. */
	for (uint64_t runs = bits;; order++) {
		runs &= runs >> (1u << order) & aligned[order + 1];
		if (!runs)
			break;
	}
	return ENTRY_OPEN + order;
}

int bits_run(uint64_t bits, unsigned order)
{
	uint64_t starts = bits_runs(bits, order);

	return starts ? __builtin_ctzll(starts) : -1;
}

/* Adding neighbours in parallel; Hacker's Delight, 2nd edition, section 5-1. */
unsigned bits_count(uint32_t x)
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}
