/* SPDX-License-Identifier: MIT */
/*
 * One node of the tree of free blocks, as pure functions on its word.
 *
 *      63           40 39                              10 9    5 4    0
 *     +---------------+------+------+------- ... -------+------+------+
 *     |    version    | ent7 | ent6 |                   | ent1 | ent0 |
 *     +---------------+------+------+------- ... -------+------+------+
 *
 * A node has eight children; entry i tells what child i can give:
 *
 *     NONE       nothing
 *     HELD       nothing: the whole child is one block, or part of one, in use
 *     OPEN + o   the largest free block below it has order o, at most
 *     FULL       the whole child is free, and is one block
 *     DIRTY      somebody is finding out; until he knows, anything
 *
 * "At most" is the rule of the tree: an entry may promise too much for a
 * moment, never too little.  A child whose entry is FULL or HELD is parked: its
 * own contents say "all free" and mean nothing.
 *
 * The version grows with every change, so that a compare-and-swap prepared
 * before a change cannot succeed after it (24 bits: a traveller would have to
 * sleep through exactly 2^24 changes of one node).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <labyrinth/frame.h>

/* Where the most frequent case is worth a copy of the code of its own. */
#define INLINE inline __attribute__((always_inline))

enum {
	ENTRY_NONE = 0,
	ENTRY_HELD = 1,
	ENTRY_OPEN = 2,		/* + order: 2..20 */
	ENTRY_DIRTY = 30,	/* all ones but the lowest: see node_any_dirty() */
	ENTRY_FULL = 31,	/* all ones: see node_full_runs() */
};

#define NODE_FANOUT 8u
#define ENTRY_BITS  5u
#define ENTRY_MASK  0x1fu
#define NODE_ENTRIES (((uint64_t)1 << NODE_FANOUT * ENTRY_BITS) - 1)
#define NODE_VERSION ((uint64_t)1 << NODE_FANOUT * ENTRY_BITS)

_Static_assert((ENTRY_NONE | ENTRY_HELD) == 1, "node_exhausted() looks above bit 0");
_Static_assert(ENTRY_OPEN + ORDER_MAX < ENTRY_DIRTY, "an open entry can name every order");

/* The order of a whole child of a level-@level node: 64 frames at level 1, 512 at 2, ... */
static inline unsigned child_order(unsigned level) { return 3 * level + 3; }

/* The order of the largest block in it. */
static inline unsigned most_order(unsigned level)
{
	return child_order(level) < ORDER_MAX ? child_order(level) : ORDER_MAX;
}

/* The level whose nodes hold blocks of @order as runs of whole children; 0: the bits. */
static inline unsigned order_level(unsigned order) { return order < 6 ? 0 : order / 3 - 1; }

static inline unsigned node_entry(uint64_t w, unsigned slot)
{
	return (unsigned)(w >> slot * ENTRY_BITS) & ENTRY_MASK;
}

/* The word with another entry, which is @from so far, and the next version. */
static inline uint64_t node_change(uint64_t w, unsigned slot, unsigned from, unsigned to)
{
	return w + (((uint64_t)to - from) << slot * ENTRY_BITS) + NODE_VERSION;
}

static inline bool entry_parked(unsigned e)
{
	return e == ENTRY_FULL || e == ENTRY_HELD;
}

/* Does it promise a free block of @order? */
static inline bool entry_fits(unsigned e, unsigned order) { return e >= ENTRY_OPEN + order; }

/*
 * Is it open, and promises half of its child, which is a block of @order, or all?  No more can be
 * left of a child from which something was taken.
 */
static inline bool entry_half(unsigned e, unsigned order)
{
	return e - ENTRY_OPEN - (order - 1) <= 1;
}

/*
 * Some of a node's entries: bit 5 * i stands for entry i, so that a bit's place
 * is its entry's.
 */
#define SLOTS_ALL ((uint64_t)0x0842108421)

static inline unsigned first_slot(uint64_t slots)
{
	return (unsigned)__builtin_ctzll(slots) / ENTRY_BITS;
}

/* Of these, those with which an aligned run of 2^@log begins.  Other bits may be set. */
static inline uint64_t slot_runs(uint64_t slots, unsigned log)
{
	static const uint64_t starts[] = { SLOTS_ALL, 0x40100401, 0x100001, 1 };

	if (log > 0)
		slots &= slots >> ENTRY_BITS;
	if (log > 1)
		slots &= slots >> 2 * ENTRY_BITS;
	if (log > 2)
		slots &= slots >> 4 * ENTRY_BITS;
	return slots & starts[log];
}

/* Where 2^@log FULL entries begin, aligned. */
static inline uint64_t node_full_runs(uint64_t w, unsigned log)
{
	uint64_t full = w & w >> 1;	/* FULL is five ones: fold them onto the lowest */

	return slot_runs(full & full >> 2 & w >> 4, log);
}

/*
 * Entries 0, 2, 4, 6 stand ten bits apart, so that each has five zero bits
 * above it: set the lowest of them, subtract, and it survives where the entry
 * was large enough.  The odd ones follow by a shift.
 */
#define EVEN_ONES   ((uint64_t)1 | (uint64_t)1 << 10 | (uint64_t)1 << 20 | (uint64_t)1 << 30)
#define EVEN_LANES  (EVEN_ONES * ENTRY_MASK)
#define EVEN_GUARDS (EVEN_ONES << ENTRY_BITS)

/* The entries that are at least @least. */
static inline uint64_t node_at_least(uint64_t w, unsigned least)
{
	uint64_t even = ((w & EVEN_LANES) | EVEN_GUARDS) - EVEN_ONES * least;
	uint64_t odd = ((w >> ENTRY_BITS & EVEN_LANES) | EVEN_GUARDS) - EVEN_ONES * least;

	return (even & EVEN_GUARDS) >> ENTRY_BITS | (odd & EVEN_GUARDS);
}

/* Is somebody finding out about one of the children? */
static inline bool node_any_dirty(uint64_t w)
{
	uint64_t large = w >> 1 & w >> 2;	/* DIRTY is all ones but the lowest */

	return (large & large >> 2 & ~w & SLOTS_ALL) != 0;
}

/* The entry that tells what a node of @level with contents @w can give; never FULL or HELD. */
unsigned node_code(uint64_t w, unsigned level);

/* The same for the run of whole children around @slot alone, which is one. */
static inline unsigned node_run_code(uint64_t w, unsigned level, unsigned slot)
{
	const unsigned order = child_order(level);
	uint64_t whole = node_at_least(w, ENTRY_OPEN + order);
	unsigned log = 3;

	if ((whole >> (slot & ~1u) * ENTRY_BITS & 0x21) != 0x21)
		log = 0;
	else if ((whole >> (slot & ~3u) * ENTRY_BITS & 0x8421) != 0x8421)
		log = 1;
	else if (whole != SLOTS_ALL)
		log = 2;
	return ENTRY_OPEN + (order + log < ORDER_MAX ? order + log : ORDER_MAX);
}

/* Can it give more than an entry @e, not parked and not DIRTY, promises? */
static inline bool node_exceeds(uint64_t w, unsigned level, unsigned e)
{
	unsigned whole = ENTRY_OPEN + child_order(level);

	/* Mostly a whole child is promised; then there is one kind of block that would be more. */
	if (__builtin_expect(e < whole, 0))
		return node_code(w, level) > e;
	return e < ENTRY_OPEN + most_order(level + 1) &&
	       slot_runs(node_at_least(w, whole), e - whole + 1) != 0;
}

/* Is nothing to be had: every entry NONE or HELD? */
static inline bool node_exhausted(uint64_t w)
{
	return (w & NODE_ENTRIES & ~SLOTS_ALL) == 0;	/* bit 0 of each is all that HELD sets */
}

/* Are all eight entries HELD? */
static inline bool node_all_held(uint64_t w) { return (w & NODE_ENTRIES) == SLOTS_ALL; }

/* Are all eight entries FULL? */
static inline bool node_all_full(uint64_t w) { return (~w & NODE_ENTRIES) == 0; }

/* The entry that tells what 64 frames with these free bits can give; never FULL. */
unsigned bits_code(uint64_t bits);

/* Can they give more than an entry @e, not parked and not DIRTY, promises? */
static inline bool bits_exceed(uint64_t bits, unsigned e)
{
	return e < ENTRY_OPEN + 5 && bits_code(bits) > e;
}

/**
 * mask_run() - the lowest aligned run of 2^@log ones in an 8-bit mask
 * Return: its first slot, or -1.
 */
int mask_run(unsigned mask, unsigned log);

/**
 * bits_run() - the lowest aligned run of 2^@order ones in @bits
 * Return: its first bit, or -1.
 */
int bits_run(uint64_t bits, unsigned order);

/* A run of 2^@order ones from bit @first. */
static inline uint64_t run_mask(unsigned first, unsigned order)
{
	return (order < 6 ? ((uint64_t)1 << (1u << order)) - 1 : UINT64_MAX) << first;
}

/* How many ones.  (Not the compiler's builtin: without popcnt it calls libgcc.) */
unsigned bits_count(uint32_t x);

/* A group's; most often it has all. */
static inline unsigned bits_count_group(uint64_t bits)
{
	return bits == UINT64_MAX ? 64 : bits_count((uint32_t)bits) +
					 bits_count((uint32_t)(bits >> 32));
}
