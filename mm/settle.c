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

/* One level of a settling: a node's word, what it reads with our mark in it, and what follows. */
struct step { atom64_t *word; uint64_t marked, settled; };

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

static inline struct step step_of(atom64_t *word, uint64_t marked, unsigned slot, unsigned says)
{
	return (struct step){ word, marked, node_change(marked, slot, ENTRY_DIRTY, says) };
}

/*
 * Mark the entry for child @c of level @l anew, which shall say @news.
 * Return: false if it is parked, or says so.
 */
static INLINE bool mark(struct tree *t, unsigned l, uint32_t c, unsigned news, struct step *s)
{
	atom64_t *word = &node_of_child(t, l, c)->word;
	unsigned slot = c % NODE_FANOUT, e;
	uint64_t w = atom_load(word), marked;

	do {
		e = node_entry(w, slot);
		if (entry_parked(e) || e == news)
			return false;
		marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(word, &w, marked) && retry_count(t->id));
	*s = step_of(word, marked, slot, news);
	return true;
}

/*
 * All of a node may be spent, or FULL, as the news in it: so mark the entries above child @c
 * of level @l, of which @s will be written, as long as it is so.
 * Return: how many; *told: the next one says it already.
 */
static INLINE unsigned mark_alike(struct tree *t, unsigned l, uint32_t c, unsigned news,
				  struct step *s, bool *told)
{
	unsigned top = t->root, n = 0;

	/* The children of level @top are the largest blocks, or of the root. */
	if (news == ENTRY_FULL && child_order(top) > ORDER_MAX)
		top = order_level(ORDER_MAX);
	for (; l < top; l++, n++) {
		c /= NODE_FANOUT;
		if (news == ENTRY_NONE ? !node_exhausted(s[n].settled)
				       : !node_all_full(s[n].settled) || home_is(t, l, c))
			break;
		*told = !mark(t, l + 1, c, news, &s[n + 1]);
		if (*told)
			break;
	}
	return n;
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
	atom64_t *word = &node_of_child(t, l, c)->word;
	unsigned slot = c % NODE_FANOUT, e;
	uint64_t above = atom_load(word), marked;

	do {
		e = node_entry(above, slot);
		if (entry_parked(e) || (e != ENTRY_DIRTY && e >= code))
			return ENTRY_DIRTY;
		marked = node_change(above, slot, e, ENTRY_DIRTY);
		/* Pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(word, &above, marked) && retry_count(t->id));

	/* It was true of all else below (T1), but if it was DIRTY. */
	if (e == ENTRY_DIRTY)
		code = node_code(w, l - 1);
	*s = step_of(word, marked, slot, code);
	return code;
}

/*
 * What a node of level @l, which reads @w, gives when child @slot is whole, as @settled has it.
 * Return: 0 if that is not to be told without a mark: see read_child().
 */
static __attribute__((noinline)) unsigned code_of_whole(uint64_t w, uint64_t settled, unsigned l,
							unsigned slot)
{
	/* What else it can give is promised already (T1). */
	unsigned code = node_run_code(settled, l, slot);

	return code != ENTRY_OPEN + child_order(l) && node_any_dirty(w) ? 0 : code;
}

/*
 * T6: let the entry for child @c of level @l promise @code, if it promises less, and those above
 * it.  The words that must change are read from below and changed from above: each CAS fails if
 * its node has changed since it was read, which was before the entry above it was seen to
 * promise enough, or was made to.
 * Return: false if it is DIRTY or others were quicker, and must be settled.
 */
static __attribute__((noinline)) bool tree_raise(struct tree *t, unsigned l, uint32_t c,
						 unsigned code)
{
	struct step step[TREE_LEVELS], *s = step;

	for (; l <= t->root; l++, s++) {
		unsigned slot = c % NODE_FANOUT, e;

		s->word = &node_of_child(t, l, c)->word;
		/* At first, after the giver's CAS; pairs with DIRTY in tree_settle(). */
		uint64_t w = s->marked = atom_load(s->word);
		e = node_entry(w, slot);
		c /= NODE_FANOUT;
		if (e >= code || e == ENTRY_HELD) {
			if (e == ENTRY_DIRTY || (s > step && entry_parked(e)))
				return false;
			break;
		}
		s->settled = node_change(w, slot, e, code);
		if (!entry_fits(code, child_order(l)) || l == t->root)
			continue;
		code = code_of_whole(w, s->settled, l, slot);
		if (code == 0)
			return false;
	}
	while (s > step) {
		s--;
		/* Pairs with who reads the node to write less above it: read_child(). */
		if (!atom_cas(s->word, &s->marked, s->settled)) {
			retry_count(t->id);
			return false;
		}
	}
	return true;
}

/* What a node of level @l, going to read @w, has to promise for the news of its child @c. */
static inline unsigned news_of(uint64_t w, unsigned l, uint32_t c, unsigned entry)
{
	/* What it could give without this child is promised already (T1). */
	return entry_fits(entry, child_order(l)) ? node_run_code(w, l, c % NODE_FANOUT) : entry;
}

/* As mark_above(), where the first entry could not be raised to say @entry. */
static __attribute__((noinline)) unsigned mark_on(struct tree *t, unsigned l, uint32_t c,
						  unsigned entry, struct step *s)
{
	unsigned n = 0;

	do {
		c /= NODE_FANOUT;
		entry = mark_to_raise(t, ++l, c, s[n].settled, entry, &s[n + 1]);
		if (entry == ENTRY_DIRTY)
			break;
		n++;
		if (l == t->root)
			break;
		entry = news_of(s[n].settled, l, c, entry);
	} while (!tree_raise(t, l + 1, c / NODE_FANOUT, entry));
	return n;
}

/*
 * What child @c of level @l gives is news, @entry: raise the entries above, or else mark them.
 * Return: how many are marked.
 */
static INLINE unsigned mark_above(struct tree *t, unsigned l, uint32_t c, unsigned entry,
				  struct step *s)
{
	if (l == t->root)
		return 0;
	entry = news_of(s->settled, l, c, entry);
	return tree_raise(t, l + 1, c / NODE_FANOUT, entry) ? 0 : mark_on(t, l, c, entry, s);
}

#define MARKED (ENTRY_FULL + 1u)	/* more than any entry */

/*
 * Mark the entries that change, from child @c of level @l up.
 * @least: not if its own entry is less.  MARKED: it is DIRTY by our own mark or a later one;
 *         if not, somebody has written it who has read the child after our mark.
 * @wholes: receives how many say FULL, which are the first ones.
 * Return: how many; 0: none, or the first is parked.
 */
static INLINE unsigned mark_path(struct tree *t, unsigned l, uint32_t c, unsigned least,
				 bool merge, struct step *s, unsigned *wholes)
{
	atom64_t *word = &node_of_child(t, l, c)->word;
	unsigned slot = c % NODE_FANOUT, n, e;
	uint64_t w = atom_load(word), marked;
	bool told = false;

	*wholes = 0;
	do {
		e = node_entry(w, slot);
		marked = w;
		if (e == ENTRY_DIRTY && least == MARKED)
			break;
		if (entry_parked(e) || e < least)
			return 0;
		marked = node_change(w, slot, e, ENTRY_DIRTY);
		/* DIRTY, then read: pairs with the loads in tree_taken(), tree_raise(). */
	} while (!atom_cas(word, &w, marked) && retry_count(t->id));

	/* Whose mark it was may want to merge: he is not to come back for that. */
	unsigned entry = read_child(t, l, c, merge || e == ENTRY_DIRTY);
	s[0] = step_of(word, marked, slot, entry);
	if (entry == ENTRY_NONE)
		return 1 + mark_alike(t, l, c, ENTRY_NONE, s, &told);
	if (entry != ENTRY_FULL)
		/* If it says less, there is nothing to promise. */
		return 1 + (e != ENTRY_DIRTY && entry <= e ? 0 : mark_above(t, l, c, entry, s));
	n = mark_alike(t, l, c, ENTRY_FULL, s, &told);
	*wholes = n + 1;
	return told ? n + 1 : n + 1 + mark_above(t, l + n, c >> 3 * n, ENTRY_FULL, s + n);
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

/*
 * The same if all was written from level @l up, of which the first @n steps say FULL: but for the
 * last of these, what is above them does, too.
 */
static inline bool last_left_whole(const struct tree *t, unsigned l, uint32_t c,
				   const struct step *s, unsigned n)
{
	return n > 0 && left_whole(t, l + n, c >> 3 * n, s[n - 1].settled);
}

/* A settling that was not done at once: what is next, and where it began and is to end. */
struct settling {
	unsigned l, least, first, last;		/* @last: 0 before the first turn */
	uint32_t c, child;
	bool merge, read;
};

/* Of @steps marks from @g->l up @done are written.  Return: is there more to be done? */
static __attribute__((noinline)) bool settle_on(struct tree *t, struct settling *g,
						const struct step *s, unsigned steps,
						unsigned done)
{
	const unsigned from = g->l;
	unsigned again;

	if (g->last == 0) {
		g->first = g->last = from;
		g->child = g->c;
		g->read = false;
	}
	g->read |= steps > 0;
	if (from + steps > g->last + 1)
		g->last = from + steps - 1;
	if (done < steps)
		retry_count(t->id);
	/* If there were none: governed from above, or told. */
	g->l += steps ? done : 1;
	again = level_to_merge(t, from, g->child >> 3 * (from - g->first), s, done);
	if (again) {
		g->l = again;
		g->last = g->last > again ? g->last : again;
	}
	g->c = g->child >> 3 * (g->l - g->first);
	/* A mark above what we have just written was earlier than that: it is made anew. */
	g->least = done > 0 ? 0 : MARKED;
	g->merge = !home_is(t, g->l - 1, g->c);
	return g->l <= g->last;
}

/* Return: has child @c of level @l been read since the call? */
static bool settle(struct tree *t, unsigned l, uint32_t c, unsigned least, bool merge)
{
	struct step s[TREE_LEVELS];
	struct settling g;

	g.last = 0;
	/* All that we have marked must be settled, whoever comes between. */
	for (;;) {
		unsigned wholes, steps = mark_path(t, l, c, least, merge, s, &wholes), i = 0;

		/* Fails after any other CAS on the node; pairs as above. */
		while (i < steps && atom_cas(s[i].word, &s[i].marked, s[i].settled))
			i++;
		/* Mostly this is all. */
		if (i == steps && l + steps > g.last && !last_left_whole(t, l, c, s, wholes))
			return steps > 0;
		g.l = l;
		g.c = c;
		if (!settle_on(t, &g, s, steps, i))
			return g.read;
		l = g.l;
		c = g.c;
		least = g.least;
		merge = g.merge;
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

	if (full && !home_is(t, l - 1, c))
		tree_settle(t, l, c, true);
	else if (!tree_raise(t, l, c, code))
		tree_settle(t, l, c, false);
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
