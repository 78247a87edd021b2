/* SPDX-License-Identifier: MIT */
/*
 * How full each part of the tree is: hints that steer allocation towards the
 * fuller parts, so that empty 2 MiB areas stay empty.
 *
 * At level 1 a byte counts the free frames of a group.  Above, a byte ranks a
 * child by its fullest area: one more for each FILL_STEP free frames, smaller
 * is fuller.  That an area is emptier a CPU may tell late, when it next refills
 * its cache at home, or frees elsewhere.  They are written without care for
 * races; a wrong one costs a worse choice, never a wrong answer, and mends itself
 * when its area is next used up.  So all of it is relaxed, and pairs with nothing.
 */
#pragma once

#include "tree.h"

#define FILL_STEP   8u		/* free frames of an area that make one rank */
#define FILL_FREE   (1 + 512 / FILL_STEP)	/* the rank of an area with all frames free */
#define FILL_EMPTY  127u	/* nothing free below; seven bits, for fullest_rank() */

_Static_assert(FILL_FREE < FILL_EMPTY && FILL_EMPTY < 128, "ranks leave a byte's topmost bit free");

static inline atom8_t *fill_of(const struct tree *t, unsigned l, uint32_t c)
{
	return &node_of_child(t, l, c)->fill[c % NODE_FANOUT];
}

/* Has a CPU a home in it?  Then others keep out while they can, and its rank may be old. */
static inline bool fill_hidden(const struct tree *t, unsigned l, uint32_t c)
{
	return atom_peek8(&node_of_child(t, l, c)->home[c % NODE_FANOUT]) != 0;
}

static inline void fill_hide(struct tree *t, unsigned l, uint32_t c, bool hide)
{
	atom_poke8(&node_of_child(t, l, c)->home[c % NODE_FANOUT], hide ? 0xff : 0);
}

/* Write child @c's rank at level @l, another than before, and up as far as it changes anything. */
void fill_set_rank(struct tree *t, unsigned l, uint32_t c, unsigned rank);

/* What this CPU has put off to tell. */
void fill_tell(void);

/* The sum of eight bytes, none above 127: four sums of two, added by a multiplication. */
static inline unsigned sum_of_bytes(uint64_t x)
{
	const uint64_t low = 0x00ff00ff00ff00ff;

	return (unsigned)(((x & low) + (x >> 8 & low)) * 0x0001000100010001 >> 48);
}

static inline unsigned fills_at(uint64_t fills, unsigned slot)
{
	return (unsigned)(fills >> slot * 8) & 0xff;
}

/* With another one: a processor is slow to read eight of which it has just written one. */
static inline uint64_t fills_with(uint64_t fills, unsigned slot, unsigned value)
{
	return fills + (((uint64_t)value - fills_at(fills, slot)) << slot * 8);
}

static inline unsigned fills_rank(uint64_t fills)
{
	unsigned sum = sum_of_bytes(fills);

	return sum ? 1 + sum / FILL_STEP : FILL_EMPTY;
}

/*
 * @n frames were given to @group (negative: taken); @left tells its bits now.  As long as an area
 * is a home, or becomes one (@moves), it keeps the rank with which it was chosen, until nothing
 * is left of it.
 */
static inline void fill_changed(struct tree *t, uint32_t group, int n, uint64_t left, bool moves)
{
	struct node *area = node_of_child(t, 1, group);
	unsigned slot = group % NODE_FANOUT;
	uint32_t c = group / NODE_FANOUT;

	uint64_t fills = atom_peek(&area->fills);
	unsigned before = fills_at(fills, slot);
	/* Empty and full are known for certain: there the count mends itself. */
	unsigned now = left == 0 ? 0 : left == UINT64_MAX ? 64
		     : (before + (unsigned)n) & 0x7f;
	atom_poke8(&area->fill[slot], (uint8_t)now);

	fills = fills_with(fills, slot, now);
	if (fills && (moves || fill_hidden(t, 2, c)))
		return;
	unsigned rank = fills_rank(fills);
	if (rank != atom_peek8(fill_of(t, 2, c)))
		fill_set_rank(t, 2, c, rank);
}

/* A node's rank, worked out anew. */
void fill_show(struct tree *t, unsigned level, uint32_t self);

/* Bits five apart become whole bytes. */
static inline uint64_t bytes_of(uint64_t slots)
{
	slots = (slots & 0xfffff) | (slots & ~(uint64_t)0xfffff) << 12;
	slots = (slots & 0x000003ff000003ff) | (slots & 0x000ffc00000ffc00) << 6;
	slots = (slots & 0x0001000100010001) | (slots & 0x0020002000200020) << 3;
	return slots * 0xff;
}

/* The smaller of each two lanes of 16 bits, of which the topmost is free. */
static inline uint64_t smaller(uint64_t a, uint64_t b)
{
	const uint64_t guards = 0x8000800080008000;
	uint64_t larger = ((a | guards) - b) & guards;	/* where a's is not the smaller */

	return a ^ ((a ^ b) & (larger - (larger >> 15)));
}

/* The least of eight bytes, times eight, plus its place with the bits of @salt turned over. */
static inline unsigned fill_least(uint64_t x, unsigned salt)
{
	const uint64_t low = 0x00ff00ff00ff00ff;
	uint64_t turn = salt * (uint64_t)0x0001000100010001;
	uint64_t four = smaller((x & low) << 3 | (0x0006000400020000 ^ turn),
				(x >> 8 & low) << 3 | (0x0007000500030001 ^ turn));
	uint64_t two = smaller(four, four >> 32);

	return (unsigned)smaller(two, two >> 16) & 0x7ff;
}

/* Which of @slots, not 0, has the fullest child, but for homes; of equal ones @salt decides. */
static inline unsigned fill_fullest(const struct node *n, uint64_t slots, unsigned salt)
{
	uint64_t homes = atom_peek(&n->homes), not;

	if (!(slots & (slots - 1)))
		return first_slot(slots);
	not = ~bytes_of(slots);
	if ((not | homes) != UINT64_MAX)
		not |= homes;
	return (fill_least(atom_peek(&n->fills) | not, salt) ^ salt) % NODE_FANOUT;
}

/*
 * The same of all that are no homes, whatever they promise: who wants little mostly finds it in
 * the fullest.  Return: NODE_FANOUT if all are homes.
 */
static inline unsigned fill_glance(const struct node *n, unsigned salt)
{
	unsigned least = fill_least(atom_peek(&n->fills) | atom_peek(&n->homes), salt);

	return least < 0xff * NODE_FANOUT ? (least ^ salt) % NODE_FANOUT : NODE_FANOUT;
}

/*
 * Where to go for a block of @order from node @n of level @l, which reads @w: to the fullest child
 * that promises it, of equal ones as @salt has it.  Return: its slot; NODE_FANOUT: there is none.
 */
static inline unsigned fill_way(const struct node *n, uint64_t w, unsigned l, unsigned order,
				unsigned salt)
{
	if (node_all_full(w))
		return salt;
	uint64_t slots = node_at_least(w, ENTRY_OPEN + order);
	if (!(slots & (slots - 1)))
		return slots ? first_slot(slots) : NODE_FANOUT;
	/* In an area a group that has nothing counts as the fullest. */
	if (order < GROUP_ORDER && l > 1) {
		unsigned slot = fill_glance(n, salt);

		if (slot < NODE_FANOUT && entry_fits(node_entry(w, slot), order))
			return slot;
	}
	return fill_fullest(n, slots, salt);
}
