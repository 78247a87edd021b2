/* SPDX-License-Identifier: MIT */
/* The harness tested by itself: patterns and random numbers. */
#include "../test.h"

#define SUITE "runner"

static bool selects(const char *pattern, bool by_name)
{
	struct test t = { "zone", "walk_ends", NULL, by_name };

	return test_selected(&t, pattern);
}

TEST(an_empty_pattern_selects_all)
{
	EXPECT(selects(NULL, false));
	EXPECT(selects("", false));
}

TEST(a_plain_pattern_is_a_substring)
{
	EXPECT(selects("zone", false));
	EXPECT(selects("e.w", false));
	EXPECT(selects("walk_ends", false));
	EXPECT(selects("zone.walk_ends", false));
	EXPECT(!selects("zone.walk_ends_", false));
	EXPECT(!selects("Zone", false));
}

TEST(a_glob_covers_the_whole_name)
{
	EXPECT(selects("*", false));
	EXPECT(selects("zone.*", false));
	EXPECT(selects("*_ends", false));
	EXPECT(selects("z*.w*s", false));
	EXPECT(selects("zon?.walk?ends**", false));
	EXPECT(!selects("zone*walk", false));
	EXPECT(!selects("?", false));
	EXPECT(!selects("*ends?", false));
}

TEST(a_glob_takes_back_what_a_star_swallowed_too_early)
{
	struct test t = { "a", "ab.abc", NULL, false };

	EXPECT(test_selected(&t, "*ab.abc"));
	EXPECT(test_selected(&t, "a*b.?bc"));
	EXPECT(!test_selected(&t, "a*bb*"));
}

TEST(planted_tests_answer_to_their_full_name_only)
{
	EXPECT(selects("zone.walk_ends", true));
	EXPECT(!selects(NULL, true));
	EXPECT(!selects("", true));
	EXPECT(!selects("*", true));
	EXPECT(!selects("zone", true));
	EXPECT(!selects("zone.walk_end", true));
}

TEST(random_numbers_stay_below_their_limit)
{
	EXPECT_EQ(test_random_below(0), 0);
	EXPECT_EQ(test_random_below(1), 0);
	for (int i = 0; i < 1000; i++) {
		EXPECT_CMP(test_random_below(3), <, 3);
		EXPECT_CMP(test_random_below(UINT64_MAX), <, UINT64_MAX);
		EXPECT_CMP(test_random_below((uint64_t)1 << 63), <, (uint64_t)1 << 63);
	}
}

TEST(random_numbers_cover_their_range_evenly)
{
	unsigned count[8] = { 0 };

	for (int i = 0; i < 8000; i++)
		count[test_random_below(8)]++;
	for (int i = 0; i < 8; i++) {
		EXPECT_CMP(count[i], >, 800);
		EXPECT_CMP(count[i], <, 1200);
	}
}

/* Both draw first after the seed was set, so they must see the same number. */
static uint64_t first_drawn;

static void draw_first(void)
{
	uint64_t mine = test_random();

	if (!first_drawn)
		first_drawn = mine;
	EXPECT_EQ(mine, first_drawn);
}

TEST(each_test_starts_from_the_seed)       { draw_first(); }
TEST(each_test_starts_from_the_seed_again) { draw_first(); }
