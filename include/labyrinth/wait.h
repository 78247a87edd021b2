/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something to become true.
 *
 * A queue has a lock, which also guards whatever is waited for:
 *
 *	flags = wait_lock(&q);                    flags = wait_lock(&q);
 *	while (!there && wait_on(&q, deadline))   there = true;
 *		;                                 wake_one(&q);
 *	wait_unlock(&q, flags);                   wait_unlock(&q, flags);
 *
 * Who waits is in the queue before the lock is released, so that no wake-up is lost.
 * Those of higher priority are woken first, and among equals who came first.
 * Deadlines are as clock_ns() tells the time; WAIT_FOREVER is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <labyrinth/list.h>
#include <labyrinth/spinlock.h>
#include <labyrinth/thread.h>

/* All zero: nobody waits. */
struct wait_queue {
	struct spinlock lock;
	struct list waiters;
};

/* Context: threads and interrupt handlers; not in_nmi(). */
uint64_t wait_lock(struct wait_queue *q);
void wait_unlock(struct wait_queue *q, uint64_t flags);

/**
 * wait_on() - sleep until woken, or @deadline
 *
 * Context: a thread that may sleep and holds the lock, which is released meanwhile.
 * Return:  false when @deadline came first.
 */
bool wait_on(struct wait_queue *q, uint64_t deadline);

/**
 * wake_one() - the first who waits goes on
 * wake_all() - all of them do
 *
 * Context: the lock is held: threads and interrupt handlers.
 * Return:  who was woken, or NULL; how many were.
 */
struct thread *wake_one(struct wait_queue *q);
unsigned wake_all(struct wait_queue *q);

/* --- a lock for threads, which sleep until it is theirs */

/* All zero: free.  It goes to the next waiter directly, so that nobody overtakes. */
struct mutex {
	struct wait_queue queue;
	struct thread *holder;
};

/**
 * mutex_lock()       - wait for it
 * mutex_lock_until() - but not after @deadline
 * mutex_try()        - or not at all
 *
 * Context: threads that may sleep; mutex_try(): threads.
 * Return:  false when it was not to be had.
 * Panics:  when the caller holds it already.
 */
void mutex_lock(struct mutex *m);
bool mutex_lock_until(struct mutex *m, uint64_t deadline);
bool mutex_try(struct mutex *m);

/* Context: the thread that holds it.  Panics: if it is another's. */
void mutex_unlock(struct mutex *m);

/* --- a count of things to be had */

struct semaphore {
	struct wait_queue queue;
	uint64_t count;			/* there, and not yet taken */
};

/* Take one, when there is one.  Context: threads that may sleep.  Return: false after @deadline. */
bool semaphore_down(struct semaphore *s, uint64_t deadline);

/* One more.  Context: threads and interrupt handlers. */
void semaphore_up(struct semaphore *s);

/* --- something that has happened, until it is taken back */

struct event {
	struct wait_queue queue;
	bool happened;
};

/* Wait until it has happened.  Context: threads that may sleep.  Return: false after @deadline. */
bool event_wait(struct event *e, uint64_t deadline);

/* It has happened: all go on.  Context: threads and interrupt handlers. */
void event_set(struct event *e);

/* It has not happened yet.  Context: threads and interrupt handlers. */
void event_clear(struct event *e);
