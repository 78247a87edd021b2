/* SPDX-License-Identifier: MIT */
/*
 * A run queue: a list for each priority, and a bit for each list that is not empty.
 * Pure data, guarded by its CPU's lock.
 */
#pragma once

#include <labyrinth/list.h>
#include <labyrinth/thread.h>

struct runq {
	uint32_t levels;		/* bit p: level[p] is not empty */
	unsigned count;			/* of all lists; others may read it as a hint */
	struct list level[THREAD_PRIORITIES];
};

_Static_assert(THREAD_PRIORITIES <= 32, "a bit each");

/* Where among those of its priority. */
enum runq_end { RUNQ_FIRST, RUNQ_LAST };

void runq_add(struct runq *q, struct list_node *n, unsigned priority, enum runq_end end);
void runq_remove(struct runq *q, struct list_node *n, unsigned priority);

/* The highest priority in it, or -1 when it is empty. */
static inline int runq_highest(const struct runq *q)
{
	return q->levels ? 31 - __builtin_clz(q->levels) : -1;
}

/* The first of the highest priority leaves.  Return: NULL when it is empty. */
struct list_node *runq_take(struct runq *q);
