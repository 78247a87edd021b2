/* SPDX-License-Identifier: MIT */
/* Who runs next, who sleeps, who wakes.  The rules S1 to S4 stand in sched.h. */
#include "sched.h"

#include <arch/console.h>
#include <arch/irq.h>
#include <labyrinth/deferred.h>
#include <labyrinth/irq.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/timer.h>

#define SLICE_NS ((uint64_t)10 * 1000000)

static struct thread *of_ready(struct list_node *n) { return LIST_ENTRY(n, struct thread, ready); }

static struct thread *of_timer(struct timer_node *n) { return LIST_ENTRY(n, struct thread, timer); }

static bool movable(const struct thread *t) { return t->pinned == NOT_PINNED; }

/* --- under a CPU's lock */

/* Has @c something that is to run before @t goes on?  @behind: before @t's equals do. */
static bool outranked(const struct sched_cpu *c, const struct thread *t, bool behind)
{
	int best = runq_highest(&c->ready);

	return t == c->idle ? best >= 0 : best >= (int)t->priority + !behind;
}

static bool slice_over(const struct sched_cpu *c)
{
	return clock_ns() >= c->slice_end;
}

/*
 * Have the running CPU's timer go off when the next sleeper is due, or when the next of
 * equal priority has its turn.  One that comes too early is set again then.
 */
static void arm(struct sched_cpu *c, const struct thread *t)
{
	uint64_t when = timerq_due(&c->timers);

	if (t != c->idle && !switch_wanted() && outranked(c, t, true) && c->slice_end < when)
		when = c->slice_end;
	if (when >= c->armed)
		return;
	c->armed = when;
	timer_set_oneshot(when);
}

/* Something is ready on @c: does that change who should run there, or for how long? */
static void notify(struct sched_cpu *c)
{
	struct thread *now = c->current;

	if (!outranked(c, now, true))
		return;
	if (c != sched_cpu_here())
		cpu_kick(c->number);
	else if (outranked(c, now, slice_over(c)))
		switch_set_wanted(true);
	else
		arm(c, now);
}

void sched_enqueue(struct sched_cpu *c, struct thread *t)
{
	runq_add(&c->ready, &t->ready, t->priority, RUNQ_LAST);
	c->movable += movable(t);
	notify(c);
}

static void wake_due(struct sched_cpu *c)
{
	struct timer_node *n;

	while ((n = timerq_take(&c->timers, clock_ns()))) {
		struct thread *t = of_timer(n);

		t->timed_out = true;
		t->state = THREAD_READY;
		sched_enqueue(c, t);
	}
}

/* Current leaves: it goes where its state says. */
static void put_back(struct sched_cpu *c, struct thread *t, bool behind)
{
	if (t->state != THREAD_RUNNING)
		return;
	t->state = THREAD_READY;
	if (t == c->idle || (t->pinned != NOT_PINNED && t->pinned != c->number))
		return;			/* sched_arrive() sends it to its CPU */
	runq_add(&c->ready, &t->ready, t->priority, behind ? RUNQ_LAST : RUNQ_FIRST);
	c->movable += movable(t);
}

static struct thread *take_next(struct sched_cpu *c)
{
	struct list_node *n = runq_take(&c->ready);

	if (!n)
		return c->idle;
	c->movable -= movable(of_ready(n));
	return of_ready(n);
}

/* Hand the CPU over, and its lock with it; it is free when this returns. */
static void hand_over(struct sched_cpu *c, struct thread *next)
{
	struct thread *me = c->current;
	uint64_t now = clock_ns();

	me->ran_ns += now - me->since;
	next->since = now;
	next->switches++;
	next->state = THREAD_RUNNING;
	c->slice_end = now + SLICE_NS;
	c->previous = me;
	c->current = next;
	switch_set_current(next);
	arm(c, next);
	context_switch(&me->sp, next->sp);
	sched_arrive();
}

static bool may_stay(const struct sched_cpu *c, const struct thread *t, bool behind)
{
	return t->state == THREAD_RUNNING && !outranked(c, t, behind) &&
	       (movable(t) || t->pinned == c->number);
}

/* The lock of @c is held, and released. */
static void choose(struct sched_cpu *c, bool behind)
{
	struct thread *me = c->current, *next;

	switch_set_wanted(false);
	behind = behind || slice_over(c);
	if (may_stay(c, me, behind)) {
		arm(c, me);
		spin_unlock(&c->lock);
		return;
	}
	put_back(c, me, behind);
	next = take_next(c);
	if (next != me) {
		hand_over(c, next);
		return;
	}
	me->state = THREAD_RUNNING;
	spin_unlock(&c->lock);
}

/* --- from outside */

/* It has left this CPU for good, and wants to go on at another. */
static bool emigrates(struct sched_cpu *c, struct thread *t)
{
	if (t->state != THREAD_READY || t == c->idle || movable(t) || t->pinned == c->number)
		return false;
	/* Relaxed: the lock of the CPU that it leaves publishes it (S1). */
	atomic_store_explicit(&t->cpu, t->pinned, memory_order_relaxed);
	return true;
}

void sched_arrive(void)
{
	struct sched_cpu *c = sched_cpu_here();
	struct thread *before = c->previous;
	bool dead = before->state == THREAD_DEAD, leaves = emigrates(c, before);

	balance_ask_for_help(c);
	spin_unlock(&c->lock);
	if (dead)
		thread_ended(before);
	else if (leaves)
		sched_start(before);
}

void sched_choose(bool behind)
{
	/* Again, when the end of the thread before has woken one that should run here. */
	do {
		struct sched_cpu *c;

		deferred_run();		/* in case there is no interrupt to do it */
		c = sched_cpu_here();
		spin_lock(&c->lock);
		wake_due(c);
		choose(c, behind);
		behind = false;
	} while (switch_wanted());
}

bool sched_block(struct spinlock *held, uint64_t deadline)
{
	struct sched_cpu *c = sched_cpu_here();
	struct thread *me = c->current;

	spin_lock(&c->lock);
	me->state = THREAD_BLOCKED;
	me->timed_out = false;
	if (deadline != WAIT_FOREVER)
		timerq_add(&c->timers, &me->timer, deadline);
	spin_unlock(held);
	wake_due(c);
	choose(c, false);
	return !me->timed_out;
}

/* @t, READY and in no queue, belongs to @c, whose lock is held, and released. */
static void settle_down(struct sched_cpu *c, struct thread *t)
{
	unsigned cpu = balance_place(t);

	if (cpu != c->number) {		/* relaxed: published by the lock (S1) */
		atomic_store_explicit(&t->cpu, cpu, memory_order_relaxed);
		spin_unlock(&c->lock);
		c = sched_cpu_of(cpu);
		spin_lock(&c->lock);
	}
	sched_enqueue(c, t);
	balance_ask_for_help(c);
	spin_unlock(&c->lock);
}

void sched_wake(struct thread *t)
{
	struct sched_cpu *c = sched_lock_cpu_of(t);

	if (t->state != THREAD_BLOCKED) {
		spin_unlock(&c->lock);
		return;
	}
	timerq_remove(&c->timers, &t->timer);
	t->state = THREAD_READY;
	settle_down(c, t);
}

void sched_start(struct thread *t)
{
	settle_down(sched_lock_cpu_of(t), t);
}

void sched_timer(void)
{
	struct sched_cpu *c = sched_cpu_here();

	if (!c)
		return;
	spin_lock(&c->lock);
	c->armed = TIMER_NEVER;
	wake_due(c);
	if (outranked(c, c->current, slice_over(c)))
		switch_set_wanted(true);
	arm(c, c->current);
	spin_unlock(&c->lock);
}

bool sched_anything_due(struct sched_cpu *c)
{
	return timerq_due(&c->timers) != UINT64_MAX;
}

_Noreturn void sched_end(void)
{
	struct sched_cpu *c = sched_cpu_here();

	spin_lock(&c->lock);
	c->current->state = THREAD_DEAD;
	choose(c, false);
	panic("a thread that had ended went on");
}

void sched_preempt(void)
{
	uint64_t flags;

	if (!irq_enabled() || switch_forbidden() || in_interrupt())
		return;
	flags = irq_save();
	if (switch_wanted())
		sched_choose(false);
	irq_restore(flags);
}

/* Called by the entry code of interrupts. */
void preempt_from_irq(void)
{
	if (sched_cpu_here())
		sched_choose(false);
}

void sched_may_sleep(const char *what)
{
	const struct sched_cpu *c;

	if (in_interrupt())
		panic("%s in %s, which cannot sleep", what,
		      in_nmi() ? "the handler of an NMI" : "an interrupt's handler");
	if (switch_forbidden())
		panic("%s while preemption is forbidden", what);
	c = sched_cpu_here();		/* stale if we move; then we are not idle anyway */
	if (c && thread_current() == c->idle)
		panic("%s on the stack for when there is nothing to do", what);
}
