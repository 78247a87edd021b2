/* SPDX-License-Identifier: MIT */
/* How fragmented free memory is. */
#include <labyrinth/zone.h>

unsigned zone_unusable(const struct zone_stats *s, unsigned order)
{
	uint64_t all = 0, small = 0;

	/* All from the blocks themselves: a snapshot's sum may differ from its count of frames. */
	for (unsigned k = 0; k < ORDER_COUNT; k++) {
		all += s->blocks[k] << k;
		small += k < order ? s->blocks[k] << k : 0;
	}
	return all ? (unsigned)(small * 1000 / all) : 0;
}
