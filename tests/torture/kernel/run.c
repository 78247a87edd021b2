/* SPDX-License-Identifier: MIT */
/*
 * A run of torture: threads on every CPU, strikes from outside, phases of plenty and of
 * want with the books compared in between, a watchdog, and one line of verdict.
 */
#include "run.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/mm_wait.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/selftest.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/timer.h>
#include <labyrinth/wait.h>
#include <port/apic.h>

#define MS            1000000ull	/* ns */
#define PHASE         (1000 * MS)	/* from the moment when all may work, for up to: */
#define PHASE_CPUS    16u		/* so many CPUs; in proportion for more */
#define TICK          (2 * MS)		/* between two rounds of strikes */
#define STRIKES       8u		/* in a round, with pauses of up to: */
#define PAUSE         (MS / 8)
#define THREADS_A_CPU 2u		/* one stays there, the others go where there is room */
#define QUOTA_MAX     4000u		/* frames a thread */
#define QUOTA_SHORT   48u		/* frames an interrupt's or NMI's traveller */
#define BASE_PATIENCE 40000u		/* ms at one deed before a traveller counts as stuck */
#define CPU_PATIENCE  400u		/* ms more for each CPU: they share the host's */

/* Frames to be left over in phases of want. */
static const uint32_t want[] = { 0, 30, 200, 1000, 5000 };

/* --- the threads */

static struct event opened;

static void wait_at_gate(void)
{
	atomic_fetch_add(&run.waiting, 1);
	event_wait(&opened, WAIT_FOREVER);
	atomic_fetch_sub(&run.waiting, 1);
}

static void open_for_all(void)
{
	gate_open();
	event_set(&opened);
}

/* First the event, or who finds the gate closed would not wait. */
static void close_for_all(void)
{
	event_clear(&opened);
	gate_close();
}

static uint64_t work(void *arg)
{
	struct traveller *t = arg;

	while (!atomic_load(&run.over))
		if (!traveller_step(t))
			wait_at_gate();
	return 0;
}

/* --- the crew */

static struct traveller *new_traveller(const char *kind, unsigned number, enum abilities can,
				       uint32_t quota)
{
	unsigned order = 0;
	struct traveller *t;

	while ((PAGE_SIZE << order) < sizeof(*t))
		order++;
	t = allocpages(GFP_NOWAIT, order, torture.keeper);
	if (!t)
		return NULL;
	traveller_init(t, kind, number, (unsigned)run.n, can, quota, run.seed);
	return run.all[run.n++] = t;
}

static bool hire(uint32_t quota)
{
	static const char *const kinds[CTX_COUNT] = { "interrupt", "debug exception", "NMI" };

	for (unsigned i = 0; i < run.threads; i++)
		if (!new_traveller("thread", i, CAN_ALL, quota))
			return false;
	for (unsigned c = 0; c < CTX_COUNT; c++)
		for (unsigned cpu = 0; cpu < run.cpus; cpu++) {
			struct traveller *t = new_traveller(kinds[c], cpu, CAN_SHORT, QUOTA_SHORT);

			if (!t)
				return false;
			run.victim[cpu].in[c] = t;
		}
	return true;
}

#define THREADS_MOST  (THREADS_A_CPU * CPUS_MAX)
static struct thread *threads[THREADS_MOST];

static bool start_threads(void)
{
	for (unsigned i = 0; i < run.threads; i++) {
		char name[24];

		ksnprintf(name, sizeof(name), "torture %u", i);
		threads[i] = i < run.cpus
			? thread_create_on(i, name, THREAD_NORMAL, OWNER_KERNEL, work, run.all[i])
			: thread_create(name, THREAD_NORMAL, OWNER_KERNEL, work, run.all[i]);
		if (!threads[i])
			return false;
	}
	return true;
}

/* --- strikes, and who does not move any more */

static uint64_t patience_ms(void)
{
	return BASE_PATIENCE + CPU_PATIENCE * run.cpus;
}

static uint64_t now_ms(void)
{
	return clock_ns() / MS;
}

/* Each thread's last count of deeds, and when it was first seen. */
static struct { uint64_t deeds, since; } seen[THREADS_MOST];

static void watch(void)
{
	for (unsigned i = 0; i < run.threads; i++) {
		uint64_t deeds = atomic_load(&run.all[i]->deeds), now = now_ms();

		if (deeds != seen[i].deeds || seen[i].since == 0) {
			seen[i].deeds = deeds;
			seen[i].since = now;
		} else if (now - seen[i].since > patience_ms()) {
			panic("torture: thread %u has been at deed %llu for %llu s", i,
			      (unsigned long long)deeds,
			      (unsigned long long)(now - seen[i].since) / 1000);
		}
	}
}

static void forget_watch(void)
{
	memset(seen, 0, sizeof(seen));
}

/* Not asleep: strikes that come at the ticks of a clock find everybody at the same places. */
static void pause_for(uint64_t ns)
{
	uint64_t until = clock_ns() + ns;

	while (clock_ns() < until)
		cpu_relax();
}

static uint64_t phase(void)
{
	return PHASE * ((run.cpus + PHASE_CPUS - 1) / PHASE_CPUS);
}

/* A phase: work, and be struck at random. */
static void let_work(void)
{
	static struct traveller chance;		/* for its dice alone */

	forget_watch();
	open_for_all();
	/* With hundreds of CPUs on two of a host's, waking all takes longer than many a phase. */
	uint64_t until = clock_ns() + phase();

	chance.random = (run.seed ^ until) | 1;
	while (clock_ns() < until) {
		thread_sleep(TICK);
		for (unsigned i = 0; i < STRIKES + run.cpus / 4; i++) {
			strike((unsigned)dice(&chance, run.cpus), dice(&chance, 4) == 0);
			pause_for(dice(&chance, PAUSE));
		}
		watch();
	}
	close_for_all();
}

static void wait_for_all(void)
{
	uint64_t since = now_ms();
	const struct traveller *t;

	while ((t = gate_waits_for(run.all, run.n)) || atomic_load(&run.waiting) != run.threads) {
		thread_sleep(10 * TICK);
		if (now_ms() - since > patience_ms())
			panic("torture: %s %u does not come to the gate", t ? t->kind : "a thread",
			      t ? t->number : 0);
	}
}

static void drain_here(void *unused)
{
	(void)unused;
	page_drain();
}

/* Plenty, then want of changing degree; the books are compared at the end of each. */
static void one_phase(unsigned number)
{
	hoard_return();
	if (number % 2)
		hoard_leave(want[number / 2 % (sizeof(want) / sizeof(want[0]))]);
	atomic_store(&torture.plenty, number % 2 ? SCARCITY : PLENTY);
	let_work();
	wait_for_all();
	if (!cpu_call_all(drain_here, NULL))
		torture_fault(NULL, "a CPU could not be drained");
	torture_rest(run.all, run.n);
}

/* --- what people see */

static uint64_t sum_of(enum context c)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < run.cpus; cpu++)
		sum += atomic_load(&run.victim[cpu].times[c]);
	return sum;
}

static uint64_t sum_of_freezes(bool overtaken)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < run.cpus; cpu++)
		sum += atomic_load(overtaken ? &run.victim[cpu].overtaken
					     : &run.victim[cpu].freezes);
	return sum;
}

static uint64_t sum_of_deeds(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run.n; i++)
		sum += atomic_load(&run.all[i]->deeds);
	return sum;
}

static void show_head(uint64_t seconds)
{
	kprintf("torture: %u CPU%s, %u threads, %llu s, seed %llu\n\n"
		"%5s %12s %11s %9s %9s %9s\n", run.cpus, run.cpus == 1 ? "" : "s", run.threads,
		(unsigned long long)seconds, (unsigned long long)run.seed,
		"s", "deeds", "interrupts", "debug", "NMIs", "freezes");
}

static void show_progress(uint64_t ms)
{
	kprintf("%5llu %12llu %11llu %9llu %9llu %9llu\n", (unsigned long long)ms / 1000,
		(unsigned long long)sum_of_deeds(),
		(unsigned long long)sum_of(CTX_INTERRUPT),
		(unsigned long long)sum_of(CTX_DEBUG), (unsigned long long)sum_of(CTX_NMI),
		(unsigned long long)sum_of_freezes(false));
}

/* Travellers who never came have shown nothing. */
static bool all_came(void)
{
	return sum_of(CTX_INTERRUPT) && sum_of(CTX_DEBUG) && sum_of(CTX_NMI);
}

static bool verdict(void)
{
	uint64_t faults = atomic_load(&torture.faults), nulls = 0, sins = 0;

	for (size_t i = 0; i < run.n; i++) {
		nulls += run.all[i]->nulls;
		sins += run.all[i]->sins;
	}
	kprintf("\n%llu requests found nothing in times of want, %llu wrong calls were refused,\n"
		"%llu of %llu freezes were overtaken, %llu requests could sleep, for which %llu\n"
		"blocks were spared\n\n", (unsigned long long)nulls,
		(unsigned long long)sins, (unsigned long long)sum_of_freezes(true),
		(unsigned long long)sum_of_freezes(false),
		(unsigned long long)atomic_load(&torture.waits),
		(unsigned long long)atomic_load(&torture.spared));
	if (faults)
		kprintf("FAILURE %llu violations; the first: %s\n", (unsigned long long)faults,
			torture.first_fault);
	else if (!all_came())
		kprintf("FAILURE interrupts, debug exceptions or NMIs never came: "
			"try more seconds\n");
	else
		kprintf("SUCCESS %llu deeds, no violation\n",
			(unsigned long long)sum_of_deeds());
	return faults == 0 && all_came();
}

/* --- from beginning to end */

/* A quarter of memory is never wanted, so that phases of plenty are. */
static uint32_t quota(void)
{
	uint64_t free = 0;
	struct zone_stats s;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		free += s.free;
	}
	free = free * 3 / 4 / run.threads;
	return free > QUOTA_MAX ? QUOTA_MAX : (uint32_t)free;
}

static uint32_t end_of_memory(void)
{
	uint64_t end = 0;

	for (size_t i = 0; i < boot_info.map.n; i++)
		if (boot_info.map.r[i].type == MEM_USABLE && boot_info.map.r[i].end > end)
			end = boot_info.map.r[i].end;
	return (uint32_t)(end >> PAGE_SHIFT);
}

/* What torture itself needs, of its keeper's. */
static void *book(size_t bytes)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return allocpages(GFP_NOWAIT | GFP_ZERO, order, torture.keeper);
}

static bool prepare(uint64_t seed)
{
	memset(&run, 0, sizeof(run));
	run.cpus = cpus_online();
	run.threads = THREADS_A_CPU * run.cpus;
	run.seed = seed;
	if (!torture_open(end_of_memory()))
		return false;
	run.victim = book(run.cpus * sizeof(*run.victim));
	run.all = book((run.threads + CTX_COUNT * run.cpus) * sizeof(*run.all));
	close_for_all();
	return run.victim && run.all && hire(quota()) && start_threads();
}

static void run_for(uint64_t seconds)
{
	uint64_t start = clock_ns(), end = start + seconds * 1000 * MS;

	for (unsigned number = 0; clock_ns() < end; number++) {
		one_phase(number);
		show_progress((clock_ns() - start) / MS);
	}
}

static void all_give_back(void)
{
	for (unsigned i = 0; i < run.threads; i++)
		thread_join(threads[i], NULL);
	for (size_t i = 0; i < run.n; i++)
		traveller_empty(run.all[i]);
	mail_empty(run.all[0]);
	cpu_call_all(drain_here, NULL);
	torture_rest(run.all, run.n);
}

struct order {
	uint64_t seconds, seed;
};

/* Above all others, or the travellers would leave it no time. */
static uint64_t control(void *arg)
{
	const struct order *o = arg;

	if (!prepare(o->seed)) {
		kprintf("FAILURE no memory for the books: give the machine more\n");
		return false;
	}
	show_head(o->seconds);
	contexts_open();
	torture.wait = allocpages_wait;
	owner_set_reclaim(torture.keeper, hoard_spare, NULL);
	run_for(o->seconds);
	atomic_store(&run.over, 1);
	event_set(&opened);
	contexts_close();
	owner_set_reclaim(torture.keeper, NULL, NULL);
	all_give_back();
	return verdict();
}

bool torture_machine(uint64_t seconds, uint64_t seed)
{
	struct order o = { seconds, seed };
	uint64_t good = false;

	/* Nobody would be preempted, nor struck. */
	if (!apic_present() || !timer_present()) {
		kprintf("FAILURE no local APIC or no timer: give the machine another CPU=\n");
		return false;
	}
	struct thread *t = thread_create("torture", THREAD_HIGH, OWNER_KERNEL, control, &o);

	if (t)
		thread_join(t, &good);
	else
		kprintf("FAILURE no memory for a thread: give the machine more\n");
	return good;
}
