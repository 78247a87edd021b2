/* SPDX-License-Identifier: MIT */
/* The run queue's lists and bits; see runq.h. */
#include "runq.h"

void runq_add(struct runq *q, struct list_node *n, unsigned priority, enum runq_end end)
{
	struct list *l = &q->level[priority];

	list_insert(l, end == RUNQ_FIRST ? l->first : NULL, n);
	q->levels |= (uint32_t)1 << priority;
	q->count++;
}

void runq_remove(struct runq *q, struct list_node *n, unsigned priority)
{
	list_remove(&q->level[priority], n);
	if (list_empty(&q->level[priority]))
		q->levels &= ~((uint32_t)1 << priority);
	q->count--;
}

struct list_node *runq_take(struct runq *q)
{
	int highest = runq_highest(q);
	struct list_node *n;

	if (highest < 0)
		return NULL;
	n = q->level[highest].first;
	runq_remove(q, n, (unsigned)highest);
	return n;
}
