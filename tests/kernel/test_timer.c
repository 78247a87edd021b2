/* SPDX-License-Identifier: MIT */
/*
 * The timer goes off once, not before its deadline, and not for one that was put off.
 * No test asks how late it is: a machine may stand still at any time.
 */
#define SUITE "timer"
#include <tests/test.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/page.h>
#include <labyrinth/smp.h>
#include <labyrinth/timer.h>
#include <port/percpu.h>

#define US 1000u
#define MS (1000u * US)
#define PATIENCE_NS ((uint64_t)20000 * MS)

static struct {
	unsigned times;
	uint64_t at;			/* when it last went off */
	uint64_t next;			/* then set it again to this much later, if not 0 */
	bool in_interrupt, masked;
} seen;

/* What somebody else may have set, and the handler, are as they were afterwards. */
static struct { timer_handler_t handler; uint64_t deadline, flags; unsigned cpu; } before;

static void went_off(void)
{
	seen.at = clock_ns();
	seen.in_interrupt = in_interrupt();
	seen.masked = !irq_enabled();
	__atomic_fetch_add(&seen.times, 1, __ATOMIC_RELAXED);
	if (seen.next)
		timer_set_oneshot(clock_ns() + seen.next);
}

/* All CPUs have this handler, and others' deadlines are none of the test's. */
static void note(void)
{
	if (cpu_number() == before.cpu)
		went_off();
	else if (before.handler)
		before.handler();
}

static unsigned times(void)
{
	return __atomic_load_n(&seen.times, __ATOMIC_RELAXED);
}

/* Return: false when it did not go off @n times while anybody would wait. */
static bool wait_for(unsigned n)
{
	uint64_t start = clock_ns();

	while (times() < n) {
		if (clock_ns() - start > PATIENCE_NS) {
			test_fail(__FILE__, __LINE__, "the timer did not go off");
			return false;
		}
		cpu_relax();
	}
	return true;
}

static void wait_until(uint64_t ns)
{
	while (clock_ns() < ns)
		cpu_relax();
}

static bool begin(void)
{
	if (!timer_present()) {
		test_skip("this machine has no timer that could be used");
		return false;
	}
	before.flags = irq_save();
	percpu()->preempt_count++;
	before.deadline = timer_deadline();
	before.cpu = cpu_number();
	before.handler = timer_set_handler(note);
	timer_set_oneshot(TIMER_NEVER);
	__builtin_memset(&seen, 0, sizeof(seen));
	irq_enable();
	return true;
}

static void end(void)
{
	irq_disable();
	timer_set_handler(before.handler);
	timer_set_oneshot(before.deadline);
	percpu()->preempt_count--;
	irq_restore(before.flags);
}

TEST(goes_off_once_and_not_too_early)
{
	uint64_t deadline;

	if (!begin())
		return;
	for (unsigned i = 1; i <= 20; i++) {
		deadline = clock_ns() + i * 50 * US;
		irq_disable();
		EXPECT(timer_set_oneshot(deadline));
		EXPECT_EQ(timer_deadline(), deadline);
		irq_enable();
		if (!wait_for(i))
			break;
		EXPECT_CMP(seen.at, >=, deadline);
		EXPECT_EQ(timer_deadline(), TIMER_NEVER);
	}
	EXPECT(seen.in_interrupt && seen.masked);
	wait_until(clock_ns() + 5 * MS);
	EXPECT_EQ(times(), 20);
	end();
}

TEST(a_deadline_that_has_passed_is_met_at_once)
{
	if (!begin())
		return;
	timer_set_oneshot(clock_ns() - 1);
	wait_for(1);
	timer_set_oneshot(0);
	wait_for(2);
	end();
}

TEST(a_deadline_put_off_or_taken_back_is_not_met)
{
	uint64_t late;

	if (!begin())
		return;
	/* masked, so that the first is still waiting to be delivered when it is put off */
	irq_disable();
	timer_set_oneshot(clock_ns() + 10 * US);
	wait_until(clock_ns() + MS);
	late = clock_ns() + 5 * MS;
	timer_set_oneshot(late);
	irq_enable();
	wait_for(1);
	EXPECT_CMP(seen.at, >=, late);
	irq_disable();
	timer_set_oneshot(clock_ns() + 10 * US);
	wait_until(clock_ns() + MS);
	timer_set_oneshot(TIMER_NEVER);
	irq_enable();
	wait_until(clock_ns() + 2 * MS);
	EXPECT_EQ(times(), 1);
	end();
}

TEST(a_sooner_deadline_takes_the_place_of_a_later_one)
{
	uint64_t hour = (uint64_t)3600 * 1000 * MS, start;

	if (!begin())
		return;
	start = clock_ns();
	timer_set_oneshot(start + hour);
	timer_set_oneshot(start + MS);
	wait_for(1);
	EXPECT_CMP(seen.at, <, start + hour);
	timer_set_oneshot(start + 1000 * hour);	/* further than it can count at once */
	wait_until(clock_ns() + 2 * MS);
	EXPECT_EQ(times(), 1);
	EXPECT_EQ(timer_deadline(), start + 1000 * hour);
	end();
}

TEST(its_handler_may_set_it_again)
{
	if (!begin())
		return;
	seen.next = 20 * US;
	timer_set_oneshot(clock_ns());
	wait_for(100);
	end();
	EXPECT_CMP(times(), >=, 100);
}

/* A sleeper is woken, and a wake-up just before the sleep is not lost. */
TEST(waiting_ends_when_it_goes_off)
{
	if (!begin())
		return;
	for (unsigned i = 1; i <= 50; i++) {
		irq_disable();
		timer_set_oneshot(clock_ns() + i % 3 * 20 * US);
		while (times() < i) {
			irq_wait();
			irq_disable();
		}
		irq_enable();
	}
	EXPECT_EQ(times(), 50);
	end();
}

/* --- each CPU has its own */

static void set_there(void *arg)
{
	timer_set_oneshot(*(uint64_t *)arg);
}

static unsigned hits[CPUS_MAX];

static void note_cpu(void)
{
	__atomic_fetch_add(&hits[cpu_number()], 1, __ATOMIC_RELAXED);
	went_off();
}

TEST(every_cpu_has_its_own)
{
	uint64_t soon;
	unsigned n = 0;

	if (!begin())
		return;
	timer_set_handler(note_cpu);
	soon = clock_ns() + MS;
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		hits[cpu] = 0;
		if (cpu_online(cpu) && cpu_call(cpu, set_there, &soon))
			n++;
	}
	wait_for(n);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		EXPECT_EQ(hits[cpu], cpu_online(cpu));
	end();
}

/* --- in the middle of the allocator */

static struct { owner_t owner; unsigned done, failed; } inside;

#define TICKS 500u

/*
 * As a driver would: two pages and a block at every tick, given back at once.  The thread gets
 * as long as the tick took and some more, or on a machine as slow as under tools/replay, where
 * 7 us are 55 instructions, the next tick would always be there already.
 */
static void allocate(void)
{
	uint64_t start = clock_ns();
	void *a, *b, *c;

	if (cpu_number() != before.cpu) {
		note();
		return;
	}
	a = allocpage(GFP_ATOMIC, inside.owner);
	b = allocpage(GFP_ATOMIC, inside.owner);
	c = allocpages(GFP_ATOMIC, 3, inside.owner);
	inside.failed += !a || !b || !c || a == b || freepage(b, inside.owner) ||
			 freepage(a, inside.owner) || freepages(c, 3, inside.owner);
	inside.done++;
	seen.next = inside.done < TICKS ? clock_ns() - start + 7 * US : 0;
	note();
}

/*
 * What is left behind is audited after the test.  How many ticks come is not the test's
 * to say; where they come is luck, which the gate that steps with the trap flag has not.
 */
TEST(ticks_in_the_allocator_s_hot_path)
{
	owner_t mine = owner_register("ticked");
	void *page[40];

	inside.owner = owner_register("tick");
	inside.done = inside.failed = 0;
	if (!begin())
		return;
	timer_set_handler(allocate);
	timer_set_oneshot(clock_ns());
	for (uint64_t start = clock_ns(); times() < TICKS && clock_ns() - start < PATIENCE_NS;) {
		for (unsigned i = 0; i < 40; i++)
			page[i] = allocpage(GFP_ATOMIC, mine);
		for (unsigned i = 0; i < 40; i++)
			inside.failed += !page[i] || freepage(page[i], mine);
	}
	end();
	EXPECT_EQ(inside.failed, 0);
	EXPECT_EQ(inside.done, TICKS);
	EXPECT_EQ(owner_unregister(inside.owner) | owner_unregister(mine), 0);
}
