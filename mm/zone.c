/* SPDX-License-Identifier: MIT */
/* Zones: watermarks, counting, and waking memory that has never been touched. */
#include "mm_state.h"

#include <labyrinth/string.h>

#include "retry.h"
#include "word.h"

const char *zone_name(enum zone_id zone)
{
	static const char *const names[ZONE_COUNT] = { "DMA", "DMA32", "Normal" };

	return zone < ZONE_COUNT ? names[zone] : "none";
}

/* --- counting */

void zone_fold(struct zone *z, int64_t d)
{
	size_t off = LOCAL_DELTA + z->tree.id * sizeof(uint64_t);

	/* In between the sum is too high, never too low: nobody is refused for it. */
	if (d < 0)
		local_add(off, -(uint64_t)d);
	atom_add(&z->free, (uint64_t)d);	/* pairs with zone_has(), zone_free() */
	if (d >= 0)
		local_add(off, -(uint64_t)d);
}

uint64_t zone_free(const struct zone *z)
{
	int64_t sum = (int64_t)atom_load(&z->free);	/* pairs with the folding */

	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		sum += (int64_t)local_peek(cpu, LOCAL_DELTA + z->tree.id * sizeof(uint64_t));
	return sum < 0 ? 0 : (uint64_t)sum;	/* a sum taken while others count may be off */
}

bool zone_has_exactly(const struct zone *z, uint64_t frames)
{
	return zone_free(z) >= frames;
}

/* --- waking: see zone_wake() in mm_state.h */

#define AREA_FRAMES ((uint64_t)1 << AREA_ORDER)

/* The sleeping part of range @i: it begins where the cursor stands, or later. */
static uint64_t sleep_start(const struct zone *z, uint64_t cursor, uint32_t i)
{
	uint64_t at = (uint64_t)(uint32_t)cursor * AREA_FRAMES;

	return z->range[i].first > at ? z->range[i].first : at;
}

uint64_t zone_asleep(const struct zone *z)
{
	/* Pairs with the CAS in zone_wake(); a snapshot, for counting. */
	uint64_t cursor = atom_load(&z->cursor), frames = 0;

	for (uint32_t i = (uint32_t)(cursor >> 32); i < z->nranges; i++)
		frames += z->range[i].end - sleep_start(z, cursor, i);
	return frames;
}

bool zone_sleeps(const struct zone *z, uint64_t first, uint64_t end, bool all)
{
	uint64_t cursor = atom_load(&z->cursor);	/* likewise */

	for (uint32_t i = (uint32_t)(cursor >> 32); i < z->nranges; i++) {
		uint64_t from = sleep_start(z, cursor, i), to = z->range[i].end;

		if (all ? from <= first && end <= to : from < end && first < to)
			return true;
	}
	return false;
}

/* The window reaches as far as areas are awake without a gap. */
void hot_grow(void)
{
	uint64_t n = atom_load(&mm.hot.frames);		/* pairs with the CAS below */
	uint64_t end = mm.hot_zone->tree.base + mm.hot_zone->tree.nframes;

	while (mm.hot.first + n < end && mm_awake((uint32_t)(mm.hot.first + n)))
		/* Pairs with every load of the window: who sees it grown sees the words. */
		if (atom_cas(&mm.hot.frames, &n, n + ((uint64_t)1 << AREA_ORDER)))
			n += (uint64_t)1 << AREA_ORDER;
}

/* Relaxed or plain: the words are the waker's until the awake bit publishes them. */
static void words_init(struct zone *z, uint32_t area, const uint64_t bits[NODE_FANOUT])
{
	const uint64_t reserved = word_held(PAGE_RESERVED, 0, OWNER_NONE);
	atom64_t *word = word_at(z->tree.base + (area << AREA_ORDER));

	memset(word, 0, AREA_FRAMES * sizeof *word);
	for (unsigned s = 0; s < NODE_FANOUT; s++, word += 64)
		for (unsigned i = 0; bits[s] != UINT64_MAX && i < 64; i++)
			if (!(bits[s] >> i & 1))
				atom_poke(&word[i], reserved);
}

static void area_wake(struct zone *z, uint32_t area, const uint64_t bits[NODE_FANOUT])
{
	uint32_t number = (z->tree.base >> AREA_ORDER) + area;
	atom64_t *word = &mm.awake[number / 64];
	uint64_t old = atom_load(word);		/* pairs with the CAS below */

	words_init(z, area, bits);
	tree_area_init(&z->tree, area, bits);
	/* Pairs with the load in mm_awake(): whoever sees the bit sees the words. */
	while (!atom_cas(word, &old, old | (uint64_t)1 << number % 64))
		retry_count(z->tree.id);
	if (z == mm.hot_zone)
		hot_grow();
	tree_area_publish(&z->tree, area);
	/* Pairs with enlist(): a page reported before its area woke is looked for now. */
	if (__builtin_expect(atom_load(&mm.ndamaged) != 0, 0))
		page_damaged_retry();
}

void zone_bridge(struct zone *z, uint32_t area)
{
	static const uint64_t none[NODE_FANOUT] = { 0 };

	area_wake(z, area, none);
}

/* Ones for the frames [first, end) among the 64 from @start. */
static uint64_t bits_between(uint64_t start, uint64_t first, uint64_t end)
{
	uint64_t from = first > start ? first - start : 0;
	uint64_t to = end < start + 64 ? end - start : 64;

	if (end <= start || from >= to)
		return 0;
	return UINT64_MAX >> (64 - (to - from)) << from;
}

/* The usable frames of an area, from range @i on; nearly always one range has it all. */
static void area_bits(const struct zone *z, uint32_t i, uint32_t area, uint64_t bits[NODE_FANOUT])
{
	uint64_t start = area * AREA_FRAMES, end = start + AREA_FRAMES;
	bool whole = i < z->nranges && z->range[i].first <= start && end <= z->range[i].end;

	for (unsigned s = 0; s < NODE_FANOUT; s++)
		bits[s] = whole ? UINT64_MAX : 0;
	if (whole)
		return;
	for (; i < z->nranges && z->range[i].first < end; i++)
		for (unsigned s = 0; s < NODE_FANOUT; s++)
			bits[s] |= bits_between(start + s * 64, z->range[i].first, z->range[i].end);
}

void zone_sleeping_bits(const struct zone *z, uint32_t area, uint64_t bits[NODE_FANOUT])
{
	uint32_t i = (uint32_t)(atom_load(&z->cursor) >> 32);	/* pairs with zone_wake() */

	while (i < z->nranges && z->range[i].end <= area * AREA_FRAMES)
		i++;
	area_bits(z, i, area, bits);
}

/* Where the cursor goes from area @at of range @i. */
static uint64_t next_area(const struct zone *z, uint32_t i, uint32_t at)
{
	uint32_t next = at + 1;

	while (i < z->nranges && z->range[i].end <= next * AREA_FRAMES)
		i++;
	if (i < z->nranges && z->range[i].first > next * AREA_FRAMES)
		next = z->range[i].first >> AREA_ORDER;
	return (uint64_t)i << 32 | next;
}

bool zone_wake(struct zone *z)
{
	uint64_t at = atom_load(&z->cursor), bits[NODE_FANOUT];

	do {
		if (at >> 32 >= z->nranges)
			return false;
		/* Pairs with itself: of two who saw the same area one claims it. */
	} while (!atom_cas(&z->cursor, &at, next_area(z, (uint32_t)(at >> 32), (uint32_t)at)) &&
		 retry_count(z->tree.id));
	area_bits(z, (uint32_t)(at >> 32), (uint32_t)at, bits);
	area_wake(z, (uint32_t)at, bits);
	return true;
}
