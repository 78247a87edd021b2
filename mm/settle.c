/* SPDX-License-Identifier: MIT */
/*
 * How an entry is kept truthful: settling (T5, T6), looking after a take or a
 * gift (T3, T4), opening (T7).
 *
 * A settling goes up as far as all of a node is spent, or FULL: the entries are marked
 * DIRTY one after the other, from the child up, and what each will say is worked out on the
 * way; then they are written in the same order.  Above, entries are raised if they must be.
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

/*
 * What child @c can give.  A node is read by a CAS: who has prepared a change of it while
 * he trusted its entry, which is DIRTY now, shall fail (T6, T7).  Nobody has where all is
 * HELD.  Where somebody else is settling in it his marks count as whole children, which is as
 * much as tree_raise() makes of anything there.
 */
static inline unsigned read_child(const struct tree *t, unsigned l, uint32_t c, bool merge)
{
	if (l == 1) {
		/* Pairs with the CAS of whoever changes the bits: T5. */
		uint64_t bits = atom_load(&t->bits[c]);
		return merge && bits == UINT64_MAX ? ENTRY_FULL : bits_code(bits);
	}

	struct node *n = &t->level[l - 1][c];
	uint64_t w = atom_load(&n->word);	/* likewise */
	do {
		if (node_all_held(w))
			return ENTRY_NONE;
		if (node_any_dirty(w))
			return node_code(w, l - 1);
	} while (!atom_cas(&n->word, &w, w + NODE_VERSION) && retry_count(t->id));
	if (node_exhausted(w))
		return ENTRY_NONE;
	return merge && node_all_full(w) && child_order(l) <= ORDER_MAX
		? ENTRY_FULL : node_code(w, l - 1);
}

/*
 * Mark the entry for child @c of level @l anew, unless it is parked or says @news.
 * Return: what it said.
 */
static inline unsigned mark(struct tree *t, unsigned l, uint32_t c, unsigned news,
			    uint64_t *marked)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT, e;
	uint64_t w = atom_load(&n->word);

	do {
		e = node_entry(w, slot);
		if (entry_parked(e) || e == news)
			break;
		*marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(&n->word, &w, *marked) && retry_count(t->id));
	return e;
}

static inline struct step step_of(uint64_t marked, uint32_t c, unsigned says)
{
	return (struct step){ marked, node_change(marked, c % NODE_FANOUT, ENTRY_DIRTY, says) };
}

/* Is all of node @self of level @l, going to read @w, as the news in it: spent, or FULL? */
static inline bool passes_on(const struct tree *t, unsigned l, uint32_t self, uint64_t w,
			     unsigned entry)
{
	return entry == ENTRY_NONE ? node_exhausted(w)
	     : entry == ENTRY_FULL && node_all_full(w) && child_order(l + 1) <= ORDER_MAX &&
	       !home_is(t, l, self);
}

/*
 * T6, where tree_raise() had no luck: mark the entry for child @c of level @l, whose node is
 * going to read @w, unless it promises @code.  A mark that is there already is made anew:
 * what others have read before ours below must not be written.
 * Return: what it shall say; ENTRY_DIRTY: it may stay.
 */
static inline unsigned mark_to_raise(struct tree *t, unsigned l, uint32_t c, uint64_t w,
				     unsigned code, struct step *s)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT, e;
	uint64_t above = atom_load(&n->word), marked;

	do {
		e = node_entry(above, slot);
		if (entry_parked(e) || (e != ENTRY_DIRTY && e >= code))
			return ENTRY_DIRTY;
		marked = node_change(above, slot, e, ENTRY_DIRTY);
		/* Pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(&n->word, &above, marked) && retry_count(t->id));

	/* It was true of all else below (T1), but if it was DIRTY. */
	if (e == ENTRY_DIRTY)
		code = node_code(w, l - 1);
	*s = step_of(marked, c, code);
	return code;
}

#define MARKED (ENTRY_FULL + 1u)	/* more than any entry */

/*
 * Mark the entries that change, from child @c of level @l up.
 * @least: not if its own entry is less.  MARKED: it is DIRTY by our own mark or a later one;
 *         if not, somebody has written it who has read the child after our mark.
 * Return: how many; 0: none, or the first is parked.
 */
static unsigned mark_path(struct tree *t, unsigned l, uint32_t c, unsigned least, bool merge,
			  struct step *s)
{
	struct node *n = node_of_child(t, l, c);
	unsigned slot = c % NODE_FANOUT, steps = 1, e;
	uint64_t w = atom_load(&n->word), marked;

	do {
		e = node_entry(w, slot);
		marked = w;
		if (e == ENTRY_DIRTY && least == MARKED)
			break;
		if (entry_parked(e) || e < least)
			return 0;
		marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(&n->word, &w, marked) && retry_count(t->id));

	/* Whose mark it was may want to merge: he is not to come back for that. */
	unsigned entry = read_child(t, l, c, merge || e == ENTRY_DIRTY);
	s[0] = step_of(marked, c, entry);
	if (e != ENTRY_DIRTY && entry != ENTRY_NONE && entry <= e)
		return 1;			/* it says less: nothing to promise */
	for (; l < t->root; l++, steps++) {
		w = s->settled;
		slot = c % NODE_FANOUT;
		c /= NODE_FANOUT;
		s++;
		if (passes_on(t, l, c, w, entry)) {
			e = mark(t, l + 1, c, entry, &marked);
			if (entry_parked(e) || e == entry)
				break;
			*s = step_of(marked, c, entry);
			continue;
		}
		if (entry == ENTRY_NONE)
			break;
		/* What the node could give without this child is promised already (T1). */
		const unsigned whole = ENTRY_OPEN + child_order(l);
		if (entry >= whole)
			entry = node_entry(w, slot ^ 1) < whole ? whole : node_code(w, l);
		if (tree_raise(t, l + 1, c, entry))
			break;
		entry = mark_to_raise(t, l + 1, c, w, entry, s);
		if (entry == ENTRY_DIRTY)
			break;
	}
	return steps;
}

/*
 * Does the entry for child @c of level @l wait to be merged, now that the child reads @w?  As long
 * as it was a home, nobody would; who left it before our last write found our mark.  Write, then
 * look whose home it is: pairs with home_move() and tree_leave_homes(), who leave, then read.
 */
static inline bool left_whole(const struct tree *t, unsigned l, uint32_t c, uint64_t w)
{
	return node_all_full(w) && l <= t->root && child_order(l) <= ORDER_MAX &&
	       !home_is(t, l - 1, c) && tree_entry(t, l, c) != ENTRY_FULL;
}

/* The lowest level at which one does, above the @n just written from @l up; 0 if none. */
static inline unsigned level_to_merge(const struct tree *t, unsigned l, uint32_t c,
				      const struct step *s, unsigned n)
{
	for (; n > 0; n--, s++) {
		l++, c /= NODE_FANOUT;
		if (left_whole(t, l, c, s->settled))
			return l;
	}
	return 0;
}

/* Return: has child @c of level @l been read since the call? */
static bool settle(struct tree *t, unsigned l, uint32_t c, unsigned least, bool merge)
{
	const unsigned first = l;
	const uint32_t child = c;
	struct step s[TREE_LEVELS];
	bool read = false;

	/* All that we have marked must be settled, whoever comes between. */
	for (unsigned last = l;;) {
		unsigned steps = mark_path(t, l, c, least, merge, s), from = l, i = 0;

		read |= steps > 0;
		if (l + steps > last + 1)
			last = l + steps - 1;
		/* Fails after any other CAS on the node; pairs as above. */
		while (i < steps && atom_cas(&node_of_child(t, l, c)->word, &s[i].marked,
					     s[i].settled))
			i++, l++, c /= NODE_FANOUT;
		if (i < steps)
			retry_count(t->id);
		else if (steps == 0)		/* governed from above, or told */
			l++, c /= NODE_FANOUT;
		unsigned again = level_to_merge(t, from, child >> 3 * (from - first), s, i);
		if (again) {
			l = again;
			c = child >> 3 * (again - first);
			last = last > again ? last : again;
		}
		if (l > last)
			return read;
		/* A mark above what we have just written was earlier than that: it is made anew. */
		least = i > 0 ? 0 : MARKED;
		merge = !home_is(t, l - 1, c);
	}
}

void tree_settle(struct tree *t, unsigned l, uint32_t c, bool merge)
{
	settle(t, l, c, 0, merge);
}

void tree_lower(struct tree *t, unsigned l, uint32_t c, unsigned order)
{
	settle(t, l, c, ENTRY_OPEN + order, false);
}

bool tree_clear(struct tree *t, unsigned l, uint32_t c)
{
	return settle(t, l, c, ENTRY_DIRTY, true);
}

/*
 * T6: read the words that must change, from below, and change them from above.  Each CAS
 * fails if its node has changed since it was read, which was before the entry above it was
 * seen to promise enough, or was made to.
 */
bool tree_raise(struct tree *t, unsigned l, uint32_t c, unsigned code)
{
	struct step s[TREE_LEVELS];
	unsigned n = 0;

	for (unsigned k = l; k <= t->root; k++, n++) {
		uint32_t above = c >> 3 * n;
		/* At first, after the giver's CAS; pairs with DIRTY in tree_settle(). */
		uint64_t w = atom_load(&node_of_child(t, k, above)->word);
		unsigned slot = above % NODE_FANOUT, e = node_entry(w, slot);

		if (e == ENTRY_DIRTY || (n > 0 && entry_parked(e)))
			return false;
		if (e >= code || e == ENTRY_HELD)
			break;
		s[n] = (struct step){ w, node_change(w, slot, e, code) };
		if (!entry_fits(code, child_order(k)))
			continue;
		if (node_any_dirty(w))
			return false;		/* see read_child() */
		code = node_code(s[n].settled, k);
	}
	while (n-- > 0)
		/* Pairs with who reads the node to write less above it: read_child(). */
		if (!atom_cas(&node_of_child(t, l + n, c >> 3 * n)->word, &s[n].marked,
			      s[n].settled)) {
			retry_count(t->id);
			return false;
		}
	return true;
}

void tree_exhausted(struct tree *t, unsigned l, uint32_t c)
{
	/* A home is left alone: what was taken from it will likely be given back. */
	if (l > t->root || home_is(t, l - 1, c))
		return;

	/* Pairs with nothing: an old entry costs a settling more or promises too much. */
	unsigned e = node_entry(atom_load(&node_of_child(t, l, c)->word), c % NODE_FANOUT);
	if (e != ENTRY_NONE && !entry_parked(e))
		tree_lower(t, l, c, 0);
}

/* Who has given what is @left has not told yet: in his place. */
static __attribute__((noinline)) void tell_for_giver(struct tree *t, unsigned l, uint32_t c,
						     uint64_t left)
{
	tree_given(t, l, c, l == 1 ? bits_code(left) : node_code(left, l - 1), false);
}

bool tree_taken(struct tree *t, unsigned l, uint32_t c, uint64_t left)
{
	for (;;) {
		/* After the taker's CAS; pairs with DIRTY in tree_settle(), and tree_open(). */
		unsigned e = tree_entry(t, l, c);

		if (e == ENTRY_HELD)
			return false;
		if (e == ENTRY_FULL) {
			if (!tree_open(t, l, c))
				return false;
		} else if (e == ENTRY_DIRTY) {
			/* Who has read the child before the take shall not write.  From then
			 * on it is not whole to who reads it. */
			if (tree_clear(t, l, c))
				return true;
		} else {
			if (l == 1 ? bits_exceed(left, e) : node_exceeds(left, l - 1, e))
				tell_for_giver(t, l, c, left);
			return true;
		}
	}
}

void tree_given(struct tree *t, unsigned l, uint32_t c, unsigned code, bool full)
{
	if (l > t->root)
		return;

	bool merge = full && !home_is(t, l - 1, c);

	if (merge || !tree_raise(t, l, c, code))
		tree_settle(t, l, c, merge);
}

bool tree_open(struct tree *t, unsigned l, uint32_t c)
{
	/* The next to be opened: the child, or what is FULL above it. */
	unsigned k = l;

	for (;;) {
		uint32_t at = c >> 3 * (k - l), self = at / NODE_FANOUT;
		struct node *n = node_of_child(t, k, at);
		unsigned slot = at % NODE_FANOUT, whole = ENTRY_OPEN + child_order(k);
		uint64_t w = atom_load(&n->word);
		unsigned e = node_entry(w, slot);

		if (e != ENTRY_FULL) {
			if (e == ENTRY_HELD || k == l)
				return e != ENTRY_HELD;
			k--;
			continue;
		}
		/* Read, then look above: pairs with who settles us to FULL there (T7). */
		unsigned above = k < t->root ? tree_entry(t, k + 1, self) : whole;
		if (above == ENTRY_HELD)
			return false;
		if (above == ENTRY_FULL)
			k++;
		else if (above == ENTRY_DIRTY)
			tree_clear(t, k + 1, self);
		/* Given, and not told yet; below an open one nobody looks higher (T3, T6). */
		else if (k < t->root && above < whole + 3 && node_exceeds(w, k, above))
			tree_given(t, k + 1, self, node_code(w, k), false);
		/* Pairs with the load in tree_taken(), and with read_child(). */
		else if (!atom_cas(&n->word, &w, node_change(w, slot, ENTRY_FULL, whole)))
			retry_count(t->id);
		else if (k == l)
			return true;
	}
}

void tree_merge(struct tree *t, unsigned l, uint32_t c)
{
	for (uint32_t s = 0; l > 1 && s < NODE_FANOUT; s++) {
		/* A hint; what tree_settle() reads decides. */
		unsigned e = node_entry(atom_load(&t->level[l - 1][c].word), s);

		if (e == ENTRY_NONE || e == ENTRY_HELD)
			break;
		if (e != ENTRY_FULL)
			tree_merge(t, l - 1, c * NODE_FANOUT + s);
	}
	settle(t, l, c, ENTRY_OPEN + child_order(l), true);
}
