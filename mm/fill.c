/* SPDX-License-Identifier: MIT */
/* Keeping and reading the hints; fill.h says what they mean. */
#include "fill.h"

static unsigned fullest_rank(const struct node *n)
{
	return fill_least(atom_peek(&n->fills), 0) / NODE_FANOUT;
}

void fill_set_rank(struct tree *t, unsigned l, uint32_t c, unsigned rank)
{
	for (;; l++, c /= NODE_FANOUT) {
		atom8_t *shown = fill_of(t, l, c);
		unsigned before = atom_peek8(shown);

		if (before == rank)
			return;
		atom_poke8(shown, (uint8_t)rank);
		if (l == t->root)
			return;
		unsigned above = atom_peek8(fill_of(t, l + 1, c / NODE_FANOUT));
		if (rank <= above)
			continue;
		if (before > above)
			return;
		/* It was the fullest, and is not as full now. */
		unsigned e = tree_entry(t, l + 1, c / NODE_FANOUT);
		if ((rank != FILL_EMPTY || e != ENTRY_NONE) &&
		    (rank != FILL_FREE || e != ENTRY_FULL))
			rank = fullest_rank(node_of_child(t, l, c));
	}
}

void fill_show(struct tree *t, unsigned level, uint32_t self)
{
	const struct node *n = &t->level[level][self];

	if (level < t->root)
		fill_set_rank(t, level + 1, self,
			      level == 1 ? fill_area_rank(n) : fullest_rank(n));
}
