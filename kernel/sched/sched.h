/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's own: what a thread is, and what a CPU has to run.
 *
 * Each CPU has a lock, held across the switch from one thread to another: the thread that
 * runs next releases what the one before has taken.  So whoever holds the lock of a
 * thread's CPU finds the thread wholly on its stack or wholly off it.
 *
 * S1  A thread's state, and which CPU it belongs to, change under the lock of that CPU.
 *     It changes CPUs only while READY and in no run queue, or just off its stack on the way
 *     to the CPU it is pinned to; see sched_lock_cpu_of().
 * S2  READY: in its CPU's run queue, or in the hands of one who moves it.  RUNNING: its
 *     CPU's current.  BLOCKED: nowhere.  A timer is queued only while BLOCKED, on its CPU.
 * S3  Who blocks takes the lock of its CPU before it gives up that of the wait queue.
 *     So a waker, who takes them in the same order, finds it blocked, and off its stack.
 * S4  Locks are taken in the order: wait queue, CPU.  Never those of two CPUs.
 */
#pragma once

#include <stdatomic.h>

#include <arch/switch.h>
#include <labyrinth/spinlock.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#include "runq.h"
#include "timerq.h"

#define NOT_PINNED     UINT32_MAX
#define SCHED_CPUS_MAX 256u

struct thread {
	void *sp;			/* where its stack was left, while it does not run */

	/* S1. */
	_Atomic uint32_t cpu;
	enum thread_state state;
	struct list_node ready;
	struct timer_node timer;
	bool timed_out;			/* the timer ended the last wait */
	uint64_t since;			/* when it was given its CPU */
	uint64_t ran_ns, switches;

	/* The lock of the wait queue that it is in. */
	struct list_node waiting;

	/* Its own; those who list threads look. */
	uint64_t number;
	char name[THREAD_NAME_MAX];
	uint32_t priority;
	uint32_t pinned;		/* to this CPU, or NOT_PINNED */
	owner_t owner;
	thread_fn_t fn;
	void *arg;
	void *stack_top;		/* NULL: not one of ours */
	struct list_node all;		/* the lock of the list of threads */

	uint64_t patience;		/* how long it waits for memory; its own */

	struct wait_queue parking;
	bool unparked;			/* the lock of parking */

	struct wait_queue ending;
	bool ended;			/* the lock of ending */
	uint64_t value;			/* what its function returned; valid when ended */
};

struct sched_cpu {
	struct spinlock lock;
	struct runq ready;
	struct timerq timers;
	struct thread *current, *idle;
	struct thread *previous;	/* from whom current took over, until it has said so */
	uint64_t slice_end;		/* then others of current's priority have their turn */
	uint64_t armed;			/* for when the timer is set; TIMER_NEVER: it is not */
	unsigned movable;		/* of those ready; others look at it as a hint */
	unsigned number;
};

/* --- sched.c */

/**
 * sched_block() - the running thread sleeps
 * @held:     a lock, released once the thread cannot miss a wake-up any more
 * @deadline: when it is woken at the latest
 *
 * Context: a thread that may sleep, interrupts masked.
 * Return:  false when @deadline woke it.  The lock is not taken again.
 */
bool sched_block(struct spinlock *held, uint64_t deadline);

/* @t goes on, if it is blocked.  Context: interrupts masked, no CPU's lock held. */
void sched_wake(struct thread *t);

/* @t, READY and in no queue, is @c's.  Context: the lock of @c is held. */
void sched_enqueue(struct sched_cpu *c, struct thread *t);

/* Choose who runs; @behind: the running thread has had its turn.  Context: interrupts masked. */
void sched_choose(bool behind);

/* The first thing that runs behind each switch: completes it.  Context: interrupts masked. */
void sched_arrive(void);

/* The running thread has ended.  Context: a thread, interrupts masked. */
_Noreturn void sched_end(void);

/* A new thread, READY and in no queue, may run.  Context: interrupts masked. */
void sched_start(struct thread *t);

/* Let another thread run, if one should and nothing forbids it.  Context: any. */
void sched_preempt(void);

/* The running CPU's timer has gone off.  Context: its interrupt. */
void sched_timer(void);

/* Does anybody on @c wait for a moment?  Context: @c itself, interrupts masked. */
bool sched_anything_due(struct sched_cpu *c);

/* --- balance.c */

/* CPU @cpu has nothing to run.  Context: that CPU, interrupts masked. */
void balance_set_idle(unsigned cpu);

/* It will have.  Context: any.  Return: was it idle? */
bool balance_claim(unsigned cpu);

/* Where @t should go on; if an idle CPU, that one is claimed.  Context: its CPU's lock. */
unsigned balance_place(const struct thread *t);

/* Has @c more than it can run at once?  Then an idle CPU is called.  Context: its lock. */
void balance_ask_for_help(const struct sched_cpu *c);

/* Take over a thread from another CPU.  Context: idle CPU @me, interrupts masked. */
bool balance_pull(struct sched_cpu *me);

/* --- cpu.c */

/* NULL while that CPU has no threads. */
struct sched_cpu *sched_cpu_of(unsigned cpu);

/* The running CPU's.  Context: interrupts masked. */
struct sched_cpu *sched_cpu_here(void);

/* @c has threads from now on.  Context: boot of that CPU. */
void sched_cpu_add(struct sched_cpu *c);

/* Lock the CPU to which @t belongs.  Context: interrupts masked. */
struct sched_cpu *sched_lock_cpu_of(struct thread *t);

/* --- thread.c */

/* Fill in a thread that is all zero.  Context: any. */
void thread_setup(struct thread *t, const char *name, unsigned priority, owner_t owner);

/* A thread of CPU @cpu in no queue, READY for when there is nothing else.  NULL: no memory. */
struct thread *thread_create_idle(unsigned cpu, thread_fn_t fn);

/* It has been switched away from for good; who joins it may know.  Context: interrupts masked. */
void thread_ended(struct thread *t);
