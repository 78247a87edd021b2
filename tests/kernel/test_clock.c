/* SPDX-License-Identifier: MIT */
/* The clock runs, forwards, and at about the speed of the timer it was set by. */
#define SUITE "clock"
#include <tests/test.h>

#include <arch/console.h>

static bool no_clock(void)
{
	if (clock_ns())
		return false;
	test_skip("this machine has nothing to tell the speed of its counter");
	return true;
}

TEST(never_runs_backwards)
{
	unsigned long long last = clock_ns();

	if (no_clock())
		return;
	for (unsigned i = 0; i < 10000; i++) {
		unsigned long long now = clock_ns();

		if (now < last)
			test_fail(__FILE__, __LINE__, "time went backwards");
		last = now;
	}
}

/* Ten thousand readings take longer than 10 us and less than 10 s on any machine. */
TEST(runs_at_a_sensible_speed)
{
	unsigned long long start = clock_ns(), taken;

	if (no_clock())
		return;
	for (unsigned i = 0; i < 10000; i++)
		(void)clock_ns();
	taken = clock_ns() - start;
	test_note("10000 readings took %llu us", taken / 1000);
	EXPECT(taken > 10000);
	EXPECT(taken < 10000000000);
}
