/* SPDX-License-Identifier: MIT */
/*
 * On which CPU a thread runs: one that wakes goes to an idle CPU if there is one, and a
 * CPU that becomes idle takes over a thread that waits for another.
 *
 * A CPU sets its bit of idle[] and then looks at the others' queues; who has queued a
 * thread looks at idle[] afterwards.  So one of the two sees the other.
 */
#include "sched.h"

#include <labyrinth/smp.h>

#define WORDS (SCHED_CPUS_MAX / 64)

static _Atomic uint64_t idle[WORDS];
static _Atomic unsigned nidle;		/* a hint: 0 spares the search */

void balance_set_idle(unsigned cpu)
{
	uint64_t bit = (uint64_t)1 << cpu % 64;

	if (!(atomic_fetch_or(&idle[cpu / 64], bit) & bit))
		atomic_fetch_add(&nidle, 1);
}

/* Return: was it idle, and is now spoken for? */
bool balance_claim(unsigned cpu)
{
	uint64_t bit = (uint64_t)1 << cpu % 64;

	/* Relaxed: whether the bit is there is decided by the exchange behind. */
	if (!(atomic_load_explicit(&idle[cpu / 64], memory_order_relaxed) & bit) ||
	    !(atomic_fetch_and(&idle[cpu / 64], ~bit) & bit))
		return false;
	atomic_fetch_sub(&nidle, 1);
	return true;
}

/* Any idle CPU but @but.  Return: SCHED_CPUS_MAX when there is none. */
static unsigned claim_any(unsigned but)
{
	for (unsigned w = 0; atomic_load(&nidle) && w < WORDS; w++) {
		uint64_t bits = atomic_load(&idle[w]);

		for (; bits; bits &= bits - 1) {
			unsigned cpu = w * 64 + (unsigned)__builtin_ctzll(bits);

			if (cpu != but && balance_claim(cpu))
				return cpu;
		}
	}
	return SCHED_CPUS_MAX;
}

unsigned balance_place(const struct thread *t)
{
	/* Relaxed: the caller holds the lock that guards it. */
	unsigned last = atomic_load_explicit(&t->cpu, memory_order_relaxed), other;

	if (t->pinned != NOT_PINNED)
		return t->pinned;
	if (balance_claim(last))
		return last;
	other = claim_any(last);
	return other < SCHED_CPUS_MAX ? other : last;
}

void balance_ask_for_help(const struct sched_cpu *c)
{
	unsigned helper;

	if (c->movable == 0)
		return;
	/* Against balance_set_idle() and the look in busiest(). */
	atomic_thread_fence(memory_order_seq_cst);
	helper = claim_any(c->number);
	if (helper < SCHED_CPUS_MAX)
		cpu_kick(helper);
}

/* By a look in passing; whether there is one to be had turns out under its lock. */
static struct sched_cpu *busiest(const struct sched_cpu *me)
{
	struct sched_cpu *best = NULL;
	unsigned most = 0;

	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		struct sched_cpu *c = sched_cpu_of(cpu);
		unsigned n = c && c != me ? *(volatile unsigned *)&c->movable : 0;

		if (n > most) {
			most = n;
			best = c;
		}
	}
	return best;
}

/* The first of the highest priority that may move. */
static struct thread *take_movable(struct sched_cpu *c)
{
	for (uint32_t levels = c->ready.levels; levels;) {
		unsigned p = 31 - (unsigned)__builtin_clz(levels);
		const struct list *l = &c->ready.level[p];

		for (struct list_node *n = l->first; n; n = list_next(l, n)) {
			struct thread *t = LIST_ENTRY(n, struct thread, ready);

			if (t->pinned != NOT_PINNED)
				continue;
			runq_remove(&c->ready, n, p);
			c->movable--;
			return t;
		}
		levels &= ~((uint32_t)1 << p);
	}
	return NULL;
}

bool balance_pull(struct sched_cpu *me)
{
	struct sched_cpu *c = busiest(me);
	struct thread *t;

	if (!c)
		return false;
	spin_lock(&c->lock);
	t = take_movable(c);
	if (t)		/* relaxed: published by the lock */
		atomic_store_explicit(&t->cpu, me->number, memory_order_relaxed);
	spin_unlock(&c->lock);
	if (!t)
		return false;
	spin_lock(&me->lock);
	sched_enqueue(me, t);
	spin_unlock(&me->lock);
	return true;
}
