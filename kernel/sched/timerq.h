/* SPDX-License-Identifier: MIT */
/*
 * Who is to be woken when: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, "The
 * pairing heap", Algorithmica 1, 1986).  Adding is one comparison; taking the first,
 * or any other, costs O(log n) over time.  Pure data, guarded by its CPU's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer_node {
	uint64_t when;
	bool queued;
	struct timer_node *child;	/* the first of those that are not earlier */
	struct timer_node *next;	/* sibling */
	struct timer_node *prev;	/* sibling, or for the first child the parent */
};

struct timerq { struct timer_node *first; };	/* all zero: empty */

void timerq_add(struct timerq *q, struct timer_node *t, uint64_t when);

/* Does nothing when it is not queued. */
void timerq_remove(struct timerq *q, struct timer_node *t);

/* When the first is due; UINT64_MAX for never. */
static inline uint64_t timerq_due(const struct timerq *q)
{
	return q->first ? q->first->when : UINT64_MAX;
}

/* The first leaves, if it is due at @now.  Return: NULL if not. */
struct timer_node *timerq_take(struct timerq *q, uint64_t now);
