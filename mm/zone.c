/* SPDX-License-Identifier: MIT */
/* Zones: their names, and how many frames are free. */
#include "mm_state.h"

const char *zone_name(enum zone_id zone)
{
	static const char *const names[ZONE_COUNT] = { "DMA", "DMA32", "Normal" };

	return zone < ZONE_COUNT ? names[zone] : "none";
}

/* --- counting */

void zone_fold(struct zone *z, int64_t d)
{
	size_t off = LOCAL_DELTA + z->tree.id * sizeof(uint64_t);

	do {
		/* In between the sum is too high, never too low: nobody is refused for it. */
		if (d < 0)
			local_add(off, -(uint64_t)d);
		atom_add(&z->free, (uint64_t)d);	/* pairs with zone_has(), zone_free() */
		if (d >= 0)
			local_add(off, -(uint64_t)d);
		/* What an interrupt has folded meanwhile, too, is taken back. */
		d = (int64_t)local_load(off);
	} while (d > z->fold_at || d < -z->fold_at);
}

static inline uint64_t sum(const struct zone *z)
{
	int64_t sum = (int64_t)atom_load(&z->free);	/* pairs with the folding */

	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		sum += (int64_t)local_peek(cpu, LOCAL_DELTA + z->tree.id * sizeof(uint64_t));
	return sum < 0 ? 0 : (uint64_t)sum;	/* a sum taken while others count may be off */
}

uint64_t zone_free(const struct zone *z)
{
	return sum(z);
}

bool zone_has_exactly(const struct zone *z, uint64_t frames)
{
	return sum(z) >= frames;
}
