/* SPDX-License-Identifier: MIT */
/*
 * Every request made to fail in turn: whoever asks must live with it, give back
 * what he had, and leave the allocator as it was.  For Labyrinth's own only.
 */
#include <labyrinth/contract.h>
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

#include "../test.h"
#include "allocator.h"
#include "conform.h"

#define SUITE "failures"

static owner_t owner;
static unsigned nulls;

static void *one(gfp_t gfp, unsigned order)
{
	void *page = allocpages(gfp, order, owner);

	nulls += !page;
	return page;
}

static void give(void *page, unsigned order)
{
	if (page)
		EXPECT_EQ(freepages(page, order, owner), PAGE_OK);
}

static uint64_t free_frames(void)
{
	uint64_t free = 0;

	page_drain();
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone_stats s;

		zone_stats(z, &s);
		free += s.free;
	}
	return free;
}

static void report(const char *what)
{
	test_note("audit: %s", what);
}

/*
 * Run @scenario with the first request failing, then the second, and so on until
 * none is left to fail.  @least: requests it makes when none fails.
 */
static void sweep(void (*scenario)(void), uint64_t least)
{
	uint64_t n = 0, seen;

	ASSERT(conform_start(&labyrinth_ops, CONFORM_SMALL, 1) == 0);
	owner = owner_register("sisyphus");
	uint64_t before = free_frames();
	do {
		nulls = 0;
		mm_fail_nth(++n);
		scenario();
		seen = mm_fail_nth(0);
		EXPECT_EQ(free_frames(), before);
		EXPECT_EQ(mm_audit(report), 0);
	} while (seen >= n && n < 1000);
	EXPECT_CMP(n, >, least);
	EXPECT_EQ(owner_unregister(owner), 0);
	labyrinth_ops.stop();
}

static void singles(void)
{
	static const gfp_t how[] = { GFP_ATOMIC, GFP_NOWAIT | GFP_ZERO, GFP_KERNEL | GFP_EXCL };
	void *page[12];

	for (unsigned i = 0; i < 12; i++)
		page[i] = one(how[i % 3], 0);
	EXPECT_CMP(nulls, <=, 1);
	for (unsigned i = 0; i < 12; i++)
		give(page[i], 0);
	/* The frames just freed stand ready nowhere: these requests count too. */
	give(one(GFP_ATOMIC, 0), 0);
	EXPECT_CMP(nulls, <=, 1);
}

TEST(single_pages)
{
	sweep(singles, 13);
}

static void every_order(void)
{
	for (unsigned order = 0; order <= 9; order++) {
		void *a = one(GFP_ATOMIC, order), *b = one(GFP_NOWAIT, order);

		give(a, order);
		give(b, order);
	}
	EXPECT_CMP(nulls, <=, 1);
}

TEST(blocks_of_every_order)
{
	sweep(every_order, 20);
}

static void batch(void)
{
	void *pages[70];
	size_t got = allocpages_bulk(GFP_ATOMIC, 70, pages, owner);

	EXPECT_EQ(freepages_bulk(got, pages, owner), got);
}

TEST(batches)
{
	sweep(batch, 70);
}

static void story(void)
{
	struct zone_walk walk;
	void *page = allocpages_walk(GFP_ATOMIC | GFP_DMA, 0, owner, &walk);

	EXPECT_EQ(walk.zone[ZONE_NORMAL], ZONE_EXCLUDED);
	EXPECT_EQ(walk.zone[ZONE_DMA], page ? ZONE_SERVED : ZONE_INJECTED);
	give(page, 0);
}

TEST(the_reason_is_given)
{
	sweep(story, 1);
}

static void pool(void)
{
	struct pool *p = pool_create(owner, GFP_NOWAIT, 4, 40);
	void *page[60];
	unsigned n = 0;

	if (!p)
		return;
	while (n < 60 && (page[n] = pool_take(p)))
		n++;
	while (n > 30)
		EXPECT_EQ(pool_give(p, page[--n]), PAGE_OK);
	pool_destroy(p);
	while (n > 0)
		give(page[--n], 0);
}

TEST(page_pools)
{
	sweep(pool, 60);
}

static void contract(void)
{
	struct contract_answer answer;
	contract_t c = contract_declare(owner, 0, 2, 8, &answer);
	void *block[8];

	if (answer.error != CONTRACT_OK)
		return;
	for (unsigned i = 0; i < 8; i++) {
		block[i] = one(GFP_NOWAIT, 2);
		EXPECT(block[i]);		/* a promise is kept, whatever fails */
	}
	for (unsigned i = 0; i < 4; i++)
		give(block[i], 2);
	EXPECT_EQ(contract_release(c), CONTRACT_OK);
	for (unsigned i = 4; i < 8; i++)
		give(block[i], 2);
}

TEST(contracts)
{
	sweep(contract, 17);
}

static void textbook(void)
{
	if (conform_start(&textbook_ops, CONFORM_SMALL, 1) != 0)
		return;
	owner_t student = textbook_ops.owner("student");
	frame_t f = textbook_ops.alloc(GFP_ATOMIC, 3, student, NULL);
	EXPECT(!frame_is_none(f));
	EXPECT_EQ(textbook_ops.free(f, 3, student), PAGE_OK);
	EXPECT_EQ(textbook_ops.forget(student), 0);
	textbook_ops.stop();
}

TEST(an_allocator_on_borrowed_memory)
{
	sweep(textbook, 0);
}

/* Through the call that is made fast, with frames at hand in a cache. */
TEST(just_the_nth)
{
	ASSERT(conform_start(&labyrinth_ops, CONFORM_SMALL, 1) == 0);
	owner = OWNER_KERNEL;
	for (unsigned n = 1; n <= 40; n++) {
		void *page[40];

		freepage(allocpage(GFP_ATOMIC, owner), owner);
		mm_fail_nth(n);
		for (unsigned i = 0; i < 40; i++) {
			page[i] = allocpage(GFP_ATOMIC, owner);
			EXPECT_EQ(!page[i], i + 1 == n);
		}
		EXPECT_EQ(mm_fail_nth(0), 40);
		for (unsigned i = 0; i < 40; i++)
			if (page[i])
				EXPECT_EQ(freepage(page[i], owner), PAGE_OK);
	}
	labyrinth_ops.stop();
}
