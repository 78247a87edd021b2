/* SPDX-License-Identifier: MIT */
/* The pairing heap of timerq.h. */
#include "timerq.h"

#include <stddef.h>

/* Two roots become one: the later is the earlier's first child. */
static struct timer_node *meld(struct timer_node *a, struct timer_node *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->when < a->when) {
		struct timer_node *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	a->next = a->prev = NULL;
	return a;
}

/* The siblings from @t on become one: in pairs from the left, then those from the right. */
static struct timer_node *meld_siblings(struct timer_node *t)
{
	struct timer_node *pairs = NULL, *all = NULL;

	while (t) {
		struct timer_node *a = t, *b = t->next, *pair;

		t = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		pair = meld(a, b);
		pair->next = pairs;	/* a stack, through next alone */
		pairs = pair;
	}
	while (pairs) {
		struct timer_node *next = pairs->next;

		pairs->next = NULL;
		all = meld(all, pairs);
		pairs = next;
	}
	return all;
}

void timerq_add(struct timerq *q, struct timer_node *t, uint64_t when)
{
	*t = (struct timer_node){ .when = when, .queued = true };
	q->first = meld(q->first, t);
}

static void unlink(struct timer_node *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
}

void timerq_remove(struct timerq *q, struct timer_node *t)
{
	struct timer_node *children;

	if (!t->queued)
		return;
	children = meld_siblings(t->child);
	if (t == q->first) {
		q->first = children;
	} else {
		unlink(t);
		q->first = meld(q->first, children);
	}
	*t = (struct timer_node){ .when = t->when };
}

struct timer_node *timerq_take(struct timerq *q, uint64_t now)
{
	struct timer_node *t = q->first;

	if (!t || t->when > now)
		return NULL;
	timerq_remove(q, t);
	return t;
}
