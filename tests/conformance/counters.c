/* SPDX-License-Identifier: MIT */
/* What owners and zones count adds up exactly at rest (I3, I7). */
#define SUITE "counters"
#include "conform.h"

#include <labyrinth/mm.h>

#define COUNTER_TEST(name)                                                    \
	static void name(struct conform *c);                                  \
	TEST(name) { conform_run(&labyrinth_ops, CONFORM_SMALL, name); }      \
	static void name(struct conform *c)

static uint64_t owner_failed(owner_t o)
{
	struct owner_stats s;
	uint64_t sum = 0;

	owner_stats(o, &s);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		sum += s.failures[r];
	return sum;
}

static uint64_t zone_failed(enum zone_id z)
{
	struct zone_counts s;
	uint64_t sum = 0;

	zone_counts(z, &s);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		sum += s.failures[r];
	return sum;
}

static uint64_t zone_answers(enum zone_id z, enum zone_refusal r)
{
	struct zone_counts s;

	zone_counts(z, &s);
	return s.failures[r];
}

static uint64_t owner_reserve(owner_t o)
{
	struct owner_stats s;

	owner_stats(o, &s);
	return s.reserve;
}

static uint64_t zones_reserve(void)
{
	struct zone_counts s;
	uint64_t sum = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_counts(z, &s);
		sum += s.reserve;
	}
	return sum;
}

COUNTER_TEST(a_new_owner_begins_at_zero)
{
	owner_t o = owner_register("icarus"), again;

	EXPECT(!allocpages(GFP_ATOMIC | GFP_DMA, ORDER_MAX, o));
	void *page[6];
	for (unsigned i = 0; i < 6; i++)
		page[i] = allocpages(GFP_ATOMIC, 6, o);
	for (unsigned i = 0; i < 6; i++)
		EXPECT_EQ(freepages(page[i], 6, o), PAGE_OK);

	struct owner_stats s;
	owner_stats(o, &s);
	EXPECT_CMP(s.peak, >, 0);
	EXPECT_EQ(owner_failed(o), 1);
	EXPECT_EQ(owner_unregister(o), 0);
	again = owner_register("perdix");
	EXPECT_EQ(again.id, o.id);
	EXPECT_EQ(owner_failed(again), 0);
	EXPECT_EQ(owner_reserve(again), 0);

	owner_stats(again, &s);
	EXPECT_EQ(s.held, 0);
	EXPECT_EQ(s.peak, 0);
	EXPECT_EQ(owner_unregister(again), 0);
	(void)c;
}

COUNTER_TEST(a_failed_call_counts_once_everywhere)
{
	static const gfp_t where[] = { 0, GFP_DMA32, GFP_DMA };
	uint64_t before[ZONE_COUNT], failed = 0;
	uint64_t excluded = zone_answers(ZONE_NORMAL, ZONE_EXCLUDED);

	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		before[z] = zone_failed(z);
	for (unsigned i = 0; i < 90; i++)
		failed += frame_is_none(c->a->alloc(GFP_ATOMIC | GFP_DMA, 13 + i % 6,
						    c->owner[i % 2], NULL));
	EXPECT_EQ(failed, 90);			/* 16 MiB has no 32 MiB */
	EXPECT_EQ(owner_failed(c->owner[0]), 45);
	EXPECT_EQ(owner_failed(c->owner[1]), 45);
	EXPECT_EQ(owner_failed(c->owner[2]), 0);
	EXPECT_EQ(zone_answers(ZONE_NORMAL, ZONE_EXCLUDED), excluded + 90);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		EXPECT_EQ(zone_failed(z), before[z] + failed);

	/* A call with bad flags asks no zone; one that is served fails nowhere. */
	EXPECT(!allocpages(GFP_ATOMIC | GFP_NOWAIT, 1, c->owner[0]));
	for (unsigned i = 0; i < 3; i++)
		conform_take(c, GFP_ATOMIC | where[i], 3);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		EXPECT_EQ(zone_failed(z), before[z] + failed);
}

COUNTER_TEST(the_reserve_is_counted_to_the_frame)
{
	uint64_t before = zones_reserve();

	conform_confine(c);
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (conform_take(c, GFP_NOWAIT, k))
			continue;
	EXPECT_EQ(owner_reserve(c->owner[0]), 0);

	uint64_t held = conform_logged(c);
	for (unsigned k = 4; k-- > 0;)
		while (conform_take(c, GFP_ATOMIC, k))
			continue;
	uint64_t reserve = conform_logged(c) - held;
	EXPECT_CMP(reserve, >, 0);
	EXPECT_EQ(owner_reserve(c->owner[0]), reserve);
	EXPECT_EQ(zones_reserve() - before, reserve);
}

COUNTER_TEST(the_peak_stays)
{
	struct owner_stats s;

	for (unsigned i = 0; i < 12; i++)
		EXPECT(conform_take(c, GFP_ATOMIC, 4));
	conform_give_all(c, 0);
	owner_stats(c->owner[0], &s);
	EXPECT_EQ(s.held, 0);
	EXPECT_CMP(s.peak + 64, >=, 12 * 16);	/* to within 64, for blocks up to order 4 */
	EXPECT_CMP(s.peak, <=, 12 * 16);
}

/* --- lent to a device */

COUNTER_TEST(a_lent_block_is_out_of_reach)
{
	static const gfp_t how[] = { GFP_ATOMIC, GFP_ATOMIC | GFP_EXCL };
	static const enum page_state state[] = { PAGE_HELD, PAGE_EXCLUSIVE };
	owner_t me = c->owner[0], other = c->owner[1];
	struct page_info info;
	struct zone_stats s;

	for (unsigned i = 0; i < 2; i++)
		for (unsigned order = 0; order < 8; order += 3) {
			void *page = allocpages(how[i], order, me);
			ASSERT(page);
			page_handle_t name = page_handle(page);
			EXPECT_EQ(page_reclaim(page, order, me), PAGE_WRONG_STATE);
			EXPECT_EQ(page_lend(page, order, other), PAGE_WRONG_OWNER);
			EXPECT_EQ(page_lend(page, order + 1, me) == PAGE_OK, false);
			EXPECT_EQ(page_lend(page, order, me), PAGE_OK);
			page_query(page_to_frame(page), &info);
			EXPECT_EQ(info.state, PAGE_LENT);
			EXPECT_EQ(info.refs, 0);
			zone_stats(info.zone, &s);
			EXPECT_EQ(s.lent, 1u << order);
			EXPECT_EQ(page_lend(page, order, me), PAGE_WRONG_STATE);
			EXPECT_EQ(freepages(page, order, me), PAGE_WRONG_STATE);
			EXPECT_EQ(page_share(page, me), PAGE_WRONG_STATE);
			EXPECT_EQ(page_unshare(page, me), PAGE_WRONG_STATE);
			EXPECT_EQ(page_transfer(page, order, me, other), PAGE_WRONG_STATE);
			EXPECT_EQ(page_reclaim(page, order, other), PAGE_WRONG_OWNER);
			EXPECT_EQ(mm_audit(NULL), 0);
			EXPECT_EQ(page_reclaim(page, order, me), PAGE_OK);
			page_query(page_to_frame(page), &info);
			EXPECT_EQ(info.state, state[i]);
			EXPECT(page_handle_valid(name));
			zone_stats(info.zone, &s);
			EXPECT_EQ(s.lent, 0);
			EXPECT_EQ(freepages(page, order, me), PAGE_OK);
			EXPECT_EQ(page_lend(page, order, me), PAGE_DOUBLE_FREE);
		}
}

COUNTER_TEST(a_shared_block_is_not_lent)
{
	void *page = allocpage(GFP_ATOMIC, c->owner[0]);

	ASSERT(page);
	EXPECT_EQ(page_share(page, c->owner[0]), PAGE_OK);
	EXPECT_EQ(page_lend(page, 0, c->owner[0]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_unshare(page, c->owner[0]), PAGE_OK);
	EXPECT_EQ(freepage(page, c->owner[0]), PAGE_OK);
}
