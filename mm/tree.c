/* SPDX-License-Identifier: MIT */
/* Taking from the tree and giving back; tree.h has the rules, settle.c keeps them. */
#include "tree.h"

#include <labyrinth/panic.h>

#include "fill.h"
#include "home.h"
#include "retry.h"

static bool walk(struct tree *t, unsigned order, unsigned floor, uint32_t *found);

/* Does the root promise a block of @order?  If not, nothing has one (T1); pairs with T6. */
static inline bool root_fits(const struct tree *t, unsigned order)
{
	return node_at_least(atom_load(&t->top->word), ENTRY_OPEN + order) != 0;
}

/* --- level 0: groups */

/* Home's area before any other, and in it open groups before whole ones. */
static uint32_t take_some_at_home(struct tree *t, uint32_t *half)
{
	uint32_t home, taken;

	if (!home_get(t, 0, &home))
		return 0;

	uint64_t w = atom_load(&node_of_child(t, 1, home)->word);	/* a hint */
	uint64_t any = node_at_least(w, ENTRY_OPEN), whole = node_full_runs(w, 0);
	for (uint64_t some; any; any &= ~(some & -some)) {
		some = any & ~whole ? any & ~whole : any;
		uint32_t g = (home & ~(NODE_FANOUT - 1)) + first_slot(some);

		if ((taken = group_take_half(t, g, false, half))) {
			home_move(t, 0, g);
			return taken;
		}
	}
	return 0;
}

uint32_t tree_take_some(struct tree *t, uint32_t *half)
{
	uint32_t group, taken = take_some_at_home(t, half);

	if (taken) {
		fill_tell();		/* before a walk, which has more to do */
		return taken;
	}
	if (!root_fits(t, 0))
		return 0;
	home_show(0);
	while (!taken && walk(t, 0, 0, &group))
		if ((taken = group_take_half(t, group, true, half)))
			home_move(t, 0, group);
	return taken;
}

/* --- levels 1 and up: whole children */

/* Of 2^log entries from slot 0, the lowest bit each. */
static const uint64_t run_ones[] = { 0x1, 0x21, 0x8421 };

/* At @at, a bit's place in the word, is a run of 2^@log entries all @entry? */
static inline bool run_is(uint64_t w, unsigned at, unsigned log, unsigned entry)
{
	return (w >> at & run_ones[log] * ENTRY_MASK) == run_ones[log] * entry;
}

/* The word after a run of FULL entries is HELD, or the reverse. */
static inline uint64_t run_held(uint64_t w, unsigned at, unsigned log)
{
	return w - (run_ones[log] * (ENTRY_FULL - ENTRY_HELD) << at) + NODE_VERSION;
}

static inline uint64_t run_freed(uint64_t w, unsigned at, unsigned log)
{
	return w + (run_ones[log] * (ENTRY_FULL - ENTRY_HELD) << at) + NODE_VERSION;
}

/* The hints for groups that are taken or given as a whole. */
static inline void count_groups(struct node *area, unsigned slot, unsigned log, unsigned each)
{
	for (unsigned i = 0; i < 1u << log; i++)
		atom_poke8(&area->fill[slot + i], (uint8_t)each);
}

/* Is there no more to promise than is promised already, and nothing to be merged? */
static inline bool node_told(const struct tree *t, unsigned l, uint32_t self, uint64_t w,
			     unsigned most)
{
	return tree_entry(t, l + 1, self) == ENTRY_OPEN + most &&
	       (!node_all_full(w) || home_is(t, l, self));
}

/*
 * T4 for child @c and those of its run, without the node's code where that is more than is
 * asked: what can be had after the gift and could not before.  Out of line, so that who need not
 * tell saves no registers.
 */
static __attribute__((noinline)) void node_given(struct tree *t, unsigned l, uint32_t c,
						 uint64_t w, unsigned log)
{
	unsigned whole = ENTRY_OPEN + child_order(l), most = most_order(l + 1);
	uint32_t self = c / NODE_FANOUT;

	if (node_told(t, l, self, w, most))
		return;
	/* Has it perhaps completed a larger run? */
	bool larger = log > 0 || node_entry(w, c % NODE_FANOUT ^ 1) >= whole;
	unsigned e = tree_entry(t, l + 1, self);
	if (!larger && e >= whole && e <= ENTRY_OPEN + most)
		return;
	tree_given(t, l + 1, self, larger ? node_code(w, l) : whole, node_all_full(w));
}

static void give_run_again(struct tree *t, unsigned l, uint32_t c, unsigned log);

/* The run of 2^@log children from child @c of level @l. */
static INLINE void give_run(struct tree *t, unsigned l, uint32_t c, unsigned log)
{
	uint32_t self = c / NODE_FANOUT;
	struct node *n = &t->level[l][self];
	unsigned slot = c % NODE_FANOUT, at = slot * ENTRY_BITS;
	uint64_t w = atom_load(&n->word), new;	/* pairs with every CAS on the node */

	if (!run_is(w, at, log, ENTRY_HELD))
		panic("level %u child %u: a block given back is not held", l, c);
	new = run_freed(w, at, log);
	home_given(t, l, self);
	/* Pairs with the CAS in take_full_run(), as a bit's.  Then T4. */
	if (__builtin_expect(!atom_cas(&n->word, &w, new), 0)) {
		give_run_again(t, l, c, log);
		return;
	}
	if (l == 1)
		count_groups(n, slot, log, 64);
	/* An entry cannot promise all that is larger than ORDER_MAX: it is asked again. */
	if (l < t->root && !node_told(t, l, self, new, child_order(l + 1)))
		node_given(t, l, c, new, log);
}

/* Out of line, so that who loses nothing saves no registers. */
static __attribute__((noinline)) void give_run_again(struct tree *t, unsigned l, uint32_t c,
						     unsigned log)
{
	retry_count(t->id);
	give_run(t, l, c, log);
}

/* Bring the children of a run that are free but unmerged, or unclear, to FULL. */
static void merge_run(struct tree *t, unsigned l, uint32_t c, unsigned log)
{
	for (unsigned s = 0; s < 1u << log; s++)
		tree_merge(t, l, c + s);
}

/* T3, in vain.  Return: false. */
static __attribute__((cold, noinline)) bool undo_run(struct tree *t, unsigned l, uint32_t c,
						     unsigned log)
{
	give_run(t, l, c, log);
	return false;
}

/* T3: the entry above does not say all.  Return: does the take count?  Else it is undone. */
static inline bool late_run(struct tree *t, unsigned l, uint32_t c, unsigned log, uint64_t left)
{
	return tree_taken(t, l + 1, c / NODE_FANOUT, left) || undo_run(t, l, c, log);
}

/* A run of 2^log children that are FULL as they stand: child *@c and the next. */
static INLINE enum took take_full_run(struct tree *t, unsigned l, uint32_t self, unsigned log,
				      uint32_t *c, uint64_t *left)
{
	struct node *n = &t->level[l][self];
	uint64_t w = atom_load(&n->word);	/* pairs with every CAS on the node */
	uint64_t runs = node_full_runs(w, log);

	if (!runs)
		return TOOK_NONE;
	unsigned at = (unsigned)__builtin_ctzll(runs), slot = at / ENTRY_BITS;
	*left = run_held(w, at, log);
	*c = self * NODE_FANOUT + slot;
	/* Pairs with the CAS in give_run().  Then T3. */
	if (__builtin_expect(!atom_cas(&n->word, &w, *left), 0))
		return TOOK_LOST;
	if (l == 1)
		count_groups(n, slot, log, 0);
	if (l < t->root && !entry_half(tree_entry(t, l + 1, self), child_order(l + 1)))
		return TOOK_LATE;
	return TOOK;
}

static bool take_run(struct tree *t, unsigned l, uint32_t self, unsigned log, uint32_t *first)
{
	enum took took;
	uint64_t left;
	uint32_t c;

	while ((took = take_full_run(t, l, self, log, &c, &left)) == TOOK_LOST)
		retry_count(t->id);
	if (took == TOOK_NONE || (took == TOOK_LATE && !late_run(t, l, c, log, left)))
		return false;
	*first = c << child_order(l);
	if (node_exhausted(left))
		tree_exhausted(t, l + 1, self);
	return true;
}

#define MERGES_MAX 4u	/* that others have undone; then a block is taken in pieces */

/* A run of 2^log whole children of one node, if it has one.  @tries: in vain, before this one. */
static bool take_from_node(struct tree *t, unsigned l, uint32_t self, unsigned order,
			   unsigned tries, uint32_t *first)
{
	struct node *n = &t->level[l][self];
	unsigned log = order - child_order(l);

	for (;; tries++) {
		if (take_run(t, l, self, log, first))
			return true;

		uint64_t w = atom_load(&n->word);	/* a hint; the CAS decides */
		uint64_t runs = slot_runs(node_at_least(w, ENTRY_OPEN + child_order(l)), log);
		if (!runs) {
			if (l < t->root && entry_fits(tree_entry(t, l + 1, self), order))
				tree_lower(t, l + 1, self, order);
			return false;
		}
		unsigned slot = first_slot(runs);
		uint32_t c = self * NODE_FANOUT + slot;
		if (run_is(w, slot * ENTRY_BITS, log, ENTRY_FULL)) {
			if (l < t->root)
				return false;		/* came too late: walk again */
		} else if (tries < MERGES_MAX) {
			merge_run(t, l, c, log);
		} else if (tree_gather(t, l, c, log)) {
			*first = c << child_order(l);
			return true;
		}
	}
}

/* --- the walk */

/*
 * T7 for child @c of level @l, FULL in @w, if nothing is in the way.  Return: false if it is not
 * known to be open now; tree_open() will find out.
 */
static INLINE bool open_full(struct tree *t, unsigned l, uint32_t c, struct node *n, uint64_t w)
{
	const unsigned whole = ENTRY_OPEN + child_order(l);

	if (l < t->root) {
		/* @w was read before: pairs with who settles the node to FULL there. */
		unsigned above = tree_entry(t, l + 1, c / NODE_FANOUT);

		if (above - ENTRY_OPEN > ORDER_MAX ||
		    (above < whole + 3 && node_exceeds(w, l, above)))
			return false;
	}
	/* Pairs with the load in tree_taken(), and with read_child(). */
	return atom_cas(&n->word, &w, node_change(w, c % NODE_FANOUT, ENTRY_FULL, whole)) ||
	       !retry_count(t->id);
}

/*
 * One step down from node *@self of level @l: to the fullest child that can serve, of equal ones
 * as @salt has it.
 * Return: false if there was none to go to, and what misled us is mended.
 */
static inline bool step_down(struct tree *t, unsigned order, unsigned l, uint32_t *self,
			     unsigned salt)
{
	struct node *n = &t->level[l][*self];
	/* The root's: pairs with T6, who raises an entry has raised those above. */
	uint64_t w = atom_load(&n->word);
	unsigned slot = fill_way(n, w, l, order, salt), e;

	if (slot == NODE_FANOUT) {
		/* The entry above promised too much. */
		if (l < t->root)
			tree_lower(t, l + 1, *self, order);
		return false;
	}
	uint32_t c = *self * NODE_FANOUT + slot;

	e = node_entry(w, slot);
	*self = c;
	if (e == ENTRY_DIRTY)
		tree_clear(t, l, c);
	return e != ENTRY_DIRTY && (!entry_parked(e) || open_full(t, l, c, n, w) ||
				    tree_open(t, l, c));
}

/*
 * From the root down to the node at @floor (0: the group) that promises @order.
 * Return: false if the root promises none (T1).
 */
static bool walk(struct tree *t, unsigned order, unsigned floor, uint32_t *found)
{
	/* Where all is alike, each CPU has an order of its own, and comes back to its own lines. */
	unsigned l = t->root, salt = cpu_number() % NODE_FANOUT;
	uint32_t self = 0;

	while (l > floor) {
		if (step_down(t, order, l, &self, salt)) {
			l--;
			continue;
		}
		if (l == t->root && !root_fits(t, order))
			return false;
		l = t->root;
		self = 0;
	}
	*found = self;
	return true;
}

static bool take_at(struct tree *t, unsigned l, uint32_t self, unsigned order, unsigned tries,
		    uint32_t *first)
{
	return l == 0 ? group_take(t, self, order, first)
		      : take_from_node(t, l, self, order, tries, first);
}

/*
 * Where this CPU has just given, unless another has its home there: the entries above promise
 * it already, and its lines are at hand.  What a CPU replaces again and again stays in place.
 */
static bool take_where_given(struct tree *t, unsigned l, unsigned order, uint32_t *first)
{
	unsigned log = order - child_order(l);
	uint32_t self;

	/* All hints; the CAS decides. */
	if (!home_given_get(t, l, &self) || (l < t->root && fill_hidden(t, l + 1, self)) ||
	    !node_full_runs(atom_load(&t->level[l][self].word), log))
		return false;
	home_move(t, l, self);
	return take_run(t, l, self, log, first);
}

/*
 * The home, then its neighbours under the same node: most often that is enough.
 * Return: TOOK_LOST if another is at home there, too.
 */
static enum took take_near_home(struct tree *t, unsigned floor, unsigned order, uint32_t *first)
{
	uint32_t home;

	if (!home_get(t, floor, &home))
		return TOOK_NONE;
	enum took took = floor == 0 ? group_take_once(t, home, order, first)
			 : take_from_node(t, floor, home, order, 0, first) ? TOOK : TOOK_NONE;
	if (took != TOOK_NONE)
		return took;

	struct node *above = node_of_child(t, floor + 1, home);
	uint64_t slots = node_at_least(atom_load(&above->word), ENTRY_OPEN + order); /* a hint */
	while (slots) {
		unsigned slot = fill_fullest(above, slots, 0);
		uint32_t c = (home & ~(NODE_FANOUT - 1)) + slot;

		if (c != home && tree_open(t, floor + 1, c) &&
		    take_at(t, floor, c, order, 0, first)) {
			home_move(t, floor, c);
			return TOOK;
		}
		slots &= ~((uint64_t)1 << slot * ENTRY_BITS);
	}
	return TOOK_NONE;
}

/* Where the root leads to, away from where other CPUs are at home if it can be. */
static bool take_by_walk(struct tree *t, unsigned floor, unsigned order, uint32_t *first)
{
	uint32_t self;

	for (unsigned tries = 0; walk(t, order, floor, &self); tries++)
		if (take_at(t, floor, self, order, tries, first)) {
			home_move(t, floor, self);
			return true;
		}
	return false;
}

static __attribute__((noinline)) bool take_elsewhere(struct tree *t, unsigned floor,
						     unsigned order, uint32_t *first)
{
	if (floor > t->root)
		return false;
	if (floor == t->root)
		return take_at(t, floor, 0, order, 0, first);
	if (floor > 0 && take_where_given(t, floor, order, first))
		return true;
	enum took took = take_near_home(t, floor, order, first);
	if (took == TOOK)
		return true;
	if (!root_fits(t, order))
		return false;
	if (took == TOOK_NONE)
		home_show(floor);
	return take_by_walk(t, floor, order, first);
}

/* What the home does not give at the first try, child @c if it came too late. */
static __attribute__((noinline)) bool take_after(struct tree *t, unsigned order, enum took took,
						 uint32_t c, uint64_t left, uint32_t *first)
{
	unsigned l = order_level(order);

	if (took == TOOK_LOST) {
		retry_count(t->id);
		/* Another CPU is at home there, too: keep apart.  No home is the root. */
		return take_by_walk(t, l, order, first);
	}
	*first = c << child_order(l);
	if (took == TOOK_LATE && late_run(t, l, c, order - child_order(l), left))
		return true;
	return take_elsewhere(t, l, order, first);
}

/*
 * A run of 2^@log children at home.  A home is not struck off: what was taken from it will
 * likely be given back.
 */
static INLINE bool take_at_home(struct tree *t, unsigned l, uint32_t home, unsigned order,
				unsigned log, uint32_t *first)
{
	uint32_t c = 0;
	uint64_t left = 0;
	enum took took = take_full_run(t, l, home, log, &c, &left);

	if (took != TOOK)
		return take_after(t, order, took, c, left, first);
	*first = c << child_order(l);
	return true;
}

bool tree_take_area(struct tree *t, uint32_t *first)
{
	uint32_t home;

	return home_get(t, 2, &home) ? take_at_home(t, 2, home, AREA_ORDER, 0, first)
				     : take_elsewhere(t, 2, AREA_ORDER, first);
}

bool tree_take_group(struct tree *t, uint32_t *first)
{
	uint32_t home;

	return home_get(t, 1, &home) ? take_at_home(t, 1, home, GROUP_ORDER, 0, first)
				     : take_elsewhere(t, 1, GROUP_ORDER, first);
}

bool tree_take_any(struct tree *t, unsigned order, uint32_t *first)
{
	unsigned l = order_level(order);
	uint32_t home;

	if (l == 0 || !home_get(t, l, &home))
		return take_elsewhere(t, l, order, first);
	return take_at_home(t, l, home, order, order - child_order(l), first);
}

void tree_give_area(struct tree *t, uint32_t first)
{
	give_run(t, 2, first >> AREA_ORDER, 0);
}

void tree_give_group(struct tree *t, uint32_t first)
{
	give_run(t, 1, first >> GROUP_ORDER, 0);
}

void tree_give_any(struct tree *t, uint32_t first, unsigned order)
{
	unsigned l = order_level(order);

	if (l == 0)
		tree_give_bits(t, first >> GROUP_ORDER, run_mask(first & 63, order), 1u << order);
	else
		give_run(t, l, first >> child_order(l), order - child_order(l));
}
