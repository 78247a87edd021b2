/* SPDX-License-Identifier: MIT */
/* The scheduler's queues, beside arrays that are searched from end to end. */
#define SUITE "sched"
#include <tests/test.h>

#include "kernel/sched/runq.h"
#include "kernel/sched/timerq.h"
#include "kernel/sched/waitlist.h"

#define MANY 200u

struct item {
	struct list_node node;
	struct timer_node timer;
	unsigned priority, order;
	bool in;
};

static struct item item[MANY];

static void forget_all(void)
{
	for (unsigned i = 0; i < MANY; i++)
		item[i] = (struct item){ 0 };
}

static unsigned number_of(const struct list_node *n)
{
	return (unsigned)(LIST_ENTRY(n, struct item, node) - item);
}

/* --- lists */

TEST(a_list_keeps_the_order_in_which_it_was_built)
{
	struct list l = { NULL };
	unsigned expected = 0;

	forget_all();
	list_append(&l, &item[1].node);
	list_append(&l, &item[3].node);
	list_insert(&l, &item[1].node, &item[0].node);
	list_insert(&l, &item[3].node, &item[2].node);
	for (struct list_node *n = l.first; n; n = list_next(&l, n))
		EXPECT_EQ(number_of(n), expected++);
	EXPECT_EQ(expected, 4);
	list_remove(&l, &item[0].node);
	list_remove(&l, &item[3].node);
	EXPECT(!list_linked(&item[0].node) && list_linked(&item[1].node));
	EXPECT_EQ(number_of(l.first), 1);
	list_remove(&l, &item[1].node);
	list_remove(&l, &item[2].node);
	EXPECT(list_empty(&l));
}

/* --- run queues */

TEST(the_highest_priority_runs_first_and_equals_take_turns)
{
	static const unsigned priority[] = { 3, 31, 3, 0, 31, 16 };
	static const unsigned order[] = { 1, 4, 5, 2, 0, 3 };
	struct runq q = { 0 };

	forget_all();
	EXPECT_EQ(runq_highest(&q), -1);
	EXPECT(!runq_take(&q));
	for (unsigned i = 0; i < 6; i++)
		runq_add(&q, &item[i].node, priority[i], i == 2 ? RUNQ_FIRST : RUNQ_LAST);
	EXPECT_EQ(q.count, 6);
	for (unsigned i = 0; i < 6; i++) {
		EXPECT_EQ(runq_highest(&q), priority[order[i]]);
		EXPECT_EQ(number_of(runq_take(&q)), order[i]);
	}
	EXPECT(q.count == 0 && q.levels == 0);
}

/* Who comes next, by looking at all; UINT32_MAX when nobody is in. */
static unsigned best_of_all(void)
{
	unsigned best = UINT32_MAX;

	for (unsigned i = 0; i < MANY; i++)
		if (item[i].in && (best == UINT32_MAX || item[i].priority > item[best].priority ||
				   (item[i].priority == item[best].priority &&
				    item[i].order < item[best].order)))
			best = i;
	return best;
}

TEST(a_run_queue_agrees_with_a_search_of_all)
{
	struct runq q = { 0 };
	unsigned order = 0;

	forget_all();
	for (unsigned step = 0; step < 20000; step++) {
		struct item *t = &item[test_random_below(MANY)];

		if (test_random_below(3) == 0) {
			struct list_node *n = runq_take(&q);
			unsigned best = best_of_all();

			EXPECT_EQ(n ? number_of(n) : UINT32_MAX, best);
			if (n)
				LIST_ENTRY(n, struct item, node)->in = false;
		} else if (t->in) {
			runq_remove(&q, &t->node, t->priority);
			t->in = false;
		} else {
			t->priority = (unsigned)test_random_below(THREAD_PRIORITIES);
			t->order = order++;
			t->in = true;
			runq_add(&q, &t->node, t->priority, RUNQ_LAST);
		}
	}
}

/* --- who waits */

static unsigned priority_of(const struct list_node *n)
{
	return LIST_ENTRY(n, const struct item, node)->priority;
}

TEST(waiters_stand_by_priority_and_then_as_they_came)
{
	struct list l = { NULL };
	struct list_node *n;

	forget_all();
	for (unsigned i = 0; i < MANY; i++) {
		item[i].priority = (unsigned)test_random_below(4);
		item[i].order = i;
		item[i].in = true;
		waitlist_add(&l, &item[i].node, priority_of);
	}
	while ((n = l.first)) {
		EXPECT_EQ(number_of(n), best_of_all());
		LIST_ENTRY(n, struct item, node)->in = false;
		list_remove(&l, n);
	}
	EXPECT_EQ(best_of_all(), UINT32_MAX);
}

/* --- timers */

static uint64_t earliest_of_all(void)
{
	uint64_t when = UINT64_MAX;

	for (unsigned i = 0; i < MANY; i++)
		if (item[i].in && item[i].timer.when < when)
			when = item[i].timer.when;
	return when;
}

static void take_timer(struct timerq *q)
{
	uint64_t due = earliest_of_all(), now = test_random_below(1200);
	struct timer_node *t = timerq_take(q, now);

	EXPECT_EQ(t != NULL, due <= now);
	if (!t)
		return;
	EXPECT_EQ(t->when, due);
	EXPECT(!t->queued);
	LIST_ENTRY(t, struct item, timer)->in = false;
}

TEST(a_timer_queue_agrees_with_a_search_of_all)
{
	struct timerq q = { NULL };

	forget_all();
	for (unsigned step = 0; step < 20000; step++) {
		struct item *t = &item[test_random_below(MANY)];

		EXPECT_EQ(timerq_due(&q), earliest_of_all());
		if (test_random_below(4) == 0) {
			take_timer(&q);
		} else if (t->in) {
			timerq_remove(&q, &t->timer);
			timerq_remove(&q, &t->timer);	/* not there: nothing happens */
			t->in = false;
		} else {
			timerq_add(&q, &t->timer, test_random_below(1000));
			t->in = true;
		}
	}
}
