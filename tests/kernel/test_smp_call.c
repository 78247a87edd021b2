/* SPDX-License-Identifier: MIT */
/* Calls between CPUs: they arrive, once, are waited for, and nobody waits for ever. */
#define SUITE "smp_call"
#include <tests/test.h>

#include <stdatomic.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/irq.h>
#include <port/cpu_call.h>
#include <port/percpu.h>

#include "all_cpus.h"

/* As the callers outnumber the emulator's cores, each call takes the longer. */
#define ROUNDS (cpus_possible() < 4 ? 200 : cpus_possible() < 16 ? 40 : 4)

/* --- what a call finds, and where */

struct seen {
	_Atomic unsigned times;
	unsigned cpu;
	bool interrupts;
};

static void look(void *arg)
{
	struct seen *s = arg;

	s->cpu = cpu_number();
	s->interrupts = irq_enabled();
	atomic_fetch_add(&s->times, 1);
}

TEST(a_call_runs_once_on_its_cpu_interrupts_masked)
{
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		struct seen s = { .times = 0 };
		bool online = cpu_online(cpu);

		EXPECT_EQ(cpu_call(cpu, look, &s), online);
		EXPECT_EQ(atomic_load(&s.times), online);
		if (!online)
			continue;
		EXPECT_EQ(s.cpu, cpu);
		EXPECT(!s.interrupts);
	}
	EXPECT(!cpu_call(cpus_possible(), look, NULL));
	EXPECT_EQ(percpu()->preempt_count, 0);
}

static void count(void *arg)
{
	_Atomic unsigned *each = arg;

	atomic_fetch_add_explicit(&each[cpu_number()], 1, memory_order_relaxed);
}

TEST(a_call_to_the_others_or_to_all_reaches_each_once)
{
	static _Atomic unsigned others[CPUS_MAX], all[CPUS_MAX];

	for (unsigned round = 1; round <= 3; round++) {
		EXPECT(cpu_call_others(count, others));
		EXPECT(cpu_call_all(count, all));
		for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
			unsigned wanted = cpu_online(cpu) ? round : 0;

			EXPECT_EQ(atomic_load(&others[cpu]), cpu == cpu_number() ? 0 : wanted);
			EXPECT_EQ(atomic_load(&all[cpu]), wanted);
		}
	}
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		others[cpu] = all[cpu] = 0;
}

/* --- everybody calls everybody, with interrupts on and off: no deadlock, no call lost */

static _Atomic unsigned got[CPUS_MAX], unanswered;

static void call_around(void *arg)
{
	unsigned n = cpus_possible(), me = cpu_number();

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned cpu = (me + 1 + i) % n;
		uint64_t flags;

		if (!cpu_online(cpu))
			continue;
		flags = i % 2 ? irq_save() : 0;
		if (!cpu_call(cpu, count, got))
			atomic_fetch_add(&unanswered, 1);
		if (i % 2)
			irq_restore(flags);
	}
}

TEST(all_call_all_with_interrupts_masked_or_not)
{
	unsigned sum = 0, wanted = 0, n = cpus_possible();

	atomic_store(&unanswered, 0);
	for (unsigned cpu = 0; cpu < n; cpu++)
		atomic_store(&got[cpu], 0);
	on_all_cpus(call_around, NULL);
	for (unsigned cpu = 0; cpu < n; cpu++) {
		sum += atomic_load(&got[cpu]);
		for (unsigned i = 0; cpu_online(cpu) && i < ROUNDS; i++)
			wanted += cpu_online((cpu + 1 + i) % n);
	}
	EXPECT_EQ(atomic_load(&unanswered), 0);
	EXPECT_EQ(sum, wanted);
}

#define OTHERS_ROUNDS 8u

/* cpu_call_others() from several at once, each of which claims many mailboxes. */
static void call_others(void *arg)
{
	for (unsigned i = 0; i < OTHERS_ROUNDS; i++)
		if (!cpu_call_others(count, arg))
			atomic_fetch_add(&unanswered, 1);
}

TEST(several_call_all_others_at_once)
{
	unsigned sum = 0;

	atomic_store(&unanswered, 0);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		atomic_store(&got[cpu], 0);
	on_cpus(cpus_possible() < 4 ? cpus_possible() : 4, call_others, got);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		sum += atomic_load(&got[cpu]);
	EXPECT_EQ(atomic_load(&unanswered), 0);
	EXPECT_EQ(sum % (OTHERS_ROUNDS * (cpus_online() - 1) + !(cpus_online() - 1)), 0);
	EXPECT(sum > 0 || cpus_online() == 1);
}

/* --- one that does not listen */

static _Atomic bool is_deaf, may_listen;

static void be_deaf(void *arg)
{
	uint64_t flags = irq_save();

	(void)arg;
	atomic_store(&is_deaf, true);
	while (!atomic_load(&may_listen))
		cpu_relax();
	irq_restore(flags);
}

TEST(a_cpu_that_does_not_listen_is_given_up_and_never_runs_the_call)
{
	uint64_t patience = cpu_call_patience_ns;
	struct seen s = { .times = 0 };

	if (!cpu_online(1)) {
		test_skip("there is no other CPU");
		return;
	}
	atomic_store(&is_deaf, false);
	atomic_store(&may_listen, false);
	ASSERT(cpu_start_job(1, be_deaf, NULL));
	while (!atomic_load(&is_deaf))
		cpu_relax();
	cpu_call_patience_ns = 20000000;
	EXPECT(!cpu_call(1, look, &s));
	cpu_call_patience_ns = patience;
	atomic_store(&may_listen, true);
	while (cpu_has_job(1))
		cpu_relax();
	EXPECT_EQ(atomic_load(&s.times), 0);
	EXPECT(cpu_call(1, look, &s));
	EXPECT_EQ(atomic_load(&s.times), 1);
}

/* --- kicks */

TEST(a_kick_asks_for_another_look)
{
	for (unsigned cpu = 1; cpu < cpus_possible(); cpu++) {
		uint64_t before = irq_count(cpu, IRQ_KICK);

		if (!cpu_online(cpu))
			continue;
		cpu_kick(cpu);
		for (uint64_t start = clock_ns(); irq_count(cpu, IRQ_KICK) == before &&
		     clock_ns() - start < cpu_call_patience_ns;)
			cpu_relax();
		EXPECT(irq_count(cpu, IRQ_KICK) > before);
	}
}
