/* SPDX-License-Identifier: MIT */
/* Level 0 of the tree: the 64 bits of a group, taken and given; tree.h has the rules. */
#include "tree.h"

#include <labyrinth/panic.h>

#include "fill.h"
#include "home.h"
#include "retry.h"

/* T4 for a group that is not to be merged, without its code where that is no news for certain. */
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
	tree_given(t, 1, group, bits_code(bits), false);
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
	if (bits == UINT64_MAX && !home_is(t, 0, group))
		tree_settle(t, 1, group, true);
	else
		bits_given(t, group, bits, mask);
	fill_changed(t, group, (int)n, bits, false);
}

/* T3: the entry does not say all.  Return: does the take of @mask count?  Else it is undone. */
static __attribute__((noinline)) bool late_bits(struct tree *t, uint32_t group, uint64_t bits,
						uint64_t mask)
{
	if (tree_taken(t, 1, group, bits))
		return true;
	/* Put back what we took and nothing else; pairs as any gift. */
	while (!atom_cas(&t->bits[group], &bits, bits | mask))
		retry_count(t->id);
	tree_given(t, 1, group, bits_code(bits | mask), (bits | mask) == UINT64_MAX);
	return false;
}

/*
 * Take @mask out of @bits as just read.  @strike: if nothing is left, the group is struck off,
 * be it home or not.  @moves: home moves there if the take counts.  Return: does it?
 */
static INLINE bool take_bits(struct tree *t, uint32_t group, uint64_t bits, uint64_t mask,
			     unsigned n, bool strike, bool moves)
{
	/* Pairs with the giver's CAS.  Then T3: take, then look at the entry. */
	if (!atom_cas(&t->bits[group], &bits, bits & ~mask)) {
		retry_count(t->id);
		return false;
	}
	bits &= ~mask;
	if (!entry_half(tree_entry(t, 1, group), GROUP_ORDER) && !late_bits(t, group, bits, mask))
		return false;
	if (bits == 0) {
		if (strike)
			tree_lower(t, 1, group, 0);
		else
			tree_exhausted(t, 1, group);
	}
	fill_changed(t, group, -(int)n, bits, moves);
	return true;
}

/* As group_take_once(). */
static INLINE enum took take_once(struct tree *t, uint32_t group, unsigned order, bool moves,
				  uint32_t *first)
{
	unsigned e = tree_entry(t, 1, group);

	/* What has been given is promised (T4). */
	if (!entry_fits(e, order) || (e == ENTRY_FULL && !tree_open(t, 1, group)))
		return TOOK_NONE;

	uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
	int run = bits_run(bits, order);
	if (run < 0) {
		tree_lower(t, 1, group, order);
		return TOOK_NONE;
	}
	*first = (group << GROUP_ORDER) + (uint32_t)run;
	return take_bits(t, group, bits, run_mask((unsigned)run, order), 1u << order, false,
			 moves) ? TOOK : TOOK_LOST;
}

enum took group_take_once(struct tree *t, uint32_t group, unsigned order, uint32_t *first)
{
	return take_once(t, group, order, false, first);
}

bool group_take(struct tree *t, uint32_t group, unsigned order, uint32_t *first)
{
	enum took took;

	do
		/* Home does not move to a group that is taken in pieces. */
		took = take_once(t, group, order, order < GROUP_ORDER, first);
	while (took == TOOK_LOST);
	return took == TOOK;
}

bool tree_take_at_home(struct tree *t, uint32_t *frame)
{
	uint32_t group;

	if (!home_get(t, 0, &group) || entry_parked(tree_entry(t, 1, group)))
		return false;
	uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
	if (bits == 0)
		return false;
	*frame = (group << GROUP_ORDER) + (uint32_t)__builtin_ctzll(bits);
	return take_bits(t, group, bits, bits & -bits, 1, true, false);
}

uint32_t group_take_half(struct tree *t, uint32_t group, bool moves, uint32_t *half)
{
	for (;;) {
		unsigned e = tree_entry(t, 1, group);
		if (entry_parked(e) && !(e != ENTRY_HELD && tree_open(t, 1, group)))
			return 0;

		uint64_t bits = atom_load(&t->bits[group]);	/* as in tree_give_bits() */
		if (bits == 0) {
			if (e != ENTRY_NONE)
				tree_lower(t, 1, group, 0);
			return 0;
		}
		unsigned up = (uint32_t)bits ? 0 : 1;
		uint64_t mask = bits & (uint64_t)UINT32_MAX << 32 * up;
		*half = group * 2 + up;
		if (take_bits(t, group, bits, mask, bits_count((uint32_t)(mask >> 32 * up)),
			      true, moves))
			return (uint32_t)(mask >> 32 * up);
	}
}

/* --- one frame in particular */

/*
 * Open what governs @frame from above.  Return: false if a block holds it, if nothing is
 * promised, or a race was lost.  Where an entry is NONE the frame may be waking: its bit may
 * be there before its group is, and is not to be taken then (tree_groups_add()).
 */
static bool open_above(struct tree *t, uint32_t frame)
{
	for (unsigned l = t->root; l >= 1; l--) {
		uint32_t c = frame >> child_order(l);
		unsigned e = tree_entry(t, l, c);

		if (e < ENTRY_OPEN || (e == ENTRY_FULL && !tree_open(t, l, c)))
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
		if (take_bits(t, group, bits, mask, 1, false, false))
			return true;
	}
	return false;
}
