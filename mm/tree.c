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
	return node_at_least(atom_load(&t->level[t->root]->word), ENTRY_OPEN + order) != 0;
}

/* --- level 0: bits */

/* T4 for a group, without working out its code where that is more, or not, for certain. */
static void bits_given(struct tree *t, uint32_t group, uint64_t bits, uint64_t mask)
{
	unsigned e = tree_entry(t, 1, group);

	if (e >= ENTRY_OPEN && e < ENTRY_OPEN + GROUP_ORDER) {
		unsigned larger = e - ENTRY_OPEN + 1;
		unsigned first = (unsigned)__builtin_ctzll(mask) & ~((1u << larger) - 1);
		uint64_t around = run_mask(first, larger);

		/* A gift inside one run of the next order can complete none but that. */
		if (mask & ~around ? bits_run(bits, larger) < 0 : (bits & around) != around)
			return;
	}
	tree_given(t, 1, group, bits_code(bits), bits == UINT64_MAX);
}

void tree_give_bits(struct tree *t, uint32_t group, uint64_t mask, unsigned n)
{
	uint64_t bits = atom_load(&t->bits[group]);	/* pairs with every CAS on the bits */

	do {
		if (bits & mask)
			panic("group %u: frames given back are free already (%016llx & %016llx)",
			      group, (unsigned long long)bits, (unsigned long long)mask);
		/* Pairs with the taker's CAS: he sees the words as we left them.  Then T4. */
	} while (!atom_cas(&t->bits[group], &bits, bits | mask) && retry_count(t->id));
	bits |= mask;
	bits_given(t, group, bits, mask);
	fill_changed(t, group, (int)n, bits);
}

/* Take @mask out of @bits as just read.  Return: did it count? */
static bool take_bits(struct tree *t, uint32_t group, uint64_t bits, uint64_t mask, unsigned n)
{
	/* Pairs with the giver's CAS.  Then T3: take, then look at the entry. */
	if (!atom_cas(&t->bits[group], &bits, bits & ~mask)) {
		retry_count(t->id);
		return false;
	}
	bits &= ~mask;
	if (!tree_counts(t, 1, group)) {
		/* T3: put back what we took and nothing else; pairs as any gift. */
		while (!atom_cas(&t->bits[group], &bits, bits | mask))
			retry_count(t->id);
		tree_given(t, 1, group, bits_code(bits | mask), (bits | mask) == UINT64_MAX);
		return false;
	}
	if (bits == 0)
		tree_exhausted(t, 1, group);
	fill_changed(t, group, -(int)n, bits);
	return true;
}

/* A block of an order below GROUP_ORDER out of one group, if it has one. */
static bool take_from_group(struct tree *t, uint32_t group, unsigned order, uint32_t *first)
{
	for (;;) {
		unsigned e = tree_entry(t, 1, group);
		if (entry_parked(e) && !(e != ENTRY_HELD && tree_open(t, 1, group)))
			return false;

		uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
		int run = bits_run(bits, order);
		if (run < 0) {
			if (entry_fits(e, order))
				tree_settle(t, 1, group, false);
			return false;
		}
		*first = (group << GROUP_ORDER) + (uint32_t)run;
		if (take_bits(t, group, bits, run_mask((unsigned)run, order), 1u << order))
			return true;
	}
}

/* What is free in the lower or else the upper half of a group. */
static uint32_t take_half(struct tree *t, uint32_t group, uint32_t *half)
{
	for (;;) {
		unsigned e = tree_entry(t, 1, group);
		if (entry_parked(e) && !(e != ENTRY_HELD && tree_open(t, 1, group)))
			return 0;

		uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
		if (bits == 0) {
			if (e != ENTRY_NONE)
				tree_settle(t, 1, group, false);
			return 0;
		}
		unsigned up = (uint32_t)bits ? 0 : 1;
		uint64_t mask = bits & (uint64_t)UINT32_MAX << 32 * up;
		*half = group * 2 + up;
		if (take_bits(t, group, bits, mask, bits_count((uint32_t)(mask >> 32 * up))))
			return (uint32_t)(mask >> 32 * up);
	}
}

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

		if ((taken = take_half(t, g, half))) {
			home_move(t, 0, g);
			return taken;
		}
	}
	return 0;
}

uint32_t tree_take_some(struct tree *t, uint32_t *half)
{
	uint32_t group, taken = take_some_at_home(t, half);

	if (taken || !root_fits(t, 0))
		return taken;
	home_show(0);
	while (!taken && walk(t, 0, 0, &group))
		if ((taken = take_half(t, group, half)))
			home_move(t, 0, group);
	return taken;
}

/* --- levels 1 and up: whole children */

/* 2^log equal entries from slot 0. */
static inline uint64_t run_of(unsigned log, uint64_t entry)
{
	static const uint64_t ones[] = { 0x1, 0x21, 0x8421 };

	return ones[log] * entry;
}

static inline bool run_is(uint64_t w, unsigned slot, unsigned log, unsigned entry)
{
	return (w >> slot * ENTRY_BITS & run_of(log, ENTRY_MASK)) == run_of(log, entry);
}

/* The word after a run of FULL entries is HELD, or the reverse. */
static inline uint64_t run_held(uint64_t w, unsigned slot, unsigned log)
{
	return w - (run_of(log, ENTRY_FULL - ENTRY_HELD) << slot * ENTRY_BITS) + NODE_VERSION;
}

static inline uint64_t run_freed(uint64_t w, unsigned slot, unsigned log)
{
	return w + (run_of(log, ENTRY_FULL - ENTRY_HELD) << slot * ENTRY_BITS) + NODE_VERSION;
}

/* The hints for groups that are taken or given as a whole. */
static inline void count_groups(struct node *area, unsigned slot, unsigned log, unsigned each)
{
	for (unsigned i = 0; i < 1u << log; i++)
		atom_poke8(&area->fill[slot + i], (uint8_t)each);
}

/*
 * T4 for a node that was given the run of 2^@log children at @slot: without
 * working out its code where the gift completes nothing larger.
 */
static inline void node_given(struct tree *t, unsigned l, uint32_t self, uint64_t w,
			      unsigned slot, unsigned log)
{
	if (l == t->root)
		return;

	unsigned whole = child_order(l), e = tree_entry(t, l + 1, self);
	if (log == 0 && e - (ENTRY_OPEN + whole) <= 3 &&
	    !entry_fits(node_entry(w, slot ^ 1), whole))
		return;
	if (e == ENTRY_OPEN + whole + 3 && (!node_all_full(w) || home_is(t, l, self)))
		return;
	tree_given(t, l + 1, self, node_code(w, l), node_all_full(w));
}

static inline void give_run(struct tree *t, unsigned l, uint32_t self, unsigned slot, unsigned log)
{
	struct node *n = &t->level[l][self];
	uint64_t w = atom_load(&n->word), new;	/* pairs with every CAS on the node */

	do {
		if (!run_is(w, slot, log, ENTRY_HELD))
			panic("level %u node %u: a block given back is not held", l, self);
		new = run_freed(w, slot, log);
		/* Pairs with the CAS in take_full_run(), as a bit's.  Then T4. */
	} while (!atom_cas(&n->word, &w, new) && retry_count(t->id));
	if (l == 1)
		count_groups(n, slot, log, 64);
	node_given(t, l, self, new, slot, log);
}

/* Bring the children of a run that are free but unmerged, or unclear, to FULL. */
static void merge_run(struct tree *t, unsigned l, uint32_t self, unsigned slot, unsigned log)
{
	for (unsigned s = slot; s < slot + (1u << log); s++)
		tree_merge(t, l, self * NODE_FANOUT + s);
}

/* A run of 2^log children that are FULL as they stand.  Return: false if there is none. */
static inline bool take_full_run(struct tree *t, unsigned l, uint32_t self, unsigned log,
				 uint32_t *first)
{
	struct node *n = &t->level[l][self];
	uint64_t w = atom_load(&n->word), runs, new;	/* pairs with every CAS on the node */
	unsigned slot;

	do {
		runs = node_full_runs(w, log);
		if (!runs)
			return false;
		slot = first_slot(runs);
		new = run_held(w, slot, log);
		/* Pairs with the CAS in give_run().  Then T3. */
	} while (!atom_cas(&n->word, &w, new) && retry_count(t->id));
	*first = (self * NODE_FANOUT + slot) << child_order(l);
	if (!tree_counts(t, l + 1, self)) {
		give_run(t, l, self, slot, log);	/* T3 */
		return false;
	}
	if (l == 1)
		count_groups(n, slot, log, 0);
	if (node_exhausted(new) && !home_is(t, l, self))
		tree_exhausted(t, l + 1, self);
	return true;
}

/* A run of 2^log whole children of one node, if it has one. */
static bool take_from_node(struct tree *t, unsigned l, uint32_t self, unsigned order,
			   uint32_t *first)
{
	struct node *n = &t->level[l][self];
	unsigned log = order - child_order(l);

	for (;;) {
		if (take_full_run(t, l, self, log, first))
			return true;

		uint64_t w = atom_load(&n->word);	/* a hint; the CAS decides */
		uint64_t runs = slot_runs(node_at_least(w, ENTRY_OPEN + child_order(l)), log);
		if (!runs) {
			if (l < t->root && entry_fits(tree_entry(t, l + 1, self), order))
				tree_settle(t, l + 1, self, false);
			return false;
		}
		unsigned slot = first_slot(runs);
		if (run_is(w, slot, log, ENTRY_FULL))
			return false;		/* came too late: walk again */
		merge_run(t, l, self, slot, log);
	}
}

/* --- the walk */

/*
 * One step down from node *@self of level @l: to the fullest child that can serve.
 * Return: false if there was none to go to, and what misled us is mended.
 */
static inline bool step_down(struct tree *t, unsigned order, unsigned l, uint32_t *self)
{
	struct node *n = &t->level[l][*self];
	/* The root's: pairs with T6, who raises an entry has raised those above. */
	uint64_t w = atom_load(&n->word), slots = node_at_least(w, ENTRY_OPEN + order);

	if (!slots) {
		/* The entry above promised too much. */
		if (l < t->root)
			tree_settle(t, l + 1, *self, false);
		return false;
	}
	unsigned slot = node_all_full(w) ? 0 : fill_fullest(n, slots), e = node_entry(w, slot);
	uint32_t c = *self * NODE_FANOUT + slot;

	*self = c;
	if (e == ENTRY_DIRTY)
		tree_settle(t, l, c, false);
	return e != ENTRY_DIRTY && (!entry_parked(e) || tree_open(t, l, c));
}

/*
 * From the root down to the node at @floor (0: the group) that promises @order.
 * Return: false if the root promises none (T1).
 */
static bool walk(struct tree *t, unsigned order, unsigned floor, uint32_t *found)
{
	unsigned l = t->root;
	uint32_t self = 0;

	while (l > floor) {
		if (step_down(t, order, l, &self)) {
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

static bool take_at(struct tree *t, unsigned l, uint32_t self, unsigned order, uint32_t *first)
{
	return l == 0 ? take_from_group(t, self, order, first)
		      : take_from_node(t, l, self, order, first);
}

/* The home, then its neighbours under the same node: most often that is enough. */
static bool take_near_home(struct tree *t, unsigned floor, unsigned order, uint32_t *first)
{
	uint32_t home;

	if (!home_get(t, floor, &home))
		return false;
	if (take_at(t, floor, home, order, first))
		return true;

	struct node *above = node_of_child(t, floor + 1, home);
	uint64_t slots = node_at_least(atom_load(&above->word), ENTRY_OPEN + order); /* a hint */
	while (slots) {
		unsigned slot = fill_fullest(above, slots);
		uint32_t c = (home & ~(NODE_FANOUT - 1)) + slot;

		if (c != home && tree_open(t, floor + 1, c) &&
		    take_at(t, floor, c, order, first)) {
			home_move(t, floor, c);
			return true;
		}
		slots &= ~((uint64_t)1 << slot * ENTRY_BITS);
	}
	return false;
}

static __attribute__((noinline)) bool take_elsewhere(struct tree *t, unsigned floor,
						     unsigned order, uint32_t *first)
{
	uint32_t self;

	if (floor > t->root)
		return false;
	if (floor == t->root)
		return take_at(t, floor, 0, order, first);
	if (take_near_home(t, floor, order, first))
		return true;
	if (!root_fits(t, order))
		return false;
	home_show(floor);
	while (walk(t, order, floor, &self))
		if (take_at(t, floor, self, order, first)) {
			home_move(t, floor, self);
			return true;
		}
	return false;
}

bool tree_take(struct tree *t, unsigned order, uint32_t *first)
{
	unsigned floor = order_level(order);
	uint32_t home;

	if (floor > 0 && home_get(t, floor, &home) &&
	    take_full_run(t, floor, home, order - child_order(floor), first))
		return true;
	return take_elsewhere(t, floor, order, first);
}

void tree_give(struct tree *t, uint32_t first, unsigned order)
{
	unsigned l = order_level(order);

	if (l == 0) {
		tree_give_bits(t, first >> GROUP_ORDER, run_mask(first & 63, order), 1u << order);
		return;
	}
	uint32_t c = first >> child_order(l);
	give_run(t, l, c / NODE_FANOUT, c % NODE_FANOUT, order - child_order(l));
}

/* --- one frame in particular */

/* Open what governs @frame from above.  Return: false if a block holds it, or a race was lost. */
static bool open_above(struct tree *t, uint32_t frame)
{
	for (unsigned l = t->root; l >= 1; l--) {
		uint32_t c = frame >> child_order(l);
		unsigned e = tree_entry(t, l, c);

		if (entry_parked(e) && (e == ENTRY_HELD || !tree_open(t, l, c)))
			return false;
	}
	return true;
}

bool tree_take_frame(struct tree *t, uint32_t frame)
{
	uint32_t group = frame >> GROUP_ORDER;
	uint64_t mask = (uint64_t)1 << frame % 64;

	for (unsigned tries = 0; tries < 8; tries++) {
		if (!open_above(t, frame))
			continue;
		uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
		if (!(bits & mask))
			return false;
		if (take_bits(t, group, bits, mask, 1))
			return true;
	}
	return false;
}
