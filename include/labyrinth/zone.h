/* SPDX-License-Identifier: MIT */
/* Zones: ranges of frames with one property. */
#pragma once

#include <stdint.h>

#include <labyrinth/frame.h>
#include <labyrinth/owner.h>

enum zone_id { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_COUNT };

#define ZONE_DMA_END   0x1000u		/* first frame not below 16 MiB */
#define ZONE_DMA32_END 0x100000u	/* first frame not below 4 GiB */

/* A snapshot; exact when nobody else is in the allocator (I3). */
struct zone_stats {
	uint64_t total;			/* frames of usable RAM that mm/ was given */
	uint64_t free;			/* of these free, caches included */
	uint64_t held;			/* in blocks with an owner, all states but free */
	uint64_t cached;		/* of the free ones, in per-CPU caches */
	uint64_t asleep;		/* of the free ones, never yet touched */
	uint64_t quarantined;		/* damaged, and never handed out: labyrinth/damage.h */
	uint64_t lent;			/* of the held ones, to devices */
	uint64_t contracted;		/* set aside by reserve contracts, not lent out */
	uint64_t min, low;		/* watermarks: only ATOMIC goes below min;
					 * below low nothing more is cached */
	uint64_t blocks[ORDER_COUNT];	/* free blocks by order, as merged as they get;
					 * cached frames are order 0 */
};

/* Context: any; O(size of the zone). */
void zone_stats(enum zone_id zone, struct zone_stats *out);

/**
 * zone_unusable() - how fragmented the free memory of a zone is
 * @s:     what zone_stats() said
 * @order: 0..ORDER_MAX
 *
 * The unusable free space index: of the free frames, the share in blocks too
 * small for @order.  Gorman and Whitcroft, "The What, The Why and the Where To
 * of Anti-Fragmentation", Ottawa Linux Symposium 2006, vol. 1.
 *
 * Context: any.
 * Return:  per mille, rounded down; 0 when nothing is free.
 */
unsigned zone_unusable(const struct zone_stats *s, unsigned order);

/* "DMA", "DMA32", "Normal".  Context: any. */
const char *zone_name(enum zone_id zone);
