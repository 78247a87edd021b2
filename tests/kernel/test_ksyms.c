/* SPDX-License-Identifier: MIT */
/* The kernel's own symbol table, asked about this very file. */
#include <labyrinth/backtrace.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SUITE "ksyms"

static bool is(const char *text, const char *expected)
{
	return strcmp(text, expected) == 0;
}

/* Where the call of this function returns to; its line is the caller's. */
static __attribute__((noinline)) uintptr_t return_address(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

TEST(a_function_knows_its_name)
{
	struct ksym sym;

	ASSERT(ksym_lookup((uintptr_t)return_address, &sym));
	EXPECT(is(sym.name, "return_address"));
	EXPECT_EQ(sym.start, (uintptr_t)return_address);
	EXPECT_EQ(sym.offset, 0);
	ASSERT(ksym_lookup((uintptr_t)return_address + 1, &sym));
	EXPECT(is(sym.name, "return_address"));
	EXPECT_EQ(sym.offset, 1);
}

TEST(a_name_leads_to_its_function)
{
	uintptr_t addr;

	ASSERT(ksym_by_name("return_address", &addr));
	EXPECT_EQ(addr, (uintptr_t)return_address);
	ASSERT(ksym_by_name("ksym_by_name", &addr));
	EXPECT_EQ(addr, (uintptr_t)ksym_by_name);
	EXPECT(!ksym_by_name("no_such_function", &addr));
}

TEST(a_call_has_the_line_that_it_stands_in)
{
	unsigned before = __LINE__ + 1, line;
	uintptr_t ret = return_address();
	const char *file;

	ASSERT(kline_lookup(ret - 1, &file, &line));
	EXPECT(is(file, "tests/kernel/test_ksyms.c"));
	EXPECT_EQ(line, before);
}

TEST(data_and_nothing_are_no_functions)
{
	static int datum = 1;
	struct ksym sym;
	const char *file;
	unsigned line;

	EXPECT(!ksym_lookup((uintptr_t)&datum, &sym));
	EXPECT(!ksym_lookup((uintptr_t)SUITE, &sym));
	EXPECT(!ksym_lookup(0, &sym));
	EXPECT(!ksym_lookup(UINTPTR_MAX, &sym));
	EXPECT(!kline_lookup((uintptr_t)&datum, &file, &line));
	EXPECT(!kline_lookup(0, &file, &line));
}

TEST(a_place_is_written_as_people_read_it)
{
	char place[PLACE_MAX], expected[PLACE_MAX];
	unsigned here = __LINE__ + 1;
	uintptr_t ret = return_address();
	struct ksym sym;

	ASSERT(ksym_lookup(ret, &sym));
	ksnprintf(expected, sizeof(expected), "%s+0x%zx (%s:%u)", sym.name, sym.offset,
		  "tests/kernel/test_ksyms.c", here);
	place_format(place, sizeof(place), ret, true);
	if (!is(place, expected))
		test_note("%s, expected %s", place, expected);
	EXPECT(is(place, expected));
	EXPECT_EQ(place_format(place, 5, ret, true), (int)strlen(expected));
	EXPECT_EQ(strlen(place), 4);
}
