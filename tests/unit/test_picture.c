/* SPDX-License-Identifier: MIT */
/* The picture of memory: one in full, and the shape of very many. */
#include "tests/test.h"

#include <labyrinth/memmap.h>
#include <labyrinth/string.h>

#include "kernel/picture.h"
#include "kernel/size_text.h"

#define SUITE "picture"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static struct boot_info bi;

static struct {
	char text[16384];
	size_t n;
} drawn;

static void collect(const char *s, size_t n)
{
	for (size_t i = 0; i < n && drawn.n < sizeof(drawn.text) - 1; i++)
		drawn.text[drawn.n++] = s[i];
	drawn.text[drawn.n] = '\0';
}

static const char *draw(bool plain)
{
	drawn.n = 0;
	picture_draw(&bi, plain, collect);
	return drawn.text;
}

/* A PC of 8 GiB, 2 of them below 4. */
static void make_pc(void)
{
	struct memmap *m = &bi.map;

	memset(&bi, 0, sizeof(bi));
	memcpy(bi.loader, "GRUB 2.06", sizeof("GRUB 2.06"));
	memmap_init(m);
	memmap_add(m, 0, GIB(2) - KIB(132), MEM_USABLE);
	memmap_add(m, GIB(2) - KIB(132), GIB(2), MEM_RESERVED);
	memmap_add(m, 0xb0000000, 0xc0000000, MEM_RESERVED);
	memmap_add(m, GIB(4), GIB(10), MEM_USABLE);
	memmap_mark(m, 0, KIB(640), MEM_FIRMWARE);
	memmap_add(m, KIB(640), MIB(1), MEM_FIRMWARE);
	memmap_mark(m, MIB(1), MIB(1) + KIB(900), MEM_KERNEL);
	memmap_mark(m, MIB(8), MIB(8) + KIB(4), MEM_METADATA);
	memmap_mark(m, MIB(9), MIB(9) + KIB(700), MEM_BOOT);
	memmap_mark(m, GIB(1), GIB(1) + KIB(4), MEM_BAD);
	memmap_mark(m, GIB(6) + MIB(1), GIB(6) + MIB(2), MEM_ACPI_NVS);
	memmap_mark(m, GIB(9), GIB(10), MEM_LIMITED);
}

/* Names the first line that differs. */
static void expect_drawn(const char *got, const char *want)
{
	size_t line = 1, start = 0, i = 0;

	while (got[i] == want[i] && got[i]) {
		if (got[i++] == '\n') {
			line++;
			start = i;
		}
	}
	if (got[i] == want[i])
		return;
	test_note("line %zu and what follows is\n%.240s", line, got + start);
	test_note("and should be\n%.240s", want + start);
	test_fail(__FILE__, __LINE__, "the picture differs");
}

TEST(a_pc_in_plain_text)
{
	make_pc();
	expect_drawn(draw(true),
		"  --+-+---------+-------+\n"
		"  | | | +-- +-+ | ----+ |    Labyrinth, a research microkernel\n"
		"  | +---+ +-+ | +---- | |    booted by GRUB 2.06 under BIOS\n"
		"  | | | | | --+ | +---+ |    6.9 GiB to walk in, 5 dead ends\n"
		"  +---+---+-------+------\n"
		"\n"
		"  DMA     13.4 MiB usable                           256 KiB a cell\n"
		"  ////KKKK########################M###BBB#########################\n"
		"  |0              |4M             |8M             |12M            |16M\n"
		"  DMA32   1.9 GiB usable                             32 MiB a cell\n"
		"  ################################!###############################\n"
		"  |16M            |512M           |1G             |1536M          |2G\n"
		"  Normal  4.9 GiB usable                            128 MiB a cell\n"
		"  ################+#######################--------\n"
		"  |4G             |6G             |8G             |10G\n"
		"\n"
		"  # usable 6.9 GiB   + in part   K kernel 900 KiB   M metadata 4 KiB\n"
		"  B boot data 700 KiB   ! bad 4 KiB   - beyond memlimit 1 GiB\n"
		"  / dead end 258.1 MiB   . hole\n"
		"\n");
}

/* Columns of the line at @s, colour sequences aside; *next is the line after it. */
static size_t width(const char *s, const char **next)
{
	size_t n = 0;

	for (; *s != '\n'; s++) {
		if (*s == '\x1b')
			while (*s != 'm')
				s++;
		else
			n += ((unsigned char)*s & 0xc0) != 0x80;
	}
	*next = s + 1;
	return n;
}

/* Both ways of drawing make the same lines, of at most 80 columns. */
static void expect_shape(void)
{
	static char plain[sizeof(drawn.text)];
	const char *a = plain, *b = drawn.text;

	draw(true);
	memcpy(plain, drawn.text, drawn.n + 1);
	draw(false);
	while (*a && *b) {
		size_t columns = width(a, &a);

		EXPECT(columns <= 80);
		EXPECT_EQ(width(b, &b), columns);
	}
	EXPECT(*a == *b);
}

TEST(a_pc_in_colour)
{
	static const char memory_above_4g[] =
		"  \x1b[32m████████████████▒███████████████████████\x1b[34m────────\x1b[0m\n"
		"\x1b[90m  ╵4G             ╵6G             ╵8G             ╵10G\x1b[0m\n";
	bool found = false;

	make_pc();
	expect_shape();
	for (const char *s = drawn.text; s && !found; s = strchr(s + 1, '\n'))
		found = strncmp(s + (*s == '\n'), memory_above_4g,
				sizeof(memory_above_4g) - 1) == 0;
	EXPECT(found);
}

TEST(no_memory_at_all)
{
	memset(&bi, 0, sizeof(bi));
	memmap_init(&bi.map);
	expect_shape();
}

static bool shows(const char *what)
{
	const char *s = draw(true);

	while (*s && strncmp(s, what, strlen(what)) != 0)
		s++;
	return *s;
}

TEST(a_bar_has_at_most_64_cells)
{
	memset(&bi, 0, sizeof(bi));
	memmap_init(&bi.map);
	memmap_add(&bi.map, MIB(16), MIB(16) + 64 * MIB(4), MEM_USABLE);
	EXPECT(shows("  4 MiB a cell\n"));
	memmap_add(&bi.map, MIB(16), MIB(16) + 64 * MIB(4) + 1, MEM_USABLE);
	EXPECT(shows("  8 MiB a cell\n"));
}

TEST(any_map_fits)
{
	for (int round = 0; round < 200; round++) {
		memset(&bi, 0, sizeof(bi));
		memset(bi.loader, 'x', sizeof(bi.loader) - 1);
		memmap_init(&bi.map);
		for (int i = 0; i < 30; i++) {
			uint64_t start = test_random() >> test_random_below(64);
			uint64_t size = test_random() >> test_random_below(64);

			memmap_add(&bi.map, start, start + size,
				   (enum mem_type)test_random_below(MEM_TYPE_COUNT));
		}
		expect_shape();
	}
}

TEST(sizes_for_people)
{
	static const struct { uint64_t bytes; const char *amount, *place; } is[] = {
		{ 0, "0", "0" },
		{ 1023, "1023 bytes", "1023" },
		{ 1024, "1 KiB", "1K" },
		{ 1536, "1.5 KiB", "1536" },
		{ KIB(640), "640 KiB", "640K" },
		{ MIB(1) - 1, "1023.9 KiB", "1048575" },
		{ MIB(1536), "1.5 GiB", "1536M" },
		{ GIB(64) - KIB(4), "63.9 GiB", "67108860K" },
		{ GIB(1024), "1 TiB", "1T" },
		{ UINT64_MAX, "15.9 EiB", "18446744073709551615" },
	};
	char out[24];

	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		EXPECT(strcmp(size_text(out, is[i].bytes), is[i].amount) == 0);
		EXPECT(strcmp(address_text(out, is[i].bytes), is[i].place) == 0);
	}
}
