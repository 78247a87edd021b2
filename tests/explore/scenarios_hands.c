/* SPDX-License-Identifier: MIT */
/* Scenarios of pages that change hands: shared, lent, passed on, exclusive; and pools. */
#include "scenario.h"
#include "scenarios.h"

#include <labyrinth/pool.h>

#include "../../mm/mm_state.h"
#include "../../mm/word.h"

static uint64_t wins;		/* calls on the page that succeeded, a byte a kind */
static void *page;

enum { FREED, PASSED, SHARED, UNSHARED, LENT, RECLAIMED };

static void count(enum page_error e, unsigned kind)
{
	if (e == PAGE_OK)
		explore_set(&wins, wins + ((uint64_t)1 << 8 * kind));
	else if (e != PAGE_DOUBLE_FREE && e != PAGE_WRONG_OWNER && e != PAGE_WRONG_STATE)
		explore_fail("refused for a wrong reason: %s", page_error_name(e));
}

static unsigned times(unsigned kind) { return (uint8_t)(wins >> 8 * kind); }

static void free_it(void) { count(freepage(page, history_owner), FREED); }
static void pass_it(void) { count(page_transfer(page, 0, history_owner, OWNER_KERNEL), PASSED); }
static void share_it(void) { count(page_share(page, history_owner), SHARED); }
static void unshare_it(void) { count(page_unshare(page, history_owner), UNSHARED); }
static void lend_it(void) { count(page_lend(page, 0, history_owner), LENT); }
static void reclaim_it(void) { count(page_reclaim(page, 0, history_owner), RECLAIMED); }

static void begin(gfp_t gfp)
{
	wins = 0;
	page = allocpage(gfp, history_owner);
	if (!page)
		explore_fail("no page to begin with");
}

static void one_held(void) { begin(GFP_ATOMIC); }
static void one_exclusive(void) { begin(GFP_ATOMIC | GFP_EXCL); }

static void one_shared(void)
{
	begin(GFP_ATOMIC);
	page_share(page, history_owner);
}

static void one_lent(void)
{
	begin(GFP_ATOMIC);
	page_lend(page, 0, history_owner);
}

/* What is said of the page at the end must be its state; then it goes back. */
static void is(enum page_state state, unsigned refs)
{
	struct page_info now;

	page_query(page_to_frame(page), &now);
	if (now.state != state || now.refs != refs)
		explore_fail("the page is %s with %u references", page_state_name(now.state),
			     now.refs);
}

static void give_back(owner_t owner)
{
	if (freepage(page, owner) != PAGE_OK)
		explore_fail("the page cannot be freed at the end");
}

static void exactly_one(void)
{
	if (times(FREED) + times(PASSED) + times(LENT) + times(SHARED) != 1)
		explore_fail("I5: of calls that exclude each other not one succeeded, but %x",
			     (unsigned)wins);
	if (times(LENT) && page_reclaim(page, 0, history_owner) != PAGE_OK)
		explore_fail("what was lent cannot be reclaimed");
	if (times(SHARED) && page_unshare(page, history_owner) != PAGE_OK)
		explore_fail("what was shared cannot be unshared");
	is(times(FREED) ? PAGE_FREE : PAGE_HELD, 0);
	if (!times(FREED))
		give_back(times(PASSED) ? OWNER_KERNEL : history_owner);
}

const struct scenario case_double_slow = {
	.name = "double-slow", .what = "an exclusive page freed twice at once",
	.areas = 1, .setup = one_exclusive, .also = exactly_one,
	.program = { .cpus = 2, .cpu = { free_it, free_it } },
};

/* A batch tells how many were accepted, not why the rest were not. */
static void free_in_a_batch(void)
{
	void *pages[] = { page };

	count(freepages_bulk(1, pages, history_owner) == 1 ? PAGE_OK : PAGE_DOUBLE_FREE, FREED);
}

const struct scenario case_double_bulk = {
	.name = "double-bulk", .what = "a page freed in a batch, by itself, and passed on",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 3, .cpu = { free_in_a_batch, free_it, pass_it } },
};

const struct scenario case_double_2i = {
	.name = "double-2i", .what = "a page freed by two CPUs and an interrupt on each",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 2, .cpu = { free_it, free_it }, .irq = { free_it, free_it } },
};

const struct scenario case_free_3cpu = {
	.name = "free-3cpu", .what = "a page freed by three CPUs at once",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 3, .cpu = { free_it, free_it, free_it } },
};

const struct scenario case_lend_free = {
	.name = "lend-free", .what = "lending, freeing and passing on exclude each other",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 3, .cpu = { lend_it, free_it, pass_it } },
};

const struct scenario case_lend_irq = {
	.name = "lend-irq", .what = "a page is lent, and freed by an interrupt; a CPU passes it on",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 2, .cpu = { lend_it, pass_it }, .irq = { free_it } },
};

const struct scenario case_share_free = {
	.name = "share-free", .what = "a first reference against a free",
	.areas = 1, .setup = one_held, .also = exactly_one,
	.program = { .cpus = 2, .cpu = { share_it, free_it }, .irq = { NULL, free_it } },
};

static void all_counted(void)
{
	unsigned refs = times(SHARED);

	is(PAGE_SHARED, refs);
	while (refs-- > 0)
		page_unshare(page, history_owner);
	give_back(history_owner);
}

const struct scenario case_share = {
	.name = "share", .what = "two CPUs and an interrupt add a reference",
	.areas = 1, .setup = one_held, .also = all_counted,
	.program = { .cpus = 2, .cpu = { share_it, share_it }, .irq = { share_it } },
};

static void refs_add_up(void)
{
	unsigned refs = 1 + times(SHARED) - times(UNSHARED);

	if (times(SHARED) != 1 || times(UNSHARED) == 0)
		explore_fail("a reference was refused");
	is(refs ? PAGE_SHARED : PAGE_HELD, refs);
	while (refs-- > 0)
		page_unshare(page, history_owner);
	give_back(history_owner);
}

const struct scenario case_unshare = {
	.name = "unshare", .what = "references come and go on three CPUs",
	.areas = 1, .setup = one_shared, .also = refs_add_up,
	.program = { .cpus = 3, .cpu = { share_it, unshare_it, unshare_it } },
};

static void reclaimed_once(void)
{
	if (times(RECLAIMED) != 1)
		explore_fail("%u reclaims of one loan succeeded", times(RECLAIMED));
	if (times(FREED) == 0)
		give_back(history_owner);
	else
		is(PAGE_FREE, 0);
	if (atom_peek(&mm.hot_zone->lent) != 0)
		explore_fail("the zone counts what is lent no more");
}

const struct scenario case_reclaim = {
	.name = "reclaim", .what = "a loan reclaimed twice, while the page is freed",
	.areas = 1, .setup = one_lent, .also = reclaimed_once,
	.program = { .cpus = 3, .cpu = { reclaim_it, reclaim_it, free_it } },
};

/* --- pools */

static struct pool *pool;

static void pool_of_two(void)
{
	wins = 0;
	pool = pool_create(history_owner, GFP_ATOMIC, 0, 2);
	if (!pool)
		explore_fail("no pool");
}

static void draw(void)
{
	void *mine = pool_take(pool);

	if (mine && pool_give(pool, mine) != PAGE_OK)
		explore_fail("what a pool gave it does not take back");
}

static void ends_whole(void)
{
	pool_destroy(pool);
}

const struct scenario case_pool = {
	.name = "pool", .what = "two CPUs take from a pool and give back",
	.areas = 1, .setup = pool_of_two, .also = ends_whole, .no_history = true,
	.program = { .cpus = 2, .cpu = { draw, draw } },
};

const struct scenario case_pool_irq = {
	.name = "pool-irq", .what = "a pool is drawn on, and again by an interrupt",
	.areas = 1, .setup = pool_of_two, .also = ends_whole, .no_history = true,
	.program = { .cpus = 1, .cpu = { draw }, .irq = { draw } },
};

static void pool_and_page(void)
{
	pool_of_two();
	page = pool_take(pool);
}

static void give_pool(void) { count(pool_give(pool, page), SHARED); }

static void given_once(void)
{
	if (times(FREED) + times(SHARED) != 1)
		explore_fail("a page went to the pool and to general memory");
	ends_whole();
}

const struct scenario case_pool_free = {
	.name = "pool-free", .what = "a page given to its pool, and freed by another CPU",
	.areas = 1, .setup = pool_and_page, .also = given_once, .no_history = true,
	.program = { .cpus = 2, .cpu = { give_pool, free_it } },
};

const struct scenario case_pool_twice = {
	.name = "pool-twice", .what = "a page given to its pool by two CPUs",
	.areas = 1, .setup = pool_and_page, .also = given_once, .no_history = true,
	.program = { .cpus = 2, .cpu = { give_pool, give_pool } },
};
