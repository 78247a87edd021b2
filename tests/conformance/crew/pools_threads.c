/* SPDX-License-Identifier: MIT */
/* One pool, several CPUs: no page in two hands, and the sums add up. */
#define SUITE "threads.pool"
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

#include "../../test.h"
#include "crew.h"

#define MINE 12u

static struct pool *pool;
static struct pool_stats end;

static void mark(struct hand *h, void *page, int expected, int now)
{
	hand_mark(h, &(struct block){ .f = page_to_frame(page) }, expected, now);
}

static void take_and_give(struct hand *h)
{
	void *page[MINE];
	int me = (int)h->cpu + 1;
	unsigned n = 0;

	for (unsigned i = 0; i < crew_rounds(20000); i++) {
		if (n < MINE && hand_random(h, 2)) {
			page[n] = pool_take(pool);
			hand_expect(h, page[n] != NULL);
			if (page[n])
				mark(h, page[n++], 0, me);
		} else if (n > 0) {
			mark(h, page[--n], me, 0);
			hand_expect(h, pool_give(pool, page[n]) == PAGE_OK);
		}
	}
	while (n > 0) {
		mark(h, page[--n], me, 0);
		hand_expect(h, pool_give(pool, page[n]) == PAGE_OK);
	}
}

static void create(struct crew *c)
{
	pool = pool_create(c->owner[0], GFP_NOWAIT, 8, 24);
	EXPECT(pool);
}

static void destroy(struct crew *c)
{
	struct owner_stats s;

	pool_stats(pool, &end);
	owner_stats(c->owner[0], &s);
	EXPECT_EQ(end.level + end.takes + end.passed_on, end.bought + end.gives);
	EXPECT_EQ(end.takes, end.gives);
	EXPECT_EQ(s.held, end.level + 1);
	EXPECT_EQ(end.misses, 0);
	EXPECT_EQ(pool_destroy(pool), end.level);
}

TEST(all_take_and_give)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, create, take_and_give, destroy,
			 NULL);
}

/* --- two who give the same page: one of them is refused */

static void *contested[64];
static unsigned accepted[CREW_MAX];

#define GIVEN_ROUNDS crew_rounds(300)

static void give_the_same(struct hand *h)
{
	accepted[h->cpu] = 0;
	for (unsigned round = 0; round < GIVEN_ROUNDS; round++) {
		if (h->cpu == 0)
			for (unsigned i = 0; i < 64; i++)
				contested[i] = pool_take(pool);
		hand_meet(h);
		for (unsigned i = 0; i < 64; i++)
			accepted[h->cpu] += pool_give(pool, contested[i]) == PAGE_OK;
		hand_meet(h);
	}
}

static void create_large(struct crew *c)
{
	pool = pool_create(c->owner[0], GFP_NOWAIT, 8, 100);
	EXPECT(pool);
}

static void count_and_destroy(struct crew *c)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < c->hands; i++)
		sum += accepted[i];
	EXPECT_EQ(sum, GIVEN_ROUNDS * 64);
	destroy(c);
}

TEST(a_page_given_twice_goes_in_once)
{
	crew_run(&labyrinth_ops, CONFORM_SMALL, 2, create_large, give_the_same,
		 count_and_destroy, NULL);
}
