/* SPDX-License-Identifier: MIT */
/* From absolute frame numbers to a zone's tree and back, with the counting. */
#include "block.h"

#include "home.h"

/*
 * Of a group that has just been woken a block of @order into *block, the rest into the tree.
 * Return: false if it has no such block; then all of it is in the tree.
 */
static bool take_fresh(struct zone *z, uint32_t group, uint64_t bits, unsigned order,
		       uint32_t *block)
{
	int run = bits_run(bits, order);
	unsigned n = bits_count_group(bits);

	if (run >= 0) {
		*block = (group << GROUP_ORDER) + (uint32_t)run;
		bits &= ~run_mask((unsigned)run, order);
		n -= 1u << order;
	}
	if (bits) {
		home_move(&z->tree, 0, group);
		tree_give_bits(&z->tree, group, bits, n);
	}
	return run >= 0;
}

/*
 * Wake memory, because the tree has no block of @order: then it has, or *taken is true and
 * *block is one.  Return: false if nothing sleeps that could be claimed.
 */
static bool wake_for(struct zone *z, unsigned order, uint32_t *block, bool *taken)
{
	const uint64_t enough = (uint64_t)1 << order;
	uint64_t sum = 0, some, bits;
	uint32_t group;

	if (order < GROUP_ORDER) {
		if (!zone_wake_group(z, &group, &bits))
			return false;
		*taken = take_fresh(z, group, bits, order, block);
		return true;
	}
	do {
		some = zone_wake(z, order, block, taken);
		sum += some;
	} while (some && sum < enough && !*taken);
	return sum != 0;
}

bool zone_take(struct zone *z, unsigned order, uint32_t *frame)
{
	bool taken = false;
	uint32_t first;

	while (!taken) {
		/* Before the tree is looked at: see zone_spent(), and Z3 in wake.c. */
		uint64_t before = atom_load(&z->cursor);

		if (!tree_spent(&z->tree) && tree_take(&z->tree, order, &first))
			break;
		if (cursor_all_awake(z, before))
			return false;
		if (wake_for(z, order, &first, &taken))
			continue;
		/* What sleeps is in others' hands: the tree's answer counts if it was all along. */
		if (tree_take(&z->tree, order, &first))
			break;
		if (atom_load(&z->cursor) == before)
			return false;
	}
	zone_count(z, -((int64_t)1 << order));
	*frame = z->tree.base + first;
	return true;
}

/* The frames of a group that was asleep: low ones in the lower half of the word. */
static uint64_t take_group(struct zone *z, uint32_t *first)
{
	uint64_t bits;
	uint32_t group;

	if (!zone_wake_group(z, &group, &bits) || bits == 0)
		return 0;
	zone_count(z, -(int64_t)bits_count_group(bits));
	*first = z->tree.base + (group << GROUP_ORDER);
	return bits;
}

uint64_t zone_take_some(struct zone *z, uint32_t *first)
{
	uint32_t half, bits = tree_take_some(&z->tree, &half);

	if (!bits)
		return zone_all_awake(z) ? 0 : take_group(z, first);
	zone_count(z, -(int64_t)bits_count_few(bits));
	*first = z->tree.base + half * 32;
	return bits;
}
