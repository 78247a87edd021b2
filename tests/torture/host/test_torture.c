/* SPDX-License-Identifier: MIT */
/* Torture in a Linux process: threads for CPUs, and phases of plenty and of want. */
#define SUITE "threads.torture"
#include <tests/test.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../torture.h"
#include "../../../arch/host/machine.h"
#include "../../conformance/conform.h"
#include "../../conformance/crew/crew.h"

#define HANDS  3u
#define PHASES 6u

static struct traveller *hands[HANDS];
static _Atomic unsigned at_gate, over;

/* Works while the gate is open; waits in front of it, drained, while it is closed. */
static void *work(void *arg)
{
	struct traveller *t = arg;

	host_bind_cpu(t->number);
	while (!atomic_load(&over)) {
		if (traveller_step(t))
			continue;
		page_drain();
		atomic_fetch_add(&at_gate, 1);
		while (atomic_load(&torture.closed) && !atomic_load(&over))
			sched_yield();
		atomic_fetch_sub(&at_gate, 1);
	}
	return NULL;
}

static const struct traveller *wait_at_gate(void)
{
	while (gate_waits_for(hands, HANDS) || atomic_load(&at_gate) != HANDS)
		sched_yield();
	return NULL;
}

/* Let them work until each has done @deeds more. */
static void let_work(uint64_t deeds)
{
	uint64_t until[HANDS];

	for (unsigned i = 0; i < HANDS; i++)
		until[i] = atomic_load(&hands[i]->deeds) + deeds;
	gate_open();
	for (unsigned i = 0; i < HANDS; i++)
		while (atomic_load(&hands[i]->deeds) < until[i])
			sched_yield();
	gate_close();
	wait_at_gate();
}

/* Plenty and want by turns; the books are compared after each. */
static void run_phases(void)
{
	for (unsigned phase = 0; phase < PHASES; phase++) {
		static const uint64_t leave[] = { 1, 40, 700 };

		hoard_return();
		if (phase % 2)
			hoard_leave(leave[phase / 2]);
		atomic_store(&torture.plenty, phase % 2 ? SCARCITY : PLENTY);
		let_work(crew_rounds(12000));
		torture_rest(hands, HANDS);
	}
}

static void torture_process(void)
{
	pthread_t thread[HANDS];

	gate_close();
	for (unsigned i = 0; i < HANDS; i++) {
		hands[i] = calloc(1, sizeof(*hands[i]));
		if (!hands[i])
			abort();
		traveller_init(hands[i], "thread", i, i, CAN_ALL, 2500, test_random());
		if (pthread_create(&thread[i], NULL, work, hands[i]) != 0)
			abort();
	}
	wait_at_gate();
	run_phases();
	atomic_store(&over, 1);
	for (unsigned i = 0; i < HANDS; i++) {
		pthread_join(thread[i], NULL);
		traveller_empty(hands[i]);
	}
	mail_empty(hands[0]);
	page_drain();
	torture_rest(hands, HANDS);
}

TEST(threads_for_cpus)
{
	atomic_store(&over, 0);
	atomic_store(&at_gate, 0);
	ASSERT(conform_start(&labyrinth_ops, CONFORM_SMALL, HANDS) == 0);
	ASSERT(torture_open(0x102400));
	torture_process();
	for (unsigned i = 0; i < HANDS; i++) {
		test_note("%s %u: %llu deeds, %llu requests failed, %llu sins", hands[i]->kind, i,
			  (unsigned long long)hands[i]->deeds,
			  (unsigned long long)hands[i]->nulls,
			  (unsigned long long)hands[i]->sins);
		free(hands[i]);
	}
	torture_close();
	if (torture.faults)
		test_fail(__FILE__, __LINE__, torture.first_fault);
	labyrinth_ops.stop();
}
