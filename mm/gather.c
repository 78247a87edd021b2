/* SPDX-License-Identifier: MIT */
/*
 * A block taken piece by piece, by who has merged it several times and found it opened again.
 *
 * Who merges and who opens can undo each other for ever, as long as what they do is no more than
 * a promise.  A piece that is taken is not opened: either the block is gathered, or somebody else
 * has taken a part of it.  Pieces are taken from the lowest frame on, so that of several who
 * gather the one who is farthest does not meet another.
 */
#include "retry.h"
#include "tree.h"

/* All of child @c of level @l is ours, in pieces: let it be one block, which is held. */
static void fuse(struct tree *t, unsigned l, uint32_t c)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT;
	uint64_t w = atom_load(&n->word), none = 0;

	/* What others still write there, they write after a look at it; pairs with T3, T5. */
	while (!atom_cas(&n->word, &w, node_change(w, slot, node_entry(w, slot), ENTRY_HELD)))
		retry_count(t->id);
	/* Below a parked entry all is free (T2); nobody but us changes what we hold. */
	if (l == 1) {
		atom_cas(&t->bits[c], &none, UINT64_MAX);
		return;
	}
	n = &t->level[l - 1][c];
	w = atom_load(&n->word);
	while (!atom_cas(&n->word, &w, (w | NODE_ENTRIES) + NODE_VERSION))
		retry_count(t->id);
}

static bool gather(struct tree *t, unsigned l, uint32_t c);

/* The first @n pieces of a block of 2^@order frames each, from piece @c on, are not wanted. */
static void give_pieces(struct tree *t, uint32_t c, unsigned n, unsigned order)
{
	while (n-- > 0)
		tree_give(t, (c + n) << order, order);
}

/* What child @c of level @l, which is open, has below it. */
static bool gather_below(struct tree *t, unsigned l, uint32_t c)
{
	uint32_t first;

	if (l == 1) {
		if (!group_take(t, c, GROUP_ORDER, &first))
			return false;
	} else {
		for (unsigned s = 0; s < NODE_FANOUT; s++) {
			if (gather(t, l - 1, c * NODE_FANOUT + s))
				continue;
			give_pieces(t, c * NODE_FANOUT, s, child_order(l - 1));
			tree_lower(t, l, c, child_order(l));
			return false;
		}
	}
	fuse(t, l, c);
	return true;
}

/* The whole child @c of level @l.  Return: false if some of it is taken. */
static bool gather(struct tree *t, unsigned l, uint32_t c)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT, e;
	uint64_t w = atom_load(&n->word), left;		/* pairs with every CAS on the node */

	do {
		e = node_entry(w, slot);
		if (e < ENTRY_OPEN + child_order(l))
			return false;
		if (e != ENTRY_FULL)
			return gather_below(t, l, c);
		left = node_change(w, slot, ENTRY_FULL, ENTRY_HELD);
	} while (!atom_cas(&n->word, &w, left) && retry_count(t->id));
	/* T3 */
	if (l == t->root || tree_taken(t, l + 1, c / NODE_FANOUT, left))
		return true;
	give_pieces(t, c, 1, child_order(l));
	return false;
}

bool tree_gather(struct tree *t, unsigned l, uint32_t c, unsigned log)
{
	for (unsigned s = 0; s < 1u << log; s++)
		if (!gather(t, l, c + s)) {
			give_pieces(t, c, s, child_order(l));
			return false;
		}
	return true;
}
