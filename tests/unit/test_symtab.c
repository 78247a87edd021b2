/* SPDX-License-Identifier: MIT */
/*
 * Symbol and line table lookups, on a table written by hand: three functions,
 * a hole, and lines on both sides of a mark.
 */
#include <labyrinth/string.h>
#include <labyrinth/symtab.h>

#include "../test.h"

#define SUITE "symtab"
#define BASE  0xffff800000100000u

struct small_table {
	struct symtab_header h;
	uint32_t address[4], name[4], by_name[3];
	struct symtab_mark mark[2];
	uint32_t file[3];
	uint8_t stream[12];
	char strings[32];
};

#define PART(member, count) { offsetof(struct small_table, member), (count) }

/*
 *   +0x00 walk   a.c:10   +0x10 a.c:7   +0x18 b.h:300   +0x20 walk (another file's), no source
 *   +0x30 a hole          +0x40 alpha   a.c:1 (a mark)  +0x44 a.c:66
 */
static const struct small_table original = {
	.h = {
		.magic = SYMTAB_MAGIC, .size = sizeof(struct small_table), .base = BASE, .rows = 6,
		.address = PART(address, 4), .name = PART(name, 4), .by_name = PART(by_name, 3),
		.mark = PART(mark, 2), .file = PART(file, 3), .stream = PART(stream, 12),
		.strings = PART(strings, 20),
	},
	.address = { 0, 0x20, 0x30, 0x40 },
	.name = { 1, 1, 0, 6 },
	.by_name = { 3, 0, 1 },
	.mark = { { 0, 0, 1, 10 }, { 0x40, 9, 1, 1 } },
	.file = { 0, 12, 16 },
	.stream = {
		0x10 << 1, 3 << 1 | 1,				/* +0x10: 3 lines back */
		0x08 << 1 | 1, 2, 0x80 | (293 << 1 & 0x7f), 293 >> 6,
		0x08 << 1, 0x80 | ((300 << 1 | 1) & 0x7f), 300 >> 6,	/* to line 0 */
		0x04 << 1, 0x80 | (65 << 1 & 0x7f), 65 >> 6,
	},
	.strings = "\0walk\0alpha\0a.c\0b.h",
};

_Static_assert(sizeof(struct small_table) % 8 == 0, "no padding that the size would not count");

static const char *line_at(const struct symtab *t, uint64_t offset, unsigned *line)
{
	*line = 0;
	return symtab_line(t, BASE + offset, line);
}

static bool is(const char *text, const char *expected)
{
	return text && strcmp(text, expected) == 0;
}

TEST(an_address_is_in_the_function_that_starts_below_it)
{
	struct symtab t;
	uint64_t start;

	ASSERT(symtab_open(&t, &original, sizeof(original)));
	EXPECT(is(symtab_symbol(&t, BASE, &start), "walk"));
	EXPECT_EQ(start, BASE);
	EXPECT(is(symtab_symbol(&t, BASE + 0x1f, &start), "walk"));
	EXPECT_EQ(start, BASE);
	EXPECT(is(symtab_symbol(&t, BASE + 0x20, &start), "walk"));
	EXPECT_EQ(start, BASE + 0x20);
	EXPECT(is(symtab_symbol(&t, BASE + UINT32_MAX, &start), "alpha"));
}

TEST(an_address_in_no_function_has_no_name)
{
	struct symtab t;
	uint64_t start;

	ASSERT(symtab_open(&t, &original, sizeof(original)));
	EXPECT(!symtab_symbol(&t, BASE - 1, &start));
	EXPECT(!symtab_symbol(&t, 0, &start));
	EXPECT(!symtab_symbol(&t, BASE + 0x30, &start));
	EXPECT(!symtab_symbol(&t, BASE + 0x3f, &start));
	EXPECT(!symtab_symbol(&t, BASE + UINT32_MAX + 1u, &start));
}

TEST(a_line_holds_until_the_next_row)
{
	struct symtab t;
	unsigned line;

	ASSERT(symtab_open(&t, &original, sizeof(original)));
	EXPECT(is(line_at(&t, 0, &line), "a.c") && line == 10);
	EXPECT(is(line_at(&t, 0x0f, &line), "a.c") && line == 10);
	EXPECT(is(line_at(&t, 0x10, &line), "a.c") && line == 7);
	EXPECT(is(line_at(&t, 0x18, &line), "b.h") && line == 300);
	EXPECT(is(line_at(&t, 0x1f, &line), "b.h") && line == 300);
	EXPECT(is(line_at(&t, 0x40, &line), "a.c") && line == 1);
	EXPECT(is(line_at(&t, 0x44, &line), "a.c") && line == 66);
}

TEST(line_zero_is_no_source)
{
	struct symtab t;
	unsigned line;

	ASSERT(symtab_open(&t, &original, sizeof(original)));
	EXPECT(!line_at(&t, 0x20, &line));
	EXPECT(!line_at(&t, 0x3f, &line));
	EXPECT(!symtab_line(&t, BASE - 1, &line));
	EXPECT(!symtab_line(&t, 0, &line));
}

TEST(a_name_leads_to_its_lowest_address)
{
	struct symtab t;

	ASSERT(symtab_open(&t, &original, sizeof(original)));
	EXPECT_EQ(symtab_by_name(&t, "walk"), BASE);
	EXPECT_EQ(symtab_by_name(&t, "alpha"), BASE + 0x40);
	EXPECT_EQ(symtab_by_name(&t, "a"), 0);
	EXPECT_EQ(symtab_by_name(&t, "wal"), 0);
	EXPECT_EQ(symtab_by_name(&t, "zulu"), 0);
	EXPECT_EQ(symtab_by_name(&t, ""), 0);
}

TEST(what_is_no_table_is_refused)
{
	struct small_table copy = original;
	struct symtab t;

	EXPECT(!symtab_open(&t, &copy, 0));
	EXPECT(!symtab_open(&t, &copy, sizeof(copy) - 1));
	copy.h.magic++;
	EXPECT(!symtab_open(&t, &copy, sizeof(copy)));
	copy = original;
	copy.h.mark.n = 100;
	EXPECT(!symtab_open(&t, &copy, sizeof(copy)));
	copy = original;
	copy.h.file.at = UINT32_MAX - 3;
	EXPECT(!symtab_open(&t, &copy, sizeof(copy)));
	copy = original;
	copy.h.strings.n = 19;		/* would end in the middle of a word */
	EXPECT(!symtab_open(&t, &copy, sizeof(copy)));
}

/* The answers may be wrong; under the sanitizers a read outside the table would show. */
TEST(a_damaged_table_is_survived)
{
	static struct small_table copy;
	unsigned char *bytes = (unsigned char *)&copy;
	struct symtab t;
	uint64_t start;
	unsigned line;

	for (unsigned round = 0; round < 20000; round++) {
		copy = original;
		for (unsigned n = 0; n < 4; n++)
			bytes[test_random_below(sizeof(copy))] = (unsigned char)test_random();
		if (!symtab_open(&t, &copy, sizeof(copy)))
			continue;
		for (uint64_t at = 0; at < 0x50; at += 4) {
			symtab_symbol(&t, t.header->base + at, &start);
			symtab_line(&t, t.header->base + at, &line);
		}
		symtab_by_name(&t, "walk");
	}
}
