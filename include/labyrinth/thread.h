/* SPDX-License-Identifier: MIT */
/*
 * Kernel threads: preemptive, with priorities, on every CPU.  docs/threads.md draws
 * their states, and says who may sleep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/owner.h>

struct thread;

typedef uint64_t (*thread_fn_t)(void *arg);

#define THREAD_PRIORITIES 32u		/* 0 gives way to all others */
#define THREAD_LOW        8u
#define THREAD_NORMAL     16u
#define THREAD_HIGH       24u
#define THREAD_NAME_MAX   24u		/* bytes with the terminator; longer is cut */
#define THREAD_STACK      0x4000u	/* bytes, less a few hundred for the thread itself */
#define THREADS_MAX       16384u

#define WAIT_FOREVER UINT64_MAX		/* as a deadline or a timeout */

/**
 * thread_create() - a thread that runs @fn(@arg), and then waits to be joined
 * @name:     for people; copied
 * @priority: 0..THREAD_PRIORITIES - 1; of those that are ready the highest run
 * @owner:    who pays for the stack: 4 frames, until it is joined
 *
 * It begins with interrupts enabled, on whichever CPU suits.
 *
 * Context: threads.  Does not wait for memory.
 * Return:  the thread, to be joined by exactly one caller; NULL without memory.
 */
struct thread *thread_create(const char *name, unsigned priority, owner_t owner, thread_fn_t fn,
			     void *arg);

/* As thread_create(), on CPU @cpu only, which must be online. */
struct thread *thread_create_on(unsigned cpu, const char *name, unsigned priority, owner_t owner,
				thread_fn_t fn, void *arg);

/* End the running thread; returning @value from its function does the same. */
_Noreturn void thread_exit(uint64_t value);

/**
 * thread_join() - wait until @t has ended, and forget it
 * @value: receives what it returned; may be NULL
 *
 * Afterwards @t is no thread any more, and its memory is free.
 *
 * Context: threads that may sleep; not @t itself.
 */
void thread_join(struct thread *t, uint64_t *value);

/**
 * thread_join_until() - the same, but not after @deadline
 * @deadline: as clock_ns() tells the time
 *
 * Return: false when it has not ended by then; it is still to be joined.
 */
bool thread_join_until(struct thread *t, uint64_t deadline, uint64_t *value);

/* The running thread.  Context: any; in a handler, the one that was interrupted. */
struct thread *thread_current(void);

/* Context: any, while the thread has not been joined. */
const char *thread_name(const struct thread *t);
unsigned thread_priority(const struct thread *t);

/**
 * thread_move() - go on at CPU @cpu, and stay there
 * @cpu: THREAD_ANY_CPU: anywhere again
 *
 * Context: threads that may sleep.
 * Return:  false, and nothing has changed, when there are no threads on that CPU.
 */
bool thread_move(uint32_t cpu);

#define THREAD_ANY_CPU UINT32_MAX

/* Let others of the same priority run first.  Context: threads that may sleep. */
void thread_yield(void);

/**
 * thread_sleep_until() - run no more until @deadline, as clock_ns() tells the time
 * thread_sleep()       - for @ns nanoseconds
 *
 * Without a clock they return at once.
 *
 * Context: threads that may sleep.
 */
void thread_sleep_until(uint64_t deadline);
void thread_sleep(uint64_t ns);

/**
 * thread_park_until() - sleep until thread_unpark() or @deadline
 *
 * An unpark that came since the last park counts, so that none is lost.
 *
 * Context: threads that may sleep.
 * Return:  false when @deadline came first.
 */
bool thread_park_until(uint64_t deadline);

/* Wake @t from its park, or its next one.  Context: threads and interrupt handlers. */
void thread_unpark(struct thread *t);

/**
 * preempt_disable() - the running thread stays on this CPU
 * preempt_enable()  - no longer; nests
 *
 * In between it must not sleep.
 *
 * Context: any, but enable not in_nmi() while another thread is due.
 */
void preempt_disable(void);
void preempt_enable(void);

/**
 * sched_may_sleep() - stop who is about to do what needs a thread that may sleep, and is none
 * @what: what that is, for the report
 *
 * Context: any.
 * Panics:  in a handler, while preemption is forbidden, or in an idle thread.
 */
void sched_may_sleep(const char *what);

enum thread_state {
	THREAD_READY,			/* would run if a CPU were free */
	THREAD_RUNNING,
	THREAD_BLOCKED,			/* waits for something, or some time */
	THREAD_DEAD,			/* has ended, and has not been joined */
	THREAD_STATE_COUNT
};

const char *thread_state_name(enum thread_state s);	/* Context: any. */

/* A snapshot of one thread. */
struct thread_info {
	uint64_t number;		/* counts up from 1 */
	char name[THREAD_NAME_MAX];
	enum thread_state state;
	unsigned cpu;			/* where it runs, or ran last */
	unsigned priority;
	owner_t owner;
	uint64_t ran_ns;
	uint64_t switches;		/* how often it was given a CPU */
	size_t stack_used, stack_size;	/* bytes; the deepest yet; 0 of 0: not known */
};

/**
 * thread_list() - what threads there are
 * @after: a thread's number; 0 for the first
 *
 * Context: threads and interrupt handlers.
 * Return:  false when no thread has a number above @after.
 */
bool thread_list(uint64_t after, struct thread_info *out);

/* The thread in the guard of whose stack @addr lies, or NULL.  Context: any. */
const struct thread *thread_of_guard(uintptr_t addr);

/**
 * sched_init() - whoever calls becomes the thread "main", on CPU 0 for good
 * Context: boot, after mm_init() and irq_init().
 * Panics:  without memory for the idle thread.
 */
void sched_init(void);

/**
 * sched_init_cpu() - threads can run on this CPU, too; whoever calls is its idle thread
 * Context: boot of that CPU, when nobody can give it up any more.
 * Return:  false without memory: no threads come here.
 */
bool sched_init_cpu(void);
