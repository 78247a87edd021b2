/* SPDX-License-Identifier: MIT */
/*
 * How an entry is kept truthful: settling (T5, T6), looking after a take or a
 * gift (T3, T4), opening (T7).
 *
 * A settling goes up as far as anything changes: the entries are marked DIRTY one
 * after the other, from the child up, and what each will say is worked out on the
 * way; then they are written in the same order.  So an entry says more only when
 * those above it say enough or are DIRTY, and no older reading can lower them.
 *
 * The pairs below are "write mine, then read yours": taker or giver and settler
 * each change one word, then look at the other's.  One of them must see the
 * other, so both sides are sequentially consistent (T5).
 */
#include "home.h"
#include "retry.h"
#include "tree.h"

/* One level of a settling: the node's word with our mark in it, and what follows. */
struct step { uint64_t marked, settled; };

/* What an entry is to say: exactly this, or at least this. */
struct demand { unsigned entry; bool exactly; };

static inline unsigned read_child(const struct tree *t, unsigned l, uint32_t c, bool merge)
{
	if (l == 1) {
		/* Pairs with the CAS of whoever changes the bits: T5. */
		uint64_t bits = atom_load(&t->bits[c]);
		return merge && bits == UINT64_MAX ? ENTRY_FULL : bits_code(bits);
	}

	uint64_t w = atom_load(&t->level[l - 1][c].word);	/* likewise */
	if (node_exhausted(w))
		return ENTRY_NONE;
	return merge && node_all_full(w) && child_order(l) <= ORDER_MAX
		? ENTRY_FULL : node_code(w, l - 1);
}

/* Of the entry above a node that is going to read @w, with @entry the news in it. */
static inline struct demand demand(const struct tree *t, unsigned l, uint32_t self, uint64_t w,
				   unsigned entry)
{
	if (entry == ENTRY_NONE)
		return (struct demand){ ENTRY_NONE, node_exhausted(w) };
	if (entry == ENTRY_FULL && node_all_full(w) && child_order(l + 1) <= ORDER_MAX &&
	    !home_is(t, l, self))
		return (struct demand){ ENTRY_FULL, true };
	/* What the node could give without this child is promised already (T1). */
	return (struct demand){ entry_fits(entry, child_order(l)) ? node_code(w, l) : entry,
				false };
}

/*
 * T6: mark the entry above step @s, whose news is @entry, if it must change.
 * A mark that is there already is made anew: what others have read before ours
 * below must not be written.  Return: what it shall say; ENTRY_DIRTY: it may stay.
 */
static inline unsigned mark_above(struct tree *t, unsigned l, uint32_t self, struct step *s,
				  unsigned entry)
{
	struct demand d = demand(t, l, self, s->settled, entry);

	if (entry == ENTRY_NONE && !d.exactly)
		return ENTRY_DIRTY;
	struct node *n = node_of_child(t, l + 1, self);
	unsigned slot = self % NODE_FANOUT, e;
	uint64_t w = atom_load(&n->word), marked;

	do {
		e = node_entry(w, slot);
		if (entry_parked(e) ||
		    (d.exactly ? e == d.entry : e != ENTRY_DIRTY && e >= d.entry))
			return ENTRY_DIRTY;
		marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* Pairs with the loads in tree_taken(), tree_given(). */
	} while (!atom_cas(&n->word, &w, marked) && retry_count(t->id));

	/* It was true of all else below (T1), but if it was DIRTY. */
	unsigned says = d.exactly || e != ENTRY_DIRTY ? d.entry : node_code(s->settled, l);
	s[1] = (struct step){ marked, node_change(marked, slot, ENTRY_DIRTY, says) };
	return says;
}

/* Mark the entries that change, from child @c of level @l up.  Return: how many. */
static unsigned mark_path(struct tree *t, unsigned l, uint32_t c, bool merge, struct step *s)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT, steps = 1, e;
	uint64_t w = atom_load(&n->word), marked;

	do {
		e = node_entry(w, slot);
		if (entry_parked(e))
			return 0;
		marked = w;
		if (e == ENTRY_DIRTY)
			break;			/* somebody's mark serves as well */
		marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_given(). */
	} while (!atom_cas(&n->word, &w, marked) && retry_count(t->id));

	unsigned entry = read_child(t, l, c, merge);
	s[0] = (struct step){ marked, node_change(marked, slot, ENTRY_DIRTY, entry) };
	if (e != ENTRY_DIRTY && entry != ENTRY_NONE && entry <= e)
		return 1;			/* it says less: nothing to promise */
	for (; l < t->root; l++, steps++) {
		c /= NODE_FANOUT;
		entry = mark_above(t, l, c, s++, entry);
		if (entry == ENTRY_DIRTY)
			break;
	}
	return steps;
}

void tree_settle(struct tree *t, unsigned l, uint32_t c, bool merge)
{
	const unsigned first = l;
	struct step s[TREE_LEVELS];

	/* All that we have marked must be settled, whoever comes between. */
	for (unsigned last = l; l <= last;) {
		unsigned steps = mark_path(t, l, c, l == first ? merge : !home_is(t, l - 1, c), s);

		if (l + steps > last + 1)
			last = l + steps - 1;
		unsigned i = 0;
		/* Fails after any other CAS on the node; pairs as above. */
		while (i < steps && atom_cas(&node_of_child(t, l, c)->word, &s[i].marked,
					     s[i].settled))
			i++, l++, c /= NODE_FANOUT;
		if (i < steps)
			retry_count(t->id);
		if (steps == 0)			/* parked: governed from above */
			l++, c /= NODE_FANOUT;
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
		tree_settle(t, l, c, false);
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
		tree_settle(t, l, c, false);
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
	tree_settle(t, l, c, merge);
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
		uint64_t opening = e == ENTRY_OPENING ? w
				 : node_change(w, slot, ENTRY_FULL, ENTRY_OPENING);
		/* OPENING, then look above; pairs with who settles us to FULL there. */
		if (opening != w && !atom_cas(&n->word, &w, opening) && retry_count(t->id))
			continue;
		w = opening;

		bool governs = tree_counts(t, l + 1, self);
		uint64_t new = node_change(w, slot, ENTRY_OPENING,
					   governs ? ENTRY_OPEN + child_order(l) : ENTRY_FULL);
		/* Open from here: pairs with the load in tree_taken(). */
		if (!atom_cas(&n->word, &w, new) && retry_count(t->id))
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
	tree_settle(t, l, c, true);
}
