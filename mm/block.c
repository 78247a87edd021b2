/* SPDX-License-Identifier: MIT */
/* From absolute frame numbers to a zone's tree and back, with the counting. */
#include "block.h"

/* Wake enough that a block of @order may have formed. */
static void wake_for(struct zone *z, unsigned order)
{
	uint32_t areas = order > AREA_ORDER ? 1u << (order - AREA_ORDER) : 1;

	while (areas-- && zone_wake(z))
		;
}

bool zone_take(struct zone *z, unsigned order, uint32_t *frame)
{
	uint32_t first;

	for (;;) {
		/* Before the tree is looked at: see zone_spent(). */
		bool all = zone_all_awake(z);

		if (__builtin_expect(tree_take(&z->tree, order, &first), 1))
			break;
		if (all)
			return false;
		wake_for(z, order);
	}
	zone_count(z, -((int64_t)1 << order));
	*frame = z->tree.base + first;
	return true;
}

uint32_t zone_take_half(struct zone *z, uint32_t *first)
{
	uint32_t bits, half;

	for (;;) {
		bool all = zone_all_awake(z);	/* as above */

		bits = tree_take_some(&z->tree, &half);
		if (bits)
			break;
		if (all)
			return 0;
		zone_wake(z);
	}
	zone_count(z, -(int64_t)bits_count_few(bits));
	*first = z->tree.base + half * 32;
	return bits;
}
