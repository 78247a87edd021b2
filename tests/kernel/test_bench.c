/* SPDX-License-Identifier: MIT */
/* The benchmarks' own arithmetic: percentiles of samples that are known. */
#define SUITE "bench"
#include <tests/test.h>

#include "../bench/kernel/kbench.h"

TEST(percentiles_of_a_thousand)
{
	kbench_open("", "", 0, 1);
	for (uint64_t v = 1; v <= 1000; v++)
		kbench_add(v * 3 % 1001);		/* each of 1..1000 once, in disorder */
	EXPECT_EQ(kbench_percentile(1), 1);
	EXPECT_EQ(kbench_percentile(500), 500);
	EXPECT_EQ(kbench_percentile(990), 990);
	EXPECT_EQ(kbench_percentile(999), 999);
	EXPECT_EQ(kbench_percentile(1000), 1000);
}

TEST(a_percentile_is_a_sample_that_was)
{
	kbench_open("", "", 0, 1);
	for (unsigned i = 0; i < 99; i++)
		kbench_add(70);
	kbench_add(4000);
	EXPECT_EQ(kbench_percentile(500), 70);
	EXPECT_EQ(kbench_percentile(990), 70);
	EXPECT_EQ(kbench_percentile(999), 4000);
}

/* Above 2048 the bins grow wider: 1/1024 of the value, and never more than it. */
TEST(large_samples_nearly_exact)
{
	for (uint64_t v = 2047; v < (uint64_t)1 << 32; v = v * 9 / 8 + 1) {
		kbench_open("", "", 0, 1);
		kbench_add(1);
		kbench_add(v);
		uint64_t p = kbench_percentile(1000);
		EXPECT_CMP(p, <=, v);
		EXPECT_CMP(v - p, <=, v / 1024);
	}
}
