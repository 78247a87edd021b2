/* SPDX-License-Identifier: MIT */
/* Keeping and reading the hints; fill.h says what they mean. */
#include "fill.h"

/* The least of eight bytes. */
static inline unsigned fullest_rank(uint64_t fills)
{
	const uint64_t low = 0x00ff00ff00ff00ff;
	uint64_t four = smaller(fills & low, fills >> 8 & low);
	uint64_t two = smaller(four, four >> 32);

	return (unsigned)smaller(two, two >> 16) & 0xff;
}

/* The same of one that has a byte of @rank, which mostly is the least. */
static inline unsigned fullest_rank_with(uint64_t fills, unsigned rank)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;

	/* Where a byte is less, its topmost bit does not survive. */
	return (((fills | tops) - rank * ones) & tops) == tops ? rank : fullest_rank(fills);
}

void fill_set_rank(struct tree *t, unsigned l, uint32_t c, unsigned rank)
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

void fill_show(struct tree *t, unsigned level, uint32_t self)
{
	uint64_t fills = atom_peek(&t->level[level][self].fills);
	unsigned rank = level == 1 ? fills_rank(fills) : fullest_rank(fills);

	if (level < t->root && rank != atom_peek8(fill_of(t, level + 1, self)))
		fill_set_rank(t, level + 1, self, rank);
}
