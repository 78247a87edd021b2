/* SPDX-License-Identifier: MIT */
/* From absolute frame numbers to a zone's tree and back, with the counting. */
#include "block.h"

/* Wake enough that a block of @order may have formed. */
static bool wake_for(struct zone *z, unsigned order)
{
	uint32_t areas = order > AREA_ORDER ? 1u << (order - AREA_ORDER) : 1;
	bool any = false;

	while (areas-- && zone_wake(z))
		any = true;
	return any;
}

bool zone_take(struct zone *z, unsigned order, uint32_t *frame)
{
	uint32_t first;

	while (__builtin_expect(!tree_take(&z->tree, order, &first), 0))
		if (!wake_for(z, order))
			return false;
	zone_count(z, -((int64_t)1 << order));
	*frame = z->tree.base + first;
	return true;
}

uint32_t zone_take_half(struct zone *z, uint32_t *first)
{
	uint32_t bits, half;

	do {
		bits = tree_take_some(&z->tree, &half);
	} while (!bits && zone_wake(z));
	if (bits) {
		zone_count(z, -(int64_t)bits_count_few(bits));
		*first = z->tree.base + half * 32;
	}
	return bits;
}
