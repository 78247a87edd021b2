/* SPDX-License-Identifier: MIT */
/* Mutex, semaphore and event: each a condition, and the queue of those who wait for it. */
#include <labyrinth/wait.h>

#include <labyrinth/panic.h>

#include "sched.h"

bool mutex_try(struct mutex *m)
{
	uint64_t flags = wait_lock(&m->queue);
	bool mine = !m->holder;

	if (mine)
		m->holder = thread_current();
	wait_unlock(&m->queue, flags);
	return mine;
}

/* The holder names its successor, so that one who is woken need not look. */
bool mutex_lock_until(struct mutex *m, uint64_t deadline)
{
	uint64_t flags;
	bool mine = true;

	sched_may_sleep("mutex_lock()");
	flags = wait_lock(&m->queue);
	if (m->holder == thread_current())
		panic("thread %s locks a mutex that it holds", thread_name(thread_current()));
	if (!m->holder)
		m->holder = thread_current();
	else
		mine = wait_on(&m->queue, deadline);
	wait_unlock(&m->queue, flags);
	return mine;
}

void mutex_lock(struct mutex *m)
{
	mutex_lock_until(m, WAIT_FOREVER);
}

void mutex_unlock(struct mutex *m)
{
	uint64_t flags = wait_lock(&m->queue);

	if (m->holder != thread_current())
		panic("thread %s unlocks a mutex that %s%s holds", thread_name(thread_current()),
		      m->holder ? "thread " : "nobody", m->holder ? thread_name(m->holder) : "");
	m->holder = wake_one(&m->queue);
	wait_unlock(&m->queue, flags);
}

bool semaphore_down(struct semaphore *s, uint64_t deadline)
{
	uint64_t flags;
	bool got = true;

	sched_may_sleep("semaphore_down()");
	flags = wait_lock(&s->queue);
	if (s->count > 0)
		s->count--;
	else
		got = wait_on(&s->queue, deadline);	/* handed over, as a mutex is */
	wait_unlock(&s->queue, flags);
	return got;
}

void semaphore_up(struct semaphore *s)
{
	uint64_t flags = wait_lock(&s->queue);

	if (!wake_one(&s->queue))
		s->count++;
	wait_unlock(&s->queue, flags);
}

bool event_wait(struct event *e, uint64_t deadline)
{
	uint64_t flags;
	bool happened;

	sched_may_sleep("event_wait()");
	flags = wait_lock(&e->queue);
	/* All who wait when it happens go on, even if it is taken back at once. */
	happened = e->happened || wait_on(&e->queue, deadline);
	wait_unlock(&e->queue, flags);
	return happened;
}

void event_set(struct event *e)
{
	uint64_t flags = wait_lock(&e->queue);

	e->happened = true;
	wake_all(&e->queue);
	wait_unlock(&e->queue, flags);
}

void event_clear(struct event *e)
{
	uint64_t flags = wait_lock(&e->queue);

	e->happened = false;
	wait_unlock(&e->queue, flags);
}
