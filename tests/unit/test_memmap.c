/* SPDX-License-Identifier: MIT */
/*
 * The memory map against a naive oracle: an array with one type for each unit
 * of a small window, that can lie anywhere in the address space.
 */
#include <labyrinth/frame.h>
#include <labyrinth/memmap.h>
#include <labyrinth/zone.h>

#include "../test.h"

#define SUITE "memmap"

#define UNITS   8192u
#define ENTRIES 160u
#define HOLE    0xffu
#define MiB     0x100000ull
#define GiB     0x40000000ull

static struct memmap map, other;	/* static: too large for a kernel stack */
static uint8_t oracle[UNITS];

struct entry {
	uint32_t from, to;		/* units */
	enum mem_type type;
};
static struct entry entry[ENTRIES];

/* A window of UNITS units of @unit bytes from @base. */
struct window {
	uint64_t base, unit;
};

static uint64_t at(const struct window *w, uint32_t unit)
{
	return w->base + unit * w->unit;	/* 0 when it ends at the top */
}

/* The invariants that memmap.h states. */
static bool sane(const struct memmap *m)
{
	if (m->n > MEMMAP_MAX)
		return false;
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->r[i];

		if (r->start >= r->end || r->type >= MEM_TYPE_COUNT)
			return false;
		if (i > 0 && r[-1].end > r->start)
			return false;
		if (i > 0 && r[-1].end == r->start && r[-1].type == r->type)
			return false;
	}
	return true;
}

static bool equal(const struct memmap *a, const struct memmap *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->r[i].start != b->r[i].start || a->r[i].end != b->r[i].end ||
		    a->r[i].type != b->r[i].type)
			return false;
	}
	return true;
}

static void oracle_clear(void)
{
	for (uint32_t u = 0; u < UNITS; u++)
		oracle[u] = HOLE;
}

static void oracle_add(const struct entry *e)
{
	for (uint32_t u = e->from; u < e->to; u++) {
		if (oracle[u] == HOLE || oracle[u] < e->type)
			oracle[u] = (uint8_t)e->type;
	}
}

static uint8_t map_unit(const struct window *w, uint32_t unit)
{
	bool hole;
	enum mem_type first = memmap_type_at(&map, at(w, unit), &hole);
	uint8_t answer = hole ? HOLE : (uint8_t)first;
	enum mem_type last = memmap_type_at(&map, at(w, unit) + w->unit - 1, &hole);

	EXPECT_EQ(answer, hole ? HOLE : (uint8_t)last);
	return answer;
}

/* Count frames of which every unit is usable, and maximal runs of them. */
static struct memmap_summary oracle_summary(const struct window *w)
{
	struct memmap_summary s = { 0 };
	uint32_t units = w->unit < PAGE_SIZE ? (uint32_t)(PAGE_SIZE / w->unit) : 1;
	uint64_t frames = w->unit < PAGE_SIZE ? 1 : w->unit / PAGE_SIZE;
	bool before = false;

	for (uint32_t u = 0; u < UNITS; u += units) {
		uint64_t first = at(w, u) >> PAGE_SHIFT;
		bool whole = true;

		for (uint32_t k = 0; k < units; k++)
			whole = whole && oracle[u + k] == MEM_USABLE;
		for (uint64_t f = first; whole && f < first + frames; f++) {
			s.usable_frames++;
			s.dma_frames += f < ZONE_DMA_END;
			s.dma32_frames += f >= ZONE_DMA_END && f < ZONE_DMA32_END;
			s.normal_frames += f >= ZONE_DMA32_END;
			s.highest_usable = (f << PAGE_SHIFT) + PAGE_SIZE - 1;
		}
		s.usable_ranges += whole && !before;
		before = whole;
	}
	return s;
}

static void expect_summary(const struct memmap_summary *want)
{
	struct memmap_summary got;

	memmap_summarize(&map, &got);
	EXPECT_EQ(got.usable_frames, want->usable_frames);
	EXPECT_EQ(got.dma_frames, want->dma_frames);
	EXPECT_EQ(got.dma32_frames, want->dma32_frames);
	EXPECT_EQ(got.normal_frames, want->normal_frames);
	EXPECT_EQ(got.usable_ranges, want->usable_ranges);
	EXPECT_EQ(got.highest_usable, want->highest_usable);
}

/* Windows at the ends of the address space and across the zones' borders. */
static struct window random_window(void)
{
	static const uint64_t unit[] = { 1, 512, 4096, 16384 };
	struct window w = { 0, unit[test_random_below(4)] };
	uint64_t half = UNITS / 2 * w.unit;

	switch (test_random_below(4)) {
	case 0:
		break;
	case 1:
		w.base = (uint64_t)ZONE_DMA_END * PAGE_SIZE - (half < 16 * MiB ? half : 0);
		break;
	case 2:
		w.base = (uint64_t)ZONE_DMA32_END * PAGE_SIZE - half;
		break;
	default:
		/* The last two bytes go together (memmap_add()): they have tests of their own. */
		if (w.unit == 1)
			w.unit = 512;
		w.base = 0 - UNITS * w.unit;
	}
	return w;
}

static size_t random_entries(uint32_t longest)
{
	size_t n = 1 + test_random_below(ENTRIES);
	uint32_t ntypes = 2 + (uint32_t)test_random_below(MEM_TYPE_COUNT - 1);

	for (size_t i = 0; i < n; i++) {
		uint32_t from = (uint32_t)test_random_below(UNITS);
		uint32_t len = 1 + (uint32_t)test_random_below(longest);
		uint64_t type = test_random_below(ntypes);

		entry[i].from = from;
		entry[i].to = len < UNITS - from ? from + len : UNITS;
		entry[i].type = type < MEM_TYPE_COUNT ? (enum mem_type)type : MEM_USABLE;
	}
	return n;
}

static void shuffle(size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = test_random_below(i);
		struct entry e = entry[k];

		entry[k] = entry[i - 1];
		entry[i - 1] = e;
	}
}

static void add_entries(struct memmap *m, const struct window *w, size_t n)
{
	memmap_init(m);
	for (size_t i = 0; i < n; i++) {
		uint64_t from = at(w, entry[i].from);

		/* The very last byte of the address space alone is never usable. */
		EXPECT(memmap_add(m, from, at(w, entry[i].to), entry[i].type) ||
		       (from == UINT64_MAX && entry[i].type == MEM_USABLE));
	}
}

TEST(agrees_with_the_oracle)
{
	for (int round = 0; round < 60; round++) {
		struct window w = random_window();
		size_t n = random_entries(round % 2 ? UNITS / 4 : 100);

		oracle_clear();
		for (size_t i = 0; i < n; i++)
			oracle_add(&entry[i]);
		add_entries(&map, &w, n);
		ASSERT(sane(&map));
		ASSERT(!map.overflow);
		for (uint32_t u = 0; u < UNITS; u++) {
			if (map_unit(&w, u) != oracle[u]) {
				test_note("unit %u of base %#llx, unit size %llu", u,
					  (unsigned long long)w.base,
					  (unsigned long long)w.unit);
				ASSERT(map_unit(&w, u) == oracle[u]);
			}
		}
		struct memmap_summary want = oracle_summary(&w);

		expect_summary(&want);
	}
}

TEST(order_does_not_matter)
{
	for (int round = 0; round < 100; round++) {
		struct window w = random_window();
		size_t n = random_entries(UNITS / 8);

		add_entries(&map, &w, n);
		shuffle(n);
		add_entries(&other, &w, n);
		ASSERT(equal(&map, &other));
	}
}

TEST(joins_equal_neighbours)
{
	memmap_init(&map);
	memmap_add(&map, 0x3000, 0x4000, MEM_USABLE);
	memmap_add(&map, 0x1000, 0x2000, MEM_USABLE);
	EXPECT_EQ(map.n, 2);
	memmap_add(&map, 0x2000, 0x3000, MEM_USABLE);
	EXPECT_EQ(map.n, 1);
	EXPECT_EQ(map.r[0].start, 0x1000);
	EXPECT_EQ(map.r[0].end, 0x4000);
}

/* Joined first and rounded then: the frame between two halves is whole. */
TEST(rounds_after_joining)
{
	struct memmap_summary want = { .usable_frames = 3, .dma_frames = 3,
				       .usable_ranges = 1, .highest_usable = 0x3fff };

	memmap_init(&map);
	memmap_add(&map, 0x0800, 0x2800, MEM_USABLE);
	memmap_add(&map, 0x2800, 0x4fff, MEM_USABLE);
	expect_summary(&want);
}

TEST(one_byte_of_another_type_costs_a_frame)
{
	struct memmap_summary want = { .usable_frames = 14, .dma_frames = 14,
				       .usable_ranges = 2, .highest_usable = 0xefff };

	memmap_init(&map);
	memmap_add(&map, 0x7fff, 0x8000, MEM_ACPI_NVS);
	memmap_add(&map, 0, 0x10000, MEM_USABLE);
	memmap_add(&map, 0xffff, 0x20000, MEM_RESERVED);
	EXPECT_EQ(map.n, 4);
	expect_summary(&want);
}

TEST(drops_empty_and_wrapping)
{
	memmap_init(&map);
	EXPECT(!memmap_add(&map, 0, 0, MEM_USABLE));
	EXPECT(!memmap_add(&map, 0x5000, 0x5000, MEM_RESERVED));
	EXPECT(!memmap_add(&map, 0x5000, 0x4000, MEM_USABLE));
	EXPECT_EQ(map.dropped, 3);
	EXPECT_EQ(map.n, 0);
}

TEST(reaches_the_top)
{
	struct memmap_summary want = { .usable_frames = 2, .normal_frames = 2,
				       .usable_ranges = 1, .highest_usable = UINT64_MAX };
	bool hole;

	memmap_init(&map);
	EXPECT(memmap_add(&map, 0ull - 0x2000, 0, MEM_USABLE));
	expect_summary(&want);
	EXPECT_EQ(memmap_type_at(&map, UINT64_MAX, &hole), MEM_USABLE);
	EXPECT(!hole);
	EXPECT(memmap_add(&map, UINT64_MAX, 0, MEM_RESERVED));
	EXPECT_EQ(memmap_type_at(&map, UINT64_MAX, &hole), MEM_RESERVED);
	want.usable_frames = want.normal_frames = 1;
	want.highest_usable = UINT64_MAX - PAGE_SIZE;
	expect_summary(&want);
}

/* All but the last byte: the last frame is not whole, and the byte is a hole. */
TEST(stops_short_of_the_top)
{
	bool hole;

	memmap_init(&map);
	EXPECT(memmap_add(&map, 0ull - 0x2000, UINT64_MAX, MEM_USABLE));
	memmap_type_at(&map, UINT64_MAX, &hole);
	EXPECT(hole);
	EXPECT_EQ(memmap_type_at(&map, UINT64_MAX - 0x1000, &hole), MEM_USABLE);
	struct memmap_summary want = { .usable_frames = 1, .normal_frames = 1,
				       .usable_ranges = 1,
				       .highest_usable = UINT64_MAX - PAGE_SIZE };
	expect_summary(&want);
}

TEST(holds_a_full_map)
{
	memmap_init(&map);
	for (uint64_t i = 0; i < MEMMAP_MAX; i++)
		memmap_add(&map, i * 0x2000, i * 0x2000 + 0x1000, MEM_USABLE);
	EXPECT(sane(&map));
	EXPECT_EQ(map.n, MEMMAP_MAX);
	EXPECT(!map.overflow);
	memmap_add(&map, 0x800, 0x900, MEM_RESERVED);
	EXPECT(sane(&map));
	EXPECT(map.overflow);
}

/* Whatever an overflowing map calls usable, every entry before and after agrees. */
TEST(overflow_makes_dead_memory_only)
{
	for (int round = 0; round < 3; round++) {
		struct window w = { round == 2 ? 0 - UNITS * 4096ull : 0, 4096 };
		uint64_t usable = 0, kept = 0;

		oracle_clear();
		memmap_init(&map);
		for (int batch = 0; batch < 12; batch++) {
			size_t n = random_entries(8);

			for (size_t i = 0; i < n; i++) {
				oracle_add(&entry[i]);
				memmap_add(&map, at(&w, entry[i].from), at(&w, entry[i].to),
					   entry[i].type);
			}
		}
		EXPECT(sane(&map));
		for (uint32_t u = 0; u < UNITS; u++) {
			usable += oracle[u] == MEM_USABLE;
			if (map_unit(&w, u) != MEM_USABLE)
				continue;
			kept++;
			ASSERT(oracle[u] == MEM_USABLE);
		}
		test_note("%llu of %llu usable units kept, overflow %d",
			  (unsigned long long)kept, (unsigned long long)usable, map.overflow);
	}
}

/* The large ranges survive when hundreds of small ones overflow the map. */
TEST(overflow_gives_up_the_smallest)
{
	bool hole;

	memmap_init(&map);
	memmap_add(&map, 4 * GiB, 8 * GiB, MEM_USABLE);
	for (uint64_t i = 0; i < 2 * MEMMAP_MAX; i++)
		memmap_add(&map, i * 0x3000, i * 0x3000 + 0x1000 + i, MEM_USABLE);
	EXPECT(map.overflow);
	EXPECT(sane(&map));
	EXPECT_EQ(memmap_type_at(&map, 4 * GiB, &hole), MEM_USABLE);
	EXPECT_EQ(memmap_type_at(&map, 8 * GiB - 1, &hole), MEM_USABLE);
	for (uint64_t i = 0; i < 2 * MEMMAP_MAX; i++)
		EXPECT(memmap_type_at(&map, i * 0x3000 + 0x2fff, &hole) != MEM_USABLE || hole);
}

/* Two dead neighbours cost nothing, so they go first, under the stronger name. */
TEST(overflow_merges_dead_ends_first)
{
	bool hole;

	memmap_init(&map);
	memmap_add(&map, 0x1000, 0x2000, MEM_ACPI_NVS);
	memmap_add(&map, 0x2000, 0x3000, MEM_BAD);
	for (uint64_t i = 2; i <= MEMMAP_MAX; i++)
		memmap_add(&map, i * 0x2000, i * 0x2000 + 0x1000, MEM_USABLE);
	EXPECT(map.overflow);
	EXPECT_EQ(map.n, MEMMAP_MAX);
	EXPECT_EQ(memmap_type_at(&map, 0x1000, &hole), MEM_BAD);
	EXPECT_EQ(memmap_type_at(&map, 0x2fff, &hole), MEM_BAD);
	EXPECT_EQ(memmap_type_at(&map, 0x4000, &hole), MEM_USABLE);
}

TEST(mark_rounds_outward)
{
	bool hole;

	memmap_init(&map);
	memmap_add(&map, 0, 0x10000, MEM_USABLE);
	memmap_add(&map, 0x4000, 0x5000, MEM_ACPI_NVS);
	memmap_mark(&map, 0x2fff, 0x5001, MEM_KERNEL);
	EXPECT_EQ(memmap_type_at(&map, 0x1fff, &hole), MEM_USABLE);
	EXPECT_EQ(memmap_type_at(&map, 0x2000, &hole), MEM_KERNEL);
	EXPECT_EQ(memmap_type_at(&map, 0x4000, &hole), MEM_ACPI_NVS);
	EXPECT_EQ(memmap_type_at(&map, 0x5fff, &hole), MEM_KERNEL);
	EXPECT_EQ(memmap_type_at(&map, 0x6000, &hole), MEM_USABLE);
	EXPECT(sane(&map));
}

TEST(mark_leaves_the_rest)
{
	bool hole;

	memmap_init(&map);
	memmap_add(&map, 0x1000, 0x2000, MEM_USABLE);
	memmap_add(&map, 0x5000, 0x6000, MEM_USABLE);
	memmap_mark(&map, 0x1800, 0x1800, MEM_BAD);
	memmap_mark(&map, 0x2000, 0x1000, MEM_BAD);
	EXPECT_EQ(map.r[0].type, MEM_USABLE);
	memmap_mark(&map, 0, UINT64_MAX, MEM_LIMITED);
	EXPECT_EQ(map.n, 2);
	EXPECT_EQ(map.r[0].type, MEM_LIMITED);
	EXPECT_EQ(map.r[1].type, MEM_LIMITED);
	memmap_type_at(&map, 0x3000, &hole);
	EXPECT(hole);
}

TEST(find_takes_the_highest_that_fits)
{
	memmap_init(&map);
	memmap_add(&map, 0x1000, 0x9000, MEM_USABLE);
	memmap_add(&map, 0x10000, 0x12800, MEM_USABLE);
	memmap_add(&map, 0x20000, 0x30000, MEM_RESERVED);
	EXPECT_EQ(memmap_find(&map, 0x1000, 0x1000, 0, UINT64_MAX), 0x11000);
	EXPECT_EQ(memmap_find(&map, 0x2800, 1, 0, UINT64_MAX), 0x10000);
	EXPECT_EQ(memmap_find(&map, 0x2801, 1, 0, UINT64_MAX), 0x9000 - 0x2801);
	EXPECT_EQ(memmap_find(&map, 0x1000, 0x8000, 0, UINT64_MAX), 0x10000);
	EXPECT_EQ(memmap_find(&map, 0x1000, 0x1000, 0, 0x11fff), 0x10000);
	EXPECT_EQ(memmap_find(&map, 0x1000, 0x1000, 0x11001, UINT64_MAX), UINT64_MAX);
	EXPECT_EQ(memmap_find(&map, 0x9000, 0x1000, 0, UINT64_MAX), UINT64_MAX);
	EXPECT_EQ(memmap_find(&map, 0, 1, 0, UINT64_MAX), UINT64_MAX);
}

TEST(firmware_types)
{
	EXPECT_EQ(mem_type_from_e820(1), MEM_USABLE);
	EXPECT_EQ(mem_type_from_e820(3), MEM_ACPI_RECLAIM);
	EXPECT_EQ(mem_type_from_e820(4), MEM_ACPI_NVS);
	EXPECT_EQ(mem_type_from_e820(5), MEM_BAD);
	for (uint32_t t = 6; t < 300; t++)
		EXPECT_EQ(mem_type_from_e820(t), MEM_RESERVED);
	EXPECT_EQ(mem_type_from_e820(0), MEM_RESERVED);
	EXPECT_EQ(mem_type_from_e820(UINT32_MAX), MEM_RESERVED);
	for (unsigned t = 0; t < MEM_TYPE_COUNT; t++)
		EXPECT(mem_type_name((enum mem_type)t) != NULL);
}
