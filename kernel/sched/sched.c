/* SPDX-License-Identifier: MIT */
/* Who runs next, who sleeps, who wakes.  The rules S1 to S4 stand in sched.h. */
#include "sched.h"

#include <arch/console.h>
#include <arch/irq.h>
#include <labyrinth/irq.h>
#include <labyrinth/panic.h>

#define SLICE_NS ((uint64_t)10 * 1000000)

static struct thread *of_ready(struct list_node *n) { return LIST_ENTRY(n, struct thread, ready); }

static struct thread *of_timer(struct timer_node *n) { return LIST_ENTRY(n, struct thread, timer); }

/* --- under a CPU's lock */

/* Has @c something that is to run before @t goes on? */
static bool outranked(const struct sched_cpu *c, const struct thread *t, bool behind)
{
	int best = runq_highest(&c->ready);

	return t == c->idle ? best >= 0 : best >= (int)t->priority + !behind;
}

/* @t, READY and in no queue, joins those of @c, the running CPU's or another. */
static void enqueue(struct sched_cpu *c, struct thread *t)
{
	runq_add(&c->ready, &t->ready, t->priority, RUNQ_LAST);
	if (outranked(c, c->current, false))
		switch_set_wanted(true);
}

/* The timer's part of waking: @t is BLOCKED on @c, and goes on there. */
static void unblock(struct sched_cpu *c, struct thread *t, bool timed_out)
{
	timerq_remove(&c->timers, &t->timer);
	t->timed_out = timed_out;
	t->state = THREAD_READY;
	enqueue(c, t);
}

static void wake_due(struct sched_cpu *c)
{
	struct timer_node *n;

	while ((n = timerq_take(&c->timers, clock_ns())))
		unblock(c, of_timer(n), true);
}

/* Current leaves: it goes where its state says. */
static void put_back(struct sched_cpu *c, struct thread *t, bool behind)
{
	if (t->state != THREAD_RUNNING)
		return;
	t->state = THREAD_READY;
	if (t != c->idle)
		runq_add(&c->ready, &t->ready, t->priority, behind ? RUNQ_LAST : RUNQ_FIRST);
}

static struct thread *take_next(struct sched_cpu *c)
{
	struct list_node *n = runq_take(&c->ready);

	return n ? of_ready(n) : c->idle;
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
	context_switch(&me->sp, next->sp);
	sched_arrive();
}

/* The lock of @c is held, and released. */
static void choose(struct sched_cpu *c, bool behind)
{
	struct thread *me = c->current, *next;

	switch_set_wanted(false);
	if (me->state == THREAD_RUNNING && !outranked(c, me, behind)) {
		spin_unlock(&c->lock);
		return;
	}
	put_back(c, me, behind);
	next = take_next(c);
	if (next == me) {
		me->state = THREAD_RUNNING;
		spin_unlock(&c->lock);
		return;
	}
	hand_over(c, next);
}

/* --- from outside */

void sched_arrive(void)
{
	struct sched_cpu *c = sched_cpu_here();
	struct thread *before = c->previous;
	bool dead = before->state == THREAD_DEAD;

	spin_unlock(&c->lock);
	if (dead)
		thread_ended(before);
}

void sched_choose(bool behind)
{
	struct sched_cpu *c = sched_cpu_here();

	spin_lock(&c->lock);
	wake_due(c);
	choose(c, behind);
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

void sched_wake(struct thread *t)
{
	struct sched_cpu *c = sched_lock_cpu_of(t);

	if (t->state == THREAD_BLOCKED)
		unblock(c, t, false);
	spin_unlock(&c->lock);
}

void sched_start(struct thread *t)
{
	struct sched_cpu *c = sched_lock_cpu_of(t);

	enqueue(c, t);
	spin_unlock(&c->lock);
}

void sched_tick(void)
{
	struct sched_cpu *c = sched_cpu_here();

	spin_lock(&c->lock);
	wake_due(c);
	spin_unlock(&c->lock);
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

void thread_yield(void)
{
	uint64_t flags;

	sched_may_sleep("yield");
	flags = irq_save();
	sched_choose(true);
	irq_restore(flags);
}

void preempt_disable(void)
{
	switch_forbid();
}

void preempt_enable(void)
{
	switch_allow();
	if (__builtin_expect(switch_wanted(), 0))
		sched_preempt();
}

void sched_may_sleep(const char *what)
{
	if (in_interrupt())
		panic("%s in %s, which cannot sleep", what,
		      in_nmi() ? "the handler of an NMI" : "an interrupt's handler");
	if (switch_forbidden())
		panic("%s while preemption is forbidden", what);
}
