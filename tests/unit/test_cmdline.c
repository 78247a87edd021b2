/* SPDX-License-Identifier: MIT */
/* The command line: words, values, numbers with suffixes. */
#define SUITE "cmdline"
#include <tests/test.h>

#include <labyrinth/cmdline.h>
#include <labyrinth/string.h>

static bool value_is(const char *line, const char *key, const char *want)
{
	size_t len = 99;
	const char *v = cmdline_find(line, key, &len);

	return v && len == strlen(want) && strncmp(v, want, len) == 0;
}

TEST(finds_values_and_bare_words)
{
	const char *line = " test=mm.*  quiet\tseed=7 ";
	EXPECT(value_is(line, "test", "mm.*"));
	EXPECT(value_is(line, "quiet", ""));
	EXPECT(value_is(line, "seed", "7"));
	EXPECT(!cmdline_find(line, "absent", NULL));
	line = "";
	EXPECT(!cmdline_find(line, "test", NULL));
}

TEST(a_key_is_a_whole_word)
{
	const char *line = "latest=1 tests=2 x=test=3";
	EXPECT(!cmdline_find(line, "test", NULL));
	EXPECT(!cmdline_find(line, "te", NULL));
	EXPECT(value_is(line, "x", "test=3"));
}

TEST(the_last_one_wins)
{
	const char *line = "seed=1 test seed=2 test=a";
	EXPECT(value_is(line, "seed", "2"));
	EXPECT(value_is(line, "test", "a"));
}

TEST(the_kernels_own_path_is_no_option)
{
	const char *line = cmdline_skip_path("/boot/test=x test=y");
	EXPECT(value_is(line, "test", "y"));
	line = cmdline_skip_path("(cd0)/seed seed=3");
	EXPECT(value_is(line, "seed", "3"));
	line = cmdline_skip_path("/boot/labyrinth.elf");
	EXPECT(!cmdline_find(line, "/boot/labyrinth.elf", NULL));
	line = cmdline_skip_path("quiet /boot");	/* only as the first word */
	EXPECT(value_is(line, "quiet", ""));
	EXPECT(value_is(line, "/boot", ""));
}

static void expect_number(const char *line, uint64_t want)
{
	uint64_t v = ~want;

	EXPECT(cmdline_find_u64(line, "n", &v));
	EXPECT_EQ(v, want);
}

TEST(numbers)
{
	expect_number("n=0", 0);
	expect_number("n=42", 42);
	expect_number("n=0x2a", 42);
	expect_number("n=0XFFFFffffFFFFffff", UINT64_MAX);
	expect_number("n=18446744073709551615", UINT64_MAX);
	expect_number("n=4k", 4096);
	expect_number("n=16M", 16u << 20);
	expect_number("n=0x10G", (uint64_t)16 << 30);
	expect_number("n=1T", (uint64_t)1 << 40);
}

TEST(what_is_no_number_changes_nothing)
{
	static const char *const bad[] = {
		"n=", "n", "n=x", "n=0x", "n=-1", "n=1.5", "n=12q", "n=4KK", "n=4K,",
		"n=18446744073709551616", "n=0x10000000000000000", "n=16777216T", "m=1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t v = 77;

		if (cmdline_find_u64(bad[i], "n", &v))
			test_fail(__FILE__, __LINE__, bad[i]);
		EXPECT_EQ(v, 77);
	}
}

TEST(a_list_is_read_piece_by_piece)
{
	const char *s = "1M,0x2000,z", *end = s + strlen(s);
	uint64_t v;

	ASSERT(parse_u64(&s, end, &v) && *s++ == ',');
	EXPECT_EQ(v, 1u << 20);
	ASSERT(parse_u64(&s, end, &v) && *s++ == ',');
	EXPECT_EQ(v, 0x2000);
	EXPECT(!parse_u64(&s, end, &v));
	EXPECT(*s == 'z');
}
