/* SPDX-License-Identifier: MIT */
/* Several CPUs fail, lend and dip into the reserve; at rest every sum is exact. */
#define SUITE "threads.counters"
#include <labyrinth/mm.h>

#include "../../test.h"
#include "crew.h"

static uint64_t failed_before[ZONE_COUNT], retries_before;

static uint64_t zone_failed(enum zone_id z)
{
	struct zone_counts s;
	uint64_t sum = 0;

	zone_counts(z, &s);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		sum += s.failures[r];
	return sum;
}

static void lend_for_a_moment(struct hand *h)
{
	struct block *b = &h->log[hand_random(h, h->n)];
	void *page = frame_to_page(b->f);
	owner_t me = h->crew->owner[0];

	hand_expect(h, page_lend(page, b->order, me) == PAGE_OK);
	hand_expect(h, freepages(page, b->order, me) == PAGE_WRONG_STATE);
	hand_expect(h, page_reclaim(page, b->order, me) == PAGE_OK);
}

static void fail_often(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(6000); i++) {
		if (h->n > 0 && hand_random(h, 8) == 0)
			lend_for_a_moment(h);
		if (h->n > 0 && hand_random(h, 5) == 0)
			hand_give(h, hand_random(h, h->n));
		else if (h->n < 400)
			hand_take(h, hand_random(h, 2) ? GFP_ATOMIC : GFP_NOWAIT,
				  (unsigned)hand_random(h, 8));
	}
}

/* Of what the zones say was lost, how much is no owner's? */
static uint64_t retries_of_nobody(const struct crew *c)
{
	const owner_t who[] = { OWNER_KERNEL, c->owner[0], c->owner[1] };
	uint64_t n = 0, all = 0;
	struct mm_stats mm;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone_counts s;

		zone_counts(z, &s);
		n += s.retries;
	}
	mm_stats(&mm);
	EXPECT_EQ(mm.retries, n);
	for (unsigned i = 0; i < 3; i++) {
		struct owner_stats s;

		owner_stats(who[i], &s);
		all += s.retries;
	}
	return n - all;
}

static void leave_little(struct crew *c)
{
	crew_leave_blocks(c, 6, 4);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		failed_before[z] = zone_failed(z);
	retries_before = retries_of_nobody(c);
}

static void add_up(struct crew *c)
{
	uint64_t nulls = 0, counted = 0;
	struct owner_stats o;
	struct zone_stats s;

	for (unsigned i = 0; i < c->hands; i++)
		nulls += c->hand[i].nulls;
	owner_stats(c->owner[0], &o);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		counted += o.failures[r];
	EXPECT_CMP(nulls, >, 0);
	EXPECT_EQ(retries_of_nobody(c), retries_before);
	EXPECT_EQ(counted, nulls);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		EXPECT_EQ(zone_failed(z) - failed_before[z], nulls);
		zone_stats(z, &s);
		EXPECT_EQ(s.lent, 0);
		EXPECT_EQ(s.free + s.held + s.contracted, s.total);
	}
	crew_give_rest_back(c);
}

TEST(failures_add_up)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, leave_little, fail_often, add_up,
			 NULL);
}

static void fail_always(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(40000); i++)
		hand_expect(h, !hand_take(h, GFP_ATOMIC, 6));
}

static void leave_nothing(struct crew *c)
{
	crew_leave_blocks(c, 6, 0);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		failed_before[z] = zone_failed(z);
	retries_before = retries_of_nobody(c);
}

/* All at the same counters, all the time. */
TEST(no_failure_is_lost)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, leave_nothing, fail_always,
			 add_up, NULL);
}
