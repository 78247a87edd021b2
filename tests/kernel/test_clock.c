/* SPDX-License-Identifier: MIT */
/* The clock runs, forwards, and at about the speed of the timer it was set by. */
#define SUITE "clock"
#include <tests/test.h>

#include <arch/console.h>
#include <labyrinth/smp.h>

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

static unsigned long long there;

static void read_there(void *arg)
{
	(void)arg;
	there = clock_ns();
}

/* What another CPU read between two readings of ours lies between them. */
TEST(never_runs_backwards_from_one_cpu_to_another)
{
	if (no_clock())
		return;
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		for (unsigned i = 0; cpu_online(cpu) && i < 50; i++) {
			unsigned long long before = clock_ns(), after;

			if (!cpu_call(cpu, read_there, NULL))
				continue;	/* whether it answers is tested elsewhere */
			after = clock_ns();
			EXPECT_CMP(before, <=, there);
			EXPECT_CMP(there, <=, after);
		}
	}
}
