/* SPDX-License-Identifier: MIT */
/* Keeping and reading the hints; fill.h says what they mean. */
#include "fill.h"

#include "local.h"
#include "mm_state.h"

/* The smaller of each two bytes, of which the topmost bit is free. */
static inline uint64_t smaller_byte(uint64_t a, uint64_t b)
{
	const uint64_t guards = 0x8080808080808080;
	uint64_t larger = ((a | guards) - b) & guards;	/* where a's is not the smaller */

	return a ^ ((a ^ b) & (larger - (larger >> 7)));
}

/* The least of eight bytes. */
static inline unsigned fullest_rank(uint64_t fills)
{
	uint64_t four = smaller_byte(fills, fills >> 32), two = smaller_byte(four, four >> 16);

	return (unsigned)smaller_byte(two, two >> 8) & 0xff;
}

/* The same of one that has a byte of @rank, which mostly is the least. */
static inline unsigned fullest_rank_with(uint64_t fills, unsigned rank)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;

	/* Where a byte is less, its topmost bit does not survive; none has it itself. */
	return (((fills | tops) - rank * ones) & tops) == tops ? rank : fullest_rank(fills);
}

/* The rank of child @c at level @l is @rank now; of those above it too, where it is the fullest. */
static void carry(struct tree *t, unsigned l, uint32_t c, unsigned rank)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT;
	uint64_t fills = atom_peek(&n->fills);
	unsigned before = fills_at(fills, slot);

	while (before != rank) {
		atom_poke8(&n->fill[slot], (uint8_t)rank);
		if (l++ == t->root)
			return;
		c /= NODE_FANOUT;
		n = node_of_child(t, l, c);
		const unsigned at = c % NODE_FANOUT;
		const uint64_t next = atom_peek(&n->fills);
		const unsigned above = fills_at(next, at);
		if (rank > above) {
			if (before > above)
				return;
			/* It was the fullest, and is not as full now. */
			rank = fullest_rank_with(fills_with(fills, slot, rank), rank);
		}
		slot = at;
		fills = next;
		before = above;
	}
}

/* The rank of node @owed, of level 2, is told. */
static void tell(uint64_t owed)
{
	struct tree *t = tree_of((unsigned)(owed >> 32) - 1);
	uint32_t node = (uint32_t)owed;

	carry(t, 3, node, fullest_rank(atom_peek(&t->level[2][node].fills)));
}

/*
 * The fullest area of @node, of level 2, is emptier.  That is told upward when another node's is,
 * or when there is little else to do: who frees in order would tell it each time.
 */
static __attribute__((noinline)) void tell_later(struct tree *t, uint32_t node)
{
	uint64_t owed = local_load(LOCAL_EMPTIER), key = t->key | node;

	if (owed == key)
		return;
	local_store(LOCAL_EMPTIER, key);
	if (owed)
		tell(owed);
}

void fill_tell(void)
{
	uint64_t owed = local_load(LOCAL_EMPTIER);

	if (owed) {
		local_store(LOCAL_EMPTIER, 0);
		tell(owed);
	}
}

void fill_set_rank(struct tree *t, unsigned l, uint32_t c, unsigned rank)
{
	atom8_t *shown = fill_of(t, l, c);
	unsigned before = atom_peek8(shown);

	if (l != 2 || l == t->root || rank < before || rank == FILL_EMPTY) {
		carry(t, l, c, rank);
		return;
	}
	atom_poke8(shown, (uint8_t)rank);
	if (before <= atom_peek8(fill_of(t, 3, c / NODE_FANOUT)))
		tell_later(t, c / NODE_FANOUT);
}

void fill_show(struct tree *t, unsigned level, uint32_t self)
{
	uint64_t fills = atom_peek(&t->level[level][self].fills);
	unsigned rank = level == 1 ? fills_rank(fills) : fullest_rank(fills);

	if (level < t->root && rank != atom_peek8(fill_of(t, level + 1, self)))
		fill_set_rank(t, level + 1, self, rank);
}
