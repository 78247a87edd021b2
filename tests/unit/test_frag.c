/* SPDX-License-Identifier: MIT */
/* The unusable free space index, against values worked out by hand. */
#define SUITE "frag"
#include <tests/test.h>

#include <labyrinth/zone.h>

TEST(nothing_free_is_not_fragmented)
{
	struct zone_stats s = { .free = 0 };

	for (unsigned k = 0; k < ORDER_COUNT; k++)
		EXPECT_EQ(zone_unusable(&s, k), 0);
}

TEST(one_large_block_serves_all_up_to_its_order)
{
	struct zone_stats s = { .blocks[9] = 1 };

	EXPECT_EQ(zone_unusable(&s, 0), 0);
	EXPECT_EQ(zone_unusable(&s, 9), 0);
	EXPECT_EQ(zone_unusable(&s, 10), 1000);
	EXPECT_EQ(zone_unusable(&s, ORDER_MAX), 1000);
}

/* 3 + 2 * 2 + 1 * 8 = 15 frames. */
TEST(smaller_blocks_are_unusable_in_proportion)
{
	struct zone_stats s = { .blocks = { 3, 2, 0, 1 } };

	EXPECT_EQ(zone_unusable(&s, 0), 0);
	EXPECT_EQ(zone_unusable(&s, 1), 200);
	EXPECT_EQ(zone_unusable(&s, 2), 466);
	EXPECT_EQ(zone_unusable(&s, 3), 466);
	EXPECT_EQ(zone_unusable(&s, 4), 1000);
}

TEST(a_terabyte_does_not_overflow)
{
	struct zone_stats s = { .blocks = { [0] = 1u << 18, [ORDER_MAX] = 1023 } };

	EXPECT_EQ(zone_unusable(&s, ORDER_MAX), 0);		/* less than one per mille */
	s.blocks[0] <<= 1;
	EXPECT_EQ(zone_unusable(&s, ORDER_MAX), 1);
}
