/* SPDX-License-Identifier: MIT */
/*
 * Faults planted on purpose, to test the verdict: each must be reported as a
 * failure, with the right reason, in both worlds.  tools/lab/verdict.py runs
 * them one by one; nothing else does.
 */
#include <arch/console.h>
#include <labyrinth/panic.h>

#include "test.h"

#define SUITE "planted"

TEST_BY_NAME(expectation)
{
	EXPECT_EQ(6 * 9, 42);
}

TEST_BY_NAME(panic)
{
	panic("planted, to see it reported");
}

TEST_BY_NAME(hang)
{
	static volatile bool forever = true;

	while (forever)
		;
}

/* Success without having run what was announced: the worst lie a machine can tell. */
TEST_BY_NAME(truncated_plan)
{
	machine_exit(true);
}

TEST_BY_NAME(skipped)
{
	test_skip("planted, to see it counted");
}
