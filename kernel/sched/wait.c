/* SPDX-License-Identifier: MIT */
/* Wait queues; wait.h has the promises, sched.h the rules why no wake-up is lost. */
#include <labyrinth/wait.h>

#include "sched.h"
#include "waitlist.h"

uint64_t wait_lock(struct wait_queue *q)
{
	return spin_lock_irqsave(&q->lock);
}

void wait_unlock(struct wait_queue *q, uint64_t flags)
{
	spin_unlock_irqrestore(&q->lock, flags);
}

static unsigned priority_of(const struct list_node *n)
{
	return LIST_ENTRY(n, const struct thread, waiting)->priority;
}

/*
 * Who has left the queue was woken, even if the clock was faster; who is in it and was
 * not timed out has been woken by nobody.
 */
bool wait_on(struct wait_queue *q, uint64_t deadline)
{
	struct thread *me = thread_current();

	waitlist_add(&q->waiters, &me->waiting, priority_of);
	sched_block(&q->lock, deadline);
	spin_lock(&q->lock);
	if (!list_linked(&me->waiting))
		return true;
	list_remove(&q->waiters, &me->waiting);
	return false;
}

struct thread *wake_one(struct wait_queue *q)
{
	struct thread *t;

	if (list_empty(&q->waiters))
		return NULL;
	t = LIST_ENTRY(q->waiters.first, struct thread, waiting);
	list_remove(&q->waiters, &t->waiting);
	sched_wake(t);
	return t;
}

unsigned wake_all(struct wait_queue *q)
{
	unsigned n = 0;

	while (wake_one(q))
		n++;
	return n;
}
