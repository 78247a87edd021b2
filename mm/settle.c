/* SPDX-License-Identifier: MIT */
/*
 * How an entry is kept truthful: settling (T5, T6), looking after a take or a
 * gift (T3, T4), opening (T7).  All loops end as soon as nobody else changes
 * the same node.
 *
 * The pairs below are "write mine, then read yours": taker or giver and settler
 * each change one word, then look at the other's.  One of them must see the
 * other, so both sides are sequentially consistent (T5).
 */
#include "home.h"
#include "tree.h"

struct content {
	unsigned code;		/* what it can give */
	bool full;		/* all of it is free and merged */
};

static struct content child_content(const struct tree *t, unsigned l, uint32_t c, struct known k)
{
	if (l == 1) {
		/* Pairs with the CAS of whoever changes the bits: T5. */
		uint64_t bits = atom_load(&t->bits[c]);
		return (struct content){ bits_code(bits), bits == UINT64_MAX };
	}

	uint64_t w = atom_load(&t->level[l - 1][c].word);	/* likewise */
	bool full = node_all_full(w);
	/* Only if nobody has changed it since: his DIRTY must count as the most. */
	if (w == k.seen)
		w = k.instead;
	return (struct content){ node_code(w, l - 1), full };
}

/* T6: the entries above must promise what the node at level @l is about to. */
static void promise(struct tree *t, unsigned l, uint32_t c, uint64_t seen, uint64_t w)
{
	if (l == t->root)
		return;

	uint32_t self = c / NODE_FANOUT;
	unsigned entry = node_entry(w, c % NODE_FANOUT);
	/* Pairs with the CAS that raises or lowers it; the CAS in tree_settle() decides. */
	unsigned above = node_entry(atom_load(&node_of_child(t, l + 1, self)->word),
				    self % NODE_FANOUT);
	if (entry_parked(above))
		return;
	/* What the node could give without this child is promised already (T1). */
	unsigned needed = entry_fits(entry, child_order(l)) ? node_code(w, l) : entry;
	if (above != ENTRY_DIRTY && above >= needed)
		return;
	tree_settle(t, l + 1, self, (struct known){ seen, w }, false);
}

/* What a change of the node at level @l means for the entries above it. */
static void pass_on(struct tree *t, unsigned l, uint32_t self, uint64_t w)
{
	if (l == t->root)
		return;
	if (node_all_full(w)) {
		if (!home_is(t, l, self))
			tree_settle(t, l + 1, self, NOTHING_KNOWN, true);
	} else if (node_exhausted(w)) {
		tree_exhausted(t, l + 1, self);
	}
}

void tree_exhausted(struct tree *t, unsigned l, uint32_t c)
{
	/* A home is left alone: what was taken from it will likely be given back. */
	if (l > t->root || home_is(t, l - 1, c))
		return;

	/* Pairs with nothing: an old entry costs a settling more or promises too much. */
	unsigned e = node_entry(atom_load(&node_of_child(t, l, c)->word), c % NODE_FANOUT);
	if (e != ENTRY_NONE && !entry_parked(e))
		tree_settle(t, l, c, NOTHING_KNOWN, false);
}

void tree_settle(struct tree *t, unsigned l, uint32_t c, struct known k, bool merge)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT;
	uint64_t w = atom_load(&n->word);

	for (;;) {
		if (entry_parked(node_entry(w, slot)))
			return;
		uint64_t new = node_with(w, slot, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_given(). */
		if (!atom_cas(&n->word, &w, new))
			continue;
		w = new;

		struct content found = child_content(t, l, c, k);
		unsigned entry = found.full && merge && child_order(l) <= ORDER_MAX
			? ENTRY_FULL : found.code;
		new = node_with(w, slot, entry);
		promise(t, l, c, w, new);
		/* Fails after any other CAS on this node; pairs as above. */
		if (atom_cas(&n->word, &w, new)) {
			pass_on(t, l, c / NODE_FANOUT, new);
			return;
		}
	}
}

bool tree_taken(struct tree *t, unsigned l, uint32_t c)
{
	if (l > t->root)
		return true;
	for (;;) {
		/* After the taker's CAS; pairs with DIRTY in tree_settle(), and tree_open(). */
		unsigned e = node_entry(atom_load(&node_of_child(t, l, c)->word), c % NODE_FANOUT);

		if (e != ENTRY_DIRTY)
			return !entry_parked(e);
		/* The settler may have read the child before the take: make him read again. */
		tree_settle(t, l, c, NOTHING_KNOWN, false);
	}
}

void tree_given(struct tree *t, unsigned l, uint32_t c, unsigned code, bool full)
{
	if (l > t->root)
		return;

	/* After the giver's CAS; pairs with DIRTY in tree_settle(). */
	unsigned e = node_entry(atom_load(&node_of_child(t, l, c)->word), c % NODE_FANOUT);
	bool merge = full && !home_is(t, l - 1, c);

	if (entry_parked(e) || (e != ENTRY_DIRTY && e >= code && !merge))
		return;
	tree_settle(t, l, c, NOTHING_KNOWN, merge);
}

bool tree_open(struct tree *t, unsigned l, uint32_t c)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT;
	uint32_t self = c / NODE_FANOUT;
	uint64_t w = atom_load(&n->word);

	for (;;) {
		unsigned e = node_entry(w, slot);
		if (e != ENTRY_FULL && e != ENTRY_OPENING)
			return e != ENTRY_HELD;
		uint64_t opening = node_with(w, slot, ENTRY_OPENING);
		/* OPENING, then look above; pairs with who settles us to FULL there. */
		if (!atom_cas(&n->word, &w, opening))
			continue;
		w = opening;

		bool governs = tree_taken(t, l + 1, self);
		uint64_t new = node_with(w, slot, governs ? ENTRY_OPEN + child_order(l)
							  : ENTRY_FULL);
		/* Open from here: pairs with the load in tree_taken(). */
		if (!atom_cas(&n->word, &w, new))
			continue;
		if (!governs)
			tree_given(t, l + 1, self, node_code(new, l), node_all_full(new));
		return governs;
	}
}

void tree_merge(struct tree *t, unsigned l, uint32_t c)
{
	for (uint32_t s = 0; l > 1 && s < NODE_FANOUT; s++) {
		uint32_t below = c * NODE_FANOUT + s;
		/* A hint; what tree_open() and tree_settle() read decides. */
		unsigned e = node_entry(atom_load(&t->level[l - 1][c].word), s);

		if (e == ENTRY_OPENING)
			tree_open(t, l - 1, below);
		if (e != ENTRY_FULL)
			tree_merge(t, l - 1, below);
	}
	tree_settle(t, l, c, NOTHING_KNOWN, true);
}
