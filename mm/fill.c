/* SPDX-License-Identifier: MIT */
/* Keeping and reading the hints; fill.h says what they mean. */
#include "fill.h"

static unsigned fullest_rank(const struct node *n)
{
	uint64_t x = atom_peek(&n->fills);
	unsigned least = FILL_HIDDEN;

	for (; x; x >>= 8)
		if ((x & 0xff) < least)
			least = x & 0xff;
	return least;
}

static bool is_hidden(const struct tree *t, unsigned l, uint32_t c)
{
	return atom_peek8(&node_of_child(t, l, c)->fill[c % NODE_FANOUT]) == FILL_HIDDEN;
}

/* Write child @c's rank at level @l, and up as far as it changes anything. */
void fill_set_rank(struct tree *t, unsigned l, uint32_t c, unsigned rank)
{
	for (; l <= t->root; l++, c /= NODE_FANOUT) {
		struct node *n = node_of_child(t, l, c);

		if (atom_peek8(&n->fill[c % NODE_FANOUT]) == rank)
			return;
		atom_poke8(&n->fill[c % NODE_FANOUT], (uint8_t)rank);
		/* Above a home nothing changes: it is hidden. */
		if (l < t->root && is_hidden(t, l + 1, c / NODE_FANOUT))
			return;
		rank = fullest_rank(n);
	}
}

void fill_hide(struct tree *t, unsigned level, uint32_t self)
{
	if (level < t->root)
		fill_set_rank(t, level + 1, self, FILL_HIDDEN);
}

void fill_show(struct tree *t, unsigned level, uint32_t self)
{
	const struct node *n = &t->level[level][self];

	if (level < t->root)
		fill_set_rank(t, level + 1, self,
			      level == 1 ? fill_area_rank(n) : fullest_rank(n));
}

unsigned fill_fullest(const struct node *n, unsigned mask)
{
	unsigned best = (unsigned)__builtin_ctz(mask);

	for (mask &= mask - 1; mask; mask &= mask - 1) {
		unsigned s = (unsigned)__builtin_ctz(mask);

		if (atom_peek8(&n->fill[s]) < atom_peek8(&n->fill[best]))
			best = s;
	}
	return best;
}
