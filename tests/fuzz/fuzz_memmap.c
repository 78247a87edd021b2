/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing memory maps (libFuzzer).  The first byte chooses: text for the parser
 * of the memmap program, or a sequence of memmap_add() and memmap_mark() calls,
 * whose result is compared piece by piece with all calls taken together.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <labyrinth/frame.h>
#include <labyrinth/memmap.h>
#include <tools/memmap/parse.h>
#include <tools/memmap/show.h>

#define CALLS 700u
#define TEETH 64u	/* of a comb: to fill the map with few bytes of input */

struct call {
	uint64_t start, last;	/* inclusive: the top has no exclusive end */
	enum mem_type type;
};
static struct call call[CALLS];
static size_t ncalls;

static struct memmap map;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "memmap: %s\n", what);
	abort();
}

/* The invariants that memmap.h states. */
static void check_sane(void)
{
	require(map.n <= MEMMAP_MAX, "more than MEMMAP_MAX ranges");
	for (size_t i = 0; i < map.n; i++) {
		const struct mem_range *r = &map.r[i];

		require(r->start < r->end, "a range is empty");
		require(r->type < MEM_TYPE_COUNT, "a type that does not exist");
		require(i == 0 || r[-1].end <= r->start, "not sorted, or not disjoint");
		require(i == 0 || r[-1].end < r->start || r[-1].type != r->type,
			"equal neighbours not joined");
	}
}

static void check_summary(void)
{
	struct memmap_summary s;

	memmap_summarize(&map, &s);
	require(s.usable_frames == s.dma_frames + s.dma32_frames + s.normal_frames,
		"the zones do not add up");
	require(s.usable_ranges <= map.n, "more usable ranges than ranges");
	require((s.usable_frames == 0) == (s.usable_ranges == 0), "frames in no range");
}

/* What all calls together say about one byte; MEM_TYPE_COUNT for a hole. */
static enum mem_type expected(uint64_t addr)
{
	enum mem_type type = MEM_TYPE_COUNT;

	for (size_t i = 0; i < ncalls; i++) {
		if (addr < call[i].start || addr > call[i].last)
			continue;
		if (type == MEM_TYPE_COUNT || type < call[i].type)
			type = call[i].type;
	}
	return type;
}

static void check_byte(uint64_t addr)
{
	bool hole;
	enum mem_type got = memmap_type_at(&map, addr, &hole), want = expected(addr);

	if (hole)
		got = MEM_TYPE_COUNT;
	/* The one byte that the map cannot tell from its neighbour; it may only be dead. */
	if (addr >= UINT64_MAX - 1 || map.overflow)
		require(got != MEM_USABLE || want == MEM_USABLE, "usable by accident");
	else
		require(got == want, "a byte has another type than the calls say");
}

static uint64_t take(const uint8_t **p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, *p, n);
	*p += n;
	return v;
}

static void add(uint64_t start, uint64_t len, enum mem_type type)
{
	uint64_t end = start + len;

	if (memmap_add(&map, start, end, type))
		call[ncalls++] = (struct call){ start, end - 1, type };
	else
		require(end <= start, "a good entry was dropped");
}

/* Twelve bytes: a range where maps have their corners, or a comb of them. */
static void one_call(const uint8_t *p)
{
	uint8_t kind = *p++, shift = *p++;
	uint64_t start = take(&p, 5) << (shift % 25), len = take(&p, 5) << (shift / 25 % 13);
	enum mem_type type = (enum mem_type)(kind % MEM_TYPE_COUNT);

	if (kind & 0x40)
		start = ~start;
	for (unsigned i = 0; i < (kind & 0x80 ? TEETH : 1); i++)
		add(start + i * (len + len / 2 + 1), len, type);
}

static void calls(const uint8_t *data, size_t size)
{
	ncalls = 0;
	memmap_init(&map);
	for (; size >= 12 && ncalls + TEETH <= CALLS; data += 12, size -= 12)
		one_call(data);
	check_sane();
	check_summary();
	for (size_t i = 0; i < ncalls; i += 1 + ncalls / 32) {
		check_byte(call[i].start);
		check_byte(call[i].start - 1);
		check_byte(call[i].last);
		check_byte(call[i].last + 1);
	}
}

/* Marks change usable bytes only, and whole frames of them. */
static void marks(const uint8_t *data, size_t size)
{
	static struct memmap before;

	if (size < 12)
		return;
	calls(data + 12, size - 12);
	before = map;

	enum mem_type type = (enum mem_type)(1 + data[0] % (MEM_TYPE_COUNT - 1));
	const uint8_t *p = data + 2;
	uint64_t start = take(&p, 5) << (data[1] % 25), len = take(&p, 5);
	bool hole, was_hole;

	memmap_mark(&map, start, start + len, type);
	check_sane();
	for (size_t i = 0; i < before.n && !map.overflow && len > 0; i++) {
		uint64_t addr = before.r[i].start;
		enum mem_type was = memmap_type_at(&before, addr, &was_hole);
		enum mem_type is = memmap_type_at(&map, addr, &hole);
		bool within = addr >> PAGE_SHIFT >= start >> PAGE_SHIFT &&
			      addr >> PAGE_SHIFT <= (start + len - 1) >> PAGE_SHIFT;

		require(hole == was_hole, "a mark filled a hole");
		require(is == (was == MEM_USABLE && within ? type : was),
			"a mark went too far or not far enough");
	}
}

static void text(const uint8_t *data, size_t size)
{
	struct parse_report report;
	bool good = parse_map((const char *)data, size, &map, &report);

	require(good == (report.error[0] == '\0'), "an error without a message, or the reverse");
	check_sane();
	check_summary();
	if (good) {
		show_people(&map, "fuzz");
		show_tsv(&map);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	require(freopen("/dev/null", "w", stdout) != NULL, "no /dev/null");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		calls(data + 1, size - 1);
		break;
	case 1:
		marks(data + 1, size - 1);
		break;
	default:
		text(data + 1, size - 1);
	}
	return 0;
}
