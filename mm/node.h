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
 *     OPENING    the whole child is free, and somebody is about to open it
 *     FULL       the whole child is free, and is one block
 *     DIRTY      somebody is finding out; until he knows, anything
 *
 * "At most" is the rule of the tree: an entry may promise too much for a
 * moment, never too little.  A child whose entry is FULL, OPENING or HELD is
 * parked: its own contents say "all free" and mean nothing.
 *
 * The version grows with every change, so that a compare-and-swap prepared
 * before a change cannot succeed after it (24 bits: a traveller would have to
 * sleep through exactly 2^24 changes of one node).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <labyrinth/frame.h>

enum {
	ENTRY_NONE = 0,
	ENTRY_HELD = 1,
	ENTRY_OPEN = 2,		/* + order: 2..20 */
	ENTRY_OPENING = 29,
	ENTRY_DIRTY = 30,
	ENTRY_FULL = 31,	/* all ones: see node_full_runs() */
};

#define NODE_FANOUT 8u
#define ENTRY_BITS  5u
#define ENTRY_MASK  0x1fu
#define NODE_ENTRIES (((uint64_t)1 << NODE_FANOUT * ENTRY_BITS) - 1)
#define NODE_VERSION ((uint64_t)1 << NODE_FANOUT * ENTRY_BITS)

_Static_assert((ENTRY_NONE | ENTRY_HELD) == 1, "node_exhausted() looks above bit 0");
_Static_assert(ENTRY_OPEN + ORDER_MAX < ENTRY_OPENING, "an open entry can name every order");

/* The order of a whole child of a level-@level node: 64 frames at level 1, 512 at 2, ... */
static inline unsigned child_order(unsigned level) { return 3 * level + 3; }

/* The level whose nodes hold blocks of @order as runs of whole children; 0: the bits. */
static inline unsigned order_level(unsigned order) { return order < 6 ? 0 : order / 3 - 1; }

static inline unsigned node_entry(uint64_t w, unsigned slot)
{
	return (unsigned)(w >> slot * ENTRY_BITS) & ENTRY_MASK;
}

/* The word with another entry and the next version. */
static inline uint64_t node_with(uint64_t w, unsigned slot, unsigned entry)
{
	w &= ~((uint64_t)ENTRY_MASK << slot * ENTRY_BITS);
	return (w | (uint64_t)entry << slot * ENTRY_BITS) + NODE_VERSION;
}

/* The same where the entry is known to be @from. */
static inline uint64_t node_change(uint64_t w, unsigned slot, unsigned from, unsigned to)
{
	return w + (((uint64_t)to - from) << slot * ENTRY_BITS) + NODE_VERSION;
}

static inline bool entry_parked(unsigned e)
{
	return e == ENTRY_FULL || e == ENTRY_HELD || e == ENTRY_OPENING;
}

/* Does it promise a free block of @order? */
static inline bool entry_fits(unsigned e, unsigned order) { return e >= ENTRY_OPEN + order; }

/* Bit 5 * i set where 2^@log FULL entries begin at entry i, aligned. */
static inline uint64_t node_full_runs(uint64_t w, unsigned log)
{
	static const uint64_t starts[] = { 0x0842108421, 0x40100401, 0x100001 };
	uint64_t full = w & w >> 1;	/* FULL is five ones: fold them onto the lowest */

	full &= full >> 2 & w >> 4;
	if (log > 0)
		full &= full >> ENTRY_BITS;
	if (log > 1)
		full &= full >> 2 * ENTRY_BITS;
	return full & starts[log];
}

/* Bit i set where entry i is at least @least.  Context: any, as all of this file. */
unsigned node_at_least(uint64_t w, unsigned least);

/* The entry that tells what a node of @level with contents @w can give. */
unsigned node_code(uint64_t w, unsigned level);

/* Is nothing to be had: every entry NONE or HELD? */
static inline bool node_exhausted(uint64_t w)
{
	const uint64_t lowest = 0x0842108421;	/* bit 0 of each entry: all that HELD sets */

	return (w & NODE_ENTRIES & ~lowest) == 0;
}

/* Are all eight entries FULL? */
static inline bool node_all_full(uint64_t w) { return (~w & NODE_ENTRIES) == 0; }

/* The entry that tells what 64 frames with these free bits can give. */
unsigned bits_code(uint64_t bits);

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
