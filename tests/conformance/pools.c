/* SPDX-License-Identifier: MIT */
/* Page pools: levels, marks, owners, and sums that add up. */
#define SUITE "pool"
#include "conform.h"

#include <labyrinth/contract.h>
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

#define LOW  16u
#define HIGH 48u

static void *out[HIGH + POOL_BATCH];

#define POOL_TEST(name)                                                       \
	static void name(struct conform *c);                                  \
	TEST(name) { conform_run(&labyrinth_ops, CONFORM_SMALL, name); }      \
	static void name(struct conform *c)

static struct pool_stats stats(const struct pool *p)
{
	struct pool_stats s;

	pool_stats(p, &s);
	EXPECT_EQ(s.level + s.takes + s.passed_on, s.bought + s.gives);
	return s;
}

static struct pool *make(struct conform *c)
{
	struct pool *p = pool_create(c->owner[1], GFP_NOWAIT | c->where, LOW, HIGH);

	EXPECT(p);
	return p;
}

static void take_the_rest(struct conform *c)
{
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (conform_take(c, GFP_ATOMIC, k))
			continue;
}

POOL_TEST(is_filled_ahead_and_emptied_at_the_end)
{
	struct pool *p = make(c);

	ASSERT(p);
	struct pool_stats s = stats(p);
	EXPECT_EQ(s.level, HIGH);
	EXPECT_EQ(s.bought, HIGH);
	EXPECT_EQ(s.takes + s.gives + s.misses, 0);
	EXPECT_EQ(c->a->held(c->owner[1]), HIGH + 1);	/* I7: the pages, and the books */
	EXPECT_EQ(pool_destroy(p), HIGH);
	EXPECT_EQ(c->a->held(c->owner[1]), 0);
}

POOL_TEST(buys_a_batch_below_the_low_mark)
{
	struct pool *p = make(c);
	unsigned n = 0;

	ASSERT(p);
	for (; n < HIGH - LOW; n++)
		EXPECT((out[n] = pool_take(p)));
	EXPECT_EQ(stats(p).level, LOW);
	EXPECT_EQ(stats(p).bought, HIGH);		/* at the mark is not below it */
	EXPECT((out[n++] = pool_take(p)));
	EXPECT_EQ(stats(p).level, LOW - 1 + POOL_BATCH);
	EXPECT_EQ(stats(p).bought, HIGH + POOL_BATCH);
	EXPECT_EQ(stats(p).refills, 2 + 1);
	EXPECT_EQ(stats(p).least, LOW - 1);
	EXPECT_EQ(stats(p).takes, n);

	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(pool_give(p, out[i]), PAGE_OK);
	EXPECT_EQ(stats(p).level, HIGH);
	EXPECT_EQ(stats(p).gives, n);
	EXPECT_EQ(stats(p).passed_on, LOW - 1 + POOL_BATCH + n - HIGH);
	EXPECT_EQ(pool_destroy(p), HIGH);
}

POOL_TEST(pages_are_its_owners_and_no_two_the_same)
{
	struct pool *p = make(c);
	struct page_info info;

	ASSERT(p);
	for (unsigned i = 0; i < HIGH; i++) {
		ASSERT((out[i] = pool_take(p)));
		page_query(page_to_frame(out[i]), &info);
		EXPECT_EQ(info.state, PAGE_HELD);
		EXPECT_EQ(info.owner.id, c->owner[1].id);
		for (unsigned k = 0; k < i; k++)
			EXPECT(out[k] != out[i]);
	}
	/* They are like any other page of his outside the pool. */
	EXPECT_EQ(page_transfer(out[0], 0, c->owner[1], c->owner[2]), PAGE_OK);
	EXPECT_EQ(pool_give(p, out[0]), PAGE_WRONG_OWNER);
	EXPECT_EQ(freepage(out[0], c->owner[2]), PAGE_OK);
	EXPECT_EQ(pool_give(p, out[0]), PAGE_DOUBLE_FREE);
	EXPECT_EQ(freepages_bulk(HIGH - 1, out + 1, c->owner[1]), HIGH - 1);
	pool_destroy(p);
}

POOL_TEST(what_waits_inside_is_out_of_reach)
{
	struct pool *p = make(c);

	ASSERT(p);
	void *page = pool_take(p);
	ASSERT(page);
	page_handle_t name = page_handle(page);
	EXPECT_EQ(pool_give(p, page), PAGE_OK);
	EXPECT(!page_handle_valid(name));
	EXPECT_EQ(pool_give(p, page), PAGE_WRONG_STATE);
	EXPECT_EQ(freepage(page, c->owner[1]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_share(page, c->owner[1]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_transfer(page, 0, c->owner[1], c->owner[2]), PAGE_WRONG_STATE);
	EXPECT_EQ(freepages_bulk(1, &page, c->owner[1]), 0);
	EXPECT_EQ(stats(p).level, HIGH);
	EXPECT_EQ(mm_audit(NULL), 0);
	EXPECT_EQ(pool_destroy(p), HIGH);
}

POOL_TEST(bad_gives_change_nothing)
{
	struct pool *p = make(c);
	void *page = allocpage(GFP_ATOMIC, c->owner[0]);
	void *block = allocpages(GFP_ATOMIC, 1, c->owner[1]);
	void *excl = allocpages(GFP_ATOMIC | GFP_EXCL, 0, c->owner[1]);

	ASSERT(p && page && block && excl);
	EXPECT_EQ(pool_give(p, page), PAGE_WRONG_OWNER);
	EXPECT_EQ(pool_give(p, block), PAGE_WRONG_ORDER);
	EXPECT_EQ(pool_give(p, (char *)page + 1), PAGE_MISALIGNED);
	EXPECT_EQ(pool_give(p, NULL), PAGE_NOT_RAM);
	EXPECT_EQ(pool_give(p, excl), PAGE_WRONG_STATE);
	EXPECT_EQ(stats(p).gives, 0);
	EXPECT_EQ(freepage(excl, c->owner[1]), PAGE_OK);
	EXPECT_EQ(freepages(block, 1, c->owner[1]), PAGE_OK);
	EXPECT_EQ(freepage(page, c->owner[0]), PAGE_OK);
	EXPECT_EQ(pool_destroy(p), HIGH);
}

POOL_TEST(lasts_when_memory_is_gone)
{
	conform_confine(c);
	struct pool *p = make(c);

	ASSERT(p);
	take_the_rest(c);
	for (unsigned i = 0; i < HIGH; i++)
		EXPECT((out[i] = pool_take(p)));
	EXPECT(!pool_take(p));
	EXPECT_EQ(stats(p).misses, 1);
	EXPECT_EQ(stats(p).least, 0);
	EXPECT_EQ(stats(p).bought, HIGH);
	EXPECT_EQ(pool_give(p, out[0]), PAGE_OK);
	EXPECT_EQ((uintptr_t)pool_take(p), (uintptr_t)out[0]);
	for (unsigned i = 0; i < HIGH; i++)
		EXPECT_EQ(pool_give(p, out[i]), PAGE_OK);
	conform_give_all(c, 0);
	EXPECT_EQ(pool_refill(p), 0);
	EXPECT_EQ(pool_destroy(p), HIGH);
}

/* With a contract behind it, it buys from that; such pages go back to it when given. */
POOL_TEST(a_contract_can_stand_behind_it)
{
	struct contract_stats k;

	conform_confine(c);
	contract_t contract = contract_declare(c->owner[1], c->where, 0, POOL_BATCH, NULL);
	struct pool *p = make(c);

	EXPECT(contract_stats(contract, &k));
	ASSERT(p);
	take_the_rest(c);
	for (unsigned i = 0; i < HIGH + POOL_BATCH; i++)
		EXPECT((out[i] = pool_take(p)));
	EXPECT(!pool_take(p));
	for (unsigned i = 0; i < HIGH + POOL_BATCH; i++)
		EXPECT_EQ(pool_give(p, out[i]), PAGE_OK);
	EXPECT(contract_stats(contract, &k));
	EXPECT_EQ(k.aside, POOL_BATCH);
	EXPECT_EQ(stats(p).level, HIGH);
	EXPECT_EQ(pool_destroy(p), HIGH);
	EXPECT_EQ(contract_release(contract), CONTRACT_OK);
}

POOL_TEST(bad_pools_are_refused)
{
	EXPECT(!pool_create(c->owner[1], GFP_ATOMIC, 8, 8));
	EXPECT(!pool_create(c->owner[1], GFP_ATOMIC, 0, POOL_PAGES_MAX + 1));
	EXPECT(!pool_create(c->owner[1], GFP_ATOMIC | GFP_EXCL, 1, 8));
	EXPECT(!pool_create(c->owner[1], GFP_ATOMIC | GFP_KERNEL, 1, 8));
	EXPECT(!pool_create(OWNER_NONE, GFP_ATOMIC, 1, 8));

	struct pool *p = pool_create(c->owner[1], GFP_ATOMIC, 0, POOL_PAGES_MAX);
	ASSERT(p);
	EXPECT_EQ(stats(p).level, POOL_PAGES_MAX);
	EXPECT_EQ(pool_destroy(p), POOL_PAGES_MAX);
}
