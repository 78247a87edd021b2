/* SPDX-License-Identifier: MIT */
/* Threads that take the CPU from each other, and that go from one CPU to another. */
#define SUITE "preempt"
#include <tests/test.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/trap.h>
#include <labyrinth/deferred.h>
#include <labyrinth/irq.h>
#include <labyrinth/page.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>
#include <labyrinth/timer.h>
#include <labyrinth/wait.h>
#include <port/percpu.h>

static struct thread *on(unsigned cpu, unsigned priority, thread_fn_t fn, void *arg)
{
	struct thread *t = thread_create_on(cpu, "test", priority, OWNER_KERNEL, fn, arg);

	EXPECT(t);
	return t;
}

/* --- one CPU */

struct duel { volatile uint64_t counts; volatile bool over; };

static uint64_t count_until_over(void *arg)
{
	struct duel *d = arg;

	while (!d->over)
		d->counts++;
	return d->counts;
}

/* Neither gives the CPU up of its own will, and yet both get on, again and again. */
TEST(busy_loops_take_turns)
{
	struct duel d = { .counts = 0 };
	struct thread *t;

	if (!timer_present()) {
		test_skip("this machine has no timer");
		return;
	}
	t = on(0, THREAD_NORMAL, count_until_over, &d);
	for (unsigned turn = 0; turn < 5; turn++) {
		uint64_t before = d.counts;

		while (d.counts == before)
			cpu_relax();
	}
	d.over = true;
	thread_join(t, NULL);
}

static uint64_t set_over(void *arg)
{
	((struct duel *)arg)->over = true;
	return 0;
}

/* A sleeper of higher priority interrupts a loop that would never end. */
static uint64_t sleep_then_set(void *arg)
{
	thread_sleep(2000000);
	return set_over(arg);
}

TEST(a_sleeper_of_higher_priority_interrupts_a_busy_loop)
{
	struct duel d = { .counts = 0 };
	struct thread *t;

	if (!timer_present()) {
		test_skip("this machine has no timer");
		return;
	}
	t = on(0, THREAD_HIGH, sleep_then_set, &d);
	while (!d.over)
		cpu_relax();
	thread_join(t, NULL);
}

/* Somebody should run instead of us: his time has come.  Return: false if it never comes. */
static bool wait_until_due(void)
{
	uint64_t end = clock_ns() + (uint64_t)60 * 1000000000;

	while (!percpu()->need_resched && clock_ns() < end)
		cpu_relax();
	return percpu()->need_resched;
}

TEST(while_preemption_is_forbidden_nobody_comes)
{
	struct duel d = { .counts = 0 };
	struct thread *t;
	bool before;

	if (!timer_present()) {
		test_skip("this machine has no timer");
		return;
	}
	t = on(0, THREAD_HIGH, sleep_then_set, &d);
	preempt_disable();
	preempt_disable();
	/* A machine that stood still may have let him come before we forbade it. */
	before = d.over;
	if (!before) {
		EXPECT(wait_until_due());
		preempt_enable();
		EXPECT(!d.over);
	} else {
		preempt_enable();
	}
	preempt_enable();
	EXPECT(d.over);
	thread_join(t, NULL);
}

/* --- woken by handlers */

static struct semaphore rung;
static volatile bool heard;

static uint64_t listen(void *arg)
{
	(void)arg;
	heard = semaphore_down(&rung, WAIT_FOREVER);
	return heard;
}

static void ring(struct trap_frame *f)
{
	(void)f;
	semaphore_up(&rung);
}

#define VECTOR IRQ_TEST

TEST(an_interrupt_wakes_a_thread_that_runs_at_once)
{
	irq_handler_t before = irq_set_handler(VECTOR, ring);
	struct thread *t;

	heard = false;
	t = on(0, THREAD_HIGH, listen, NULL);
	EXPECT(!heard);
	__asm__ volatile("int %0" : : "i"(VECTOR) : "memory");
	EXPECT(heard);
	irq_set_handler(VECTOR, before);
	thread_join(t, NULL);
}

static void ring_later(struct deferred *d)
{
	(void)d;
	EXPECT(!in_nmi());
	semaphore_up(&rung);
}

static struct deferred bell = { .fn = ring_later };

static bool on_nmi(struct trap_frame *f)
{
	(void)f;
	for (unsigned i = 0; i < 3; i++)
		deferred_raise(&bell);	/* counts once */
	return true;
}

TEST(an_nmi_wakes_a_thread_by_a_deferred_call)
{
	trap_handler_t before = trap_set_handler(TRAP_NMI, on_nmi);
	struct thread *t;

	heard = false;
	t = on(0, THREAD_HIGH, listen, NULL);
	__asm__ volatile("int $2" : : : "memory");
	trap_set_handler(TRAP_NMI, before);
	thread_join(t, NULL);
	EXPECT(heard);
	EXPECT_EQ(rung.count, 0);
}

/* --- several CPUs */

static uint64_t visit_all(void *arg)
{
	unsigned wrong = 0;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
			if (cpu_online(cpu) && thread_move(cpu))
				wrong += cpu_number() != cpu;
	EXPECT(!thread_move(cpus_possible()));
	EXPECT(thread_move(THREAD_ANY_CPU));
	*(uint64_t *)arg += 1;
	return wrong;
}

TEST(a_thread_can_move_from_cpu_to_cpu)
{
	uint64_t done = 0, wrong = 1;
	struct thread *t = thread_create("moves", THREAD_NORMAL, OWNER_KERNEL, visit_all, &done);

	thread_join(t, &wrong);
	EXPECT(done == 1 && wrong == 0);
}

struct pair { struct event go; struct duel duel; };

static uint64_t insist(void *arg)
{
	struct pair *p = arg;

	event_wait(&p->go, WAIT_FOREVER);
	preempt_disable();
	while (!p->duel.over)
		cpu_relax();
	preempt_enable();
	return 0;
}

static uint64_t free_him(void *arg)
{
	struct pair *p = arg;

	event_wait(&p->go, WAIT_FOREVER);
	return set_over(&p->duel);
}

/*
 * The first never gives up its CPU, whichever that is, so the second must come to run on
 * another.  They begin together, as main may be who is left without a CPU.
 */
TEST(an_idle_cpu_takes_over_who_waits)
{
	struct pair p = { .duel.over = false };
	struct thread *t[2];

	if (cpus_online() < 2) {
		test_skip("one CPU");
		return;
	}
	t[0] = thread_create("insists", THREAD_NORMAL, OWNER_KERNEL, insist, &p);
	t[1] = thread_create("frees him", THREAD_NORMAL, OWNER_KERNEL, free_him, &p);
	event_set(&p.go);
	thread_join(t[0], NULL);
	thread_join(t[1], NULL);
}

/* --- in the middle of mm/ */

#define PAGES  8u
#define ROUNDS 300u

struct churn { owner_t owner; unsigned cpu; };

static uint64_t churn(void *arg)
{
	const struct churn *c = arg;
	void *page[PAGES];
	uint64_t wrong = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < PAGES; k++)
			wrong += !(page[k] = allocpages(GFP_NOWAIT, k % 3, c->owner));
		if (i % 16 == 0)
			thread_move((c->cpu + i / 16) % cpus_possible());
		for (unsigned k = 0; k < PAGES; k++)
			wrong += page[k] && freepages(page[k], k % 3, c->owner) != PAGE_OK;
	}
	return wrong;
}

/* More threads than CPUs, with slices and moves as they fall; the audit follows each test. */
TEST(mm_counts_right_for_threads_that_wander)
{
	struct churn c[8];
	struct thread *t[8];

	for (unsigned i = 0; i < 8; i++) {
		c[i] = (struct churn){ owner_register("wanderer"), i };
		t[i] = thread_create("wanders", THREAD_NORMAL, OWNER_KERNEL, churn, &c[i]);
	}
	for (unsigned i = 0; i < 8; i++) {
		uint64_t wrong = 1;

		if (t[i])
			thread_join(t[i], &wrong);
		EXPECT_EQ(wrong, 0);
		EXPECT_EQ(owner_unregister(c[i].owner), 0);
	}
}

static void drain(void *arg)
{
	(void)arg;
	page_drain();
}

/* What other CPUs have cached would look like a leak to who counts on this one. */
TEST(caches_of_all_cpus_are_drained)
{
	EXPECT(cpu_call_all(drain, NULL));
}
