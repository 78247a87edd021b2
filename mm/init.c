/* SPDX-License-Identifier: MIT */
/* mm_init(): from a sane memory map to zones with trees, in three passes over the map. */
#include <labyrinth/string.h>

#include <labyrinth/panic.h>

#include "contract.h"
#include "mm_state.h"
#include "owner_count.h"
#include "word.h"

struct mm mm;

#define METADATA_ALIGN 4096u
#define EAGER_AREAS    32u	/* areas woken at boot, a zone: 64 MiB */

static const uint32_t zone_start[ZONE_COUNT + 1] = { 0, ZONE_DMA_END, ZONE_DMA32_END, UINT32_MAX };

/* Usable frames of range @r that belong to zone @z: [*first, *end).  Return: any? */
static bool frames_in_zone(const struct mem_range *r, enum zone_id z, uint64_t *first,
			   uint64_t *end)
{
	if (r->type != MEM_USABLE)
		return false;
	*first = (r->start + PAGE_SIZE - 1) >> PAGE_SHIFT;
	*end = r->end >> PAGE_SHIFT;
	if (*first < zone_start[z])
		*first = zone_start[z];
	if (*end > zone_start[z + 1])
		*end = zone_start[z + 1];
	return *first < *end;
}

/* --- pass 1: how much metadata, and where */

/* Where memory above 4 GiB begins, and how far that is from the end of what is below. */
static void size_gap(const struct memmap *map)
{
	uint64_t first = 0, end;
	uint32_t low = mm.zone[ZONE_DMA32].tree.nframes;

	for (size_t i = 0; i < map->n && !first; i++)
		if (!frames_in_zone(&map->r[i], ZONE_NORMAL, &first, &end))
			first = 0;
	if (!first)
		return;
	low = low ? (low + 511) & ~511u : ZONE_DMA_END;
	mm.high = (uint32_t)first & ~511u;
	mm.gap = mm.high - low;
}

static void size_zones(const struct memmap *map)
{
	uint64_t first, end;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		for (size_t i = 0; i < map->n; i++)
			if (frames_in_zone(&map->r[i], z, &first, &end)) {
				mm.zone[z].tree.nframes = (uint32_t)end;	/* for now */
				mm.end = (uint32_t)end;
			}
	mm.end = (mm.end + 511) & ~511u;	/* whole areas have words */
	size_gap(map);
}

/* The first frame of a zone's tree: aligned to the largest block, so that blocks are too. */
static uint32_t zone_base(enum zone_id z)
{
	const uint32_t largest = 1u << ORDER_MAX;

	return (z == ZONE_NORMAL ? mm.high : zone_start[z]) & ~(largest - 1);
}

static size_t words_bytes(void) { return (mm.end - mm.gap) * sizeof(atom64_t); }

static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static size_t awake_bytes(void) { return (mm.end / 64 + 63) / 64 * sizeof(uint64_t); }

static size_t ranges_bytes(const struct memmap *map)
{
	return (map->n + 2) * sizeof(struct frame_range);
}

static size_t metadata_bytes(size_t ranges)
{
	size_t n = aligned(words_bytes()) + aligned(awake_bytes());

	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (mm.zone[z].tree.nframes)
			n += aligned(tree_bytes(mm.zone[z].tree.nframes - zone_base(z))) +
			     aligned(ranges);
	return (n + METADATA_ALIGN - 1) & ~(size_t)(METADATA_ALIGN - 1);
}

/* --- pass 2: lay it out */

static void *carve(unsigned char **at, size_t bytes)
{
	void *p = *at;

	*at += aligned(bytes);
	return p;
}

static void lay_out(size_t ranges, unsigned char *at)
{
	mm.words = carve(&at, words_bytes());
	mm.awake = carve(&at, awake_bytes());
	memset(mm.awake, 0, awake_bytes());
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone *zone = &mm.zone[z];
		uint32_t span = zone->tree.nframes - zone_base(z);

		if (zone->tree.nframes == 0)
			continue;
		tree_init(&zone->tree, z, zone_base(z), span, carve(&at, tree_bytes(span)));
		zone->range = carve(&at, ranges);
		memset(zone->range, 0, ranges);
	}
}

/* --- pass 3: memory goes to sleep, but for the first areas */

static void populate(const struct memmap *map, enum zone_id z)
{
	struct zone *zone = &mm.zone[z];
	uint64_t first, end;

	for (size_t i = 0; i < map->n; i++) {
		if (!frames_in_zone(&map->r[i], z, &first, &end))
			continue;
		zone->range[zone->nranges++] = (struct frame_range){
			(uint32_t)(first - zone->tree.base), (uint32_t)(end - zone->tree.base)
		};
		zone->total += end - first;
	}
	atom_poke(&zone->cursor, zone->range[0].first >> AREA_ORDER);
	atom_poke(&zone->free, zone->total);
}

static void wake_first(struct zone *z)
{
	uint64_t left = (uint64_t)EAGER_AREAS << AREA_ORDER, n;
	uint32_t block;
	bool taken;

	do {
		unsigned order = 63 - (unsigned)__builtin_clzll(left);

		n = zone_wake(z, order, &block, &taken);
		if (taken)
			tree_give(&z->tree, block, order);
		left -= n;
	} while (n && left);
}

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
	return v < low ? low : v > high ? high : v;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_watermarks(struct zone *z)
{
	if (z->total == 0)
		return;
	z->min = clamp(z->total / 128, z->total < 64 ? 1 : 8, 4096);
	z->low = 3 * z->min;
	/*
	 * Blocks that go to and fro should seldom change a word that all CPUs read; but the more
	 * slack, the earlier zone_has() has to add the CPUs up.
	 */
	z->fold_at = (int64_t)clamp(larger(z->low, z->total / 256) / mm.ncpu, 64, 4096);
	z->slack = z->fold_at * mm.ncpu;
}

#define GAP_AREAS 1024u		/* holes up to 2 GiB in all are bridged */

/* Holes inside the hot zone get words that say so, and no longer end the window. */
static void bridge_gaps(struct zone *z)
{
	uint32_t bridged = 0;

	for (uint32_t i = 1; i < z->nranges; i++) {
		uint32_t area = (z->range[i - 1].end + 511) >> AREA_ORDER;

		while (area < z->range[i].first >> AREA_ORDER && bridged++ < GAP_AREAS)
			zone_bridge(z, area++);
	}
}

/* The highest zone, unless it has less than this part of the memory: low memory is scarce. */
#define HOT_SHARE 16u

static void choose_hot_zone(void)
{
	uint64_t total = 0;
	unsigned id = ZONE_COUNT - 1;

	for (unsigned i = 0; i < ZONE_COUNT; i++)
		total += mm.zone[i].total;
	while (mm.zone[id].total * HOT_SHARE < total)
		id--;

	struct zone *z = &mm.zone[id];
	uint32_t first = z->tree.base + (z->range[0].first & ~511u);
	mm.hot.first = first;
	mm.hot.base = frame_to_page((frame_t){ first });
	mm.hot.words = word_at(first);
	mm.hot_zone = z;
	for (unsigned i = 0; i < ZONE_COUNT; i++)
		if (mm.zone[i].total)
			mm.top_zone = &mm.zone[i];
	bridge_gaps(z);
	hot_grow();
}

void mm_reset(void)
{
	memset(&mm, 0, sizeof mm);
}

int mm_init(struct memmap *map, unsigned ncpu)
{
	mm_reset();
	mm.ncpu = ncpu;
	owner_reset_all();
	contract_reset_all();
	size_zones(map);

	/* Asked once: the metadata itself will split a range. */
	size_t ranges = ranges_bytes(map), bytes = metadata_bytes(ranges);
	uint64_t at = memmap_find(map, bytes, METADATA_ALIGN, 0, UINT64_MAX);
	if (mm.end == 0 || at == UINT64_MAX)
		return -1;
	memmap_mark(map, at, at + bytes, MEM_METADATA);
	mm.metadata_bytes = bytes;
	lay_out(ranges, directmap_of((phys_t){ at }));

	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (mm.zone[z].tree.nframes) {
			populate(map, z);
			set_watermarks(&mm.zone[z]);
			wake_first(&mm.zone[z]);
		}
	choose_hot_zone();
	return 0;
}
