/* SPDX-License-Identifier: MIT */
/*
 * GFP_KERNEL sleeps until memory is freed.  The memory is the DMA zone, taken page by page
 * until nothing is left; whoever needs a stack has been given it before.
 */
#define SUITE "mm_wait"
#include <tests/test.h>

#include <arch/console.h>
#include <arch/trap.h>
#include <labyrinth/mm.h>
#include <labyrinth/mm_sleep.h>
#include <labyrinth/mm_wait.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define MS    ((uint64_t)1000000)
#define WHERE where

static gfp_t where = GFP_DMA;

static owner_t owner;

/* --- all memory, and some of it back */

static void *taken;			/* each page names the one before */

static void take_all(void)
{
	void *page;

	taken = NULL;
	while ((page = allocpage(GFP_NOWAIT | WHERE, owner))) {
		*(void **)page = taken;
		taken = page;
	}
}

static void give_one(void)
{
	void *page = taken;

	taken = *(void **)page;
	EXPECT_EQ(freepage(page, owner), PAGE_OK);
}

/* The one that was taken first, so of the highest zone. */
static void give_oldest(void)
{
	void **at = &taken;

	while (*(void **)*at)
		at = *at;
	EXPECT_EQ(freepage(*at, owner), PAGE_OK);
	*at = NULL;
}

static void give_all(void)
{
	while (taken)
		give_one();
}

static struct mm_wait_stats stats(void)
{
	struct mm_wait_stats s;

	mm_wait_stats(&s);
	return s;
}

/* --- those who wait */

#define WAITERS 5u

struct waiter {
	struct event go;
	struct thread *thread;
	gfp_t gfp;
	unsigned order;
	uint64_t timeout;
	void *volatile page;
	volatile bool done;
};

static struct waiter w[WAITERS];

static uint64_t wait_for_memory(void *arg)
{
	struct waiter *me = arg;

	event_wait(&me->go, WAIT_FOREVER);
	me->page = allocpages_wait(GFP_KERNEL | me->gfp, me->order, owner, me->timeout);
	me->done = true;
	return 0;
}

/* The threads, before memory is gone. */
static void prepare(unsigned n)
{
	owner = owner_register("waits for memory");
	for (unsigned i = 0; i < n; i++) {
		w[i] = (struct waiter){ .gfp = WHERE, .timeout = WAIT_FOREVER };
		w[i].thread = thread_create("memory please", THREAD_NORMAL, OWNER_KERNEL,
					    wait_for_memory, &w[i]);
		EXPECT(w[i].thread);
	}
}

/* Let waiter @i ask, and return when it stands in line, or stood there. */
static void queue(unsigned i)
{
	uint64_t before = stats().slept;

	event_set(&w[i].go);
	while (stats().slept == before)
		thread_sleep(MS / 4);
}

static void await(unsigned i)
{
	while (!w[i].done)
		thread_sleep(MS / 4);
}

static void drain(void *unused)
{
	(void)unused;
	page_drain();
}

static void finish(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		thread_join(w[i].thread, NULL);
		if (w[i].page)
			EXPECT_EQ(freepages(w[i].page, w[i].order, owner), PAGE_OK);
	}
	give_all();
	EXPECT_EQ(stats().waiting, 0);
	cpu_call_all(drain, NULL);
	EXPECT_EQ(owner_unregister(owner), 0);
}

TEST(a_request_sleeps_until_a_page_is_freed)
{
	prepare(1);
	take_all();
	queue(0);
	EXPECT(!w[0].done);
	give_one();
	await(0);
	EXPECT(w[0].page);
	finish(1);
}

TEST(requests_are_served_as_they_came)
{
	prepare(WAITERS);
	take_all();
	for (unsigned i = 0; i < WAITERS; i++)
		queue(i);
	for (unsigned i = 0; i < WAITERS; i++) {
		give_one();
		await(i);
		EXPECT(w[i].page);
		for (unsigned k = i + 1; k < WAITERS; k++)
			EXPECT(!w[k].done);
	}
	finish(WAITERS);
}

#define FEW 65536u			/* frames: all of them are soon taken */

/* Where pages are cached, and a free would otherwise stay in its CPU's cache. */
TEST(all_memory_can_be_waited_for)
{
	struct mm_stats s;

	mm_stats(&s);
	if (s.frames > FEW) {
		test_skip("too much memory to take all of it");
		return;
	}
	where = 0;
	prepare(1);
	take_all();
	queue(0);
	EXPECT(!w[0].done);
	give_oldest();
	await(0);
	EXPECT(w[0].page);
	finish(1);
	where = GFP_DMA;
}

/* Small requests behind a large one do not take, page by page, what it waits for. */
TEST(a_large_request_is_not_overtaken)
{
	void *block;

	prepare(3);
	w[0].order = 3;
	block = allocpages(GFP_NOWAIT | WHERE, 3, owner);
	take_all();
	for (unsigned i = 0; i < 3; i++)
		queue(i);
	for (unsigned i = 0; i < 2; i++)
		give_one();
	thread_sleep(2 * MS);
	EXPECT(!w[1].done && !w[2].done);
	EXPECT_EQ(freepages(block, 3, owner), PAGE_OK);
	for (unsigned i = 0; i < 3; i++)
		await(i);
	EXPECT(w[0].page && w[1].page && w[2].page);
	finish(3);
}

TEST(waiting_ends_with_the_timeout)
{
	uint64_t before = stats().gave_up, start = clock_ns();

	prepare(0);
	take_all();
	EXPECT(!allocpages_wait(GFP_KERNEL | WHERE, 0, owner, 3 * MS));
	EXPECT_CMP(clock_ns() - start, >=, 3 * MS);
	EXPECT_EQ(stats().gave_up, before + 1);
	EXPECT(!allocpages_wait(GFP_KERNEL | WHERE, 0, owner, 0));
	EXPECT_EQ(stats().gave_up, before + 1);
	finish(0);
}

/* Behind a large request that gives up, the small ones are looked at again. */
TEST(who_gives_up_makes_room)
{
	void *block;

	prepare(2);
	w[0].order = 3;
	w[0].timeout = 20 * MS;
	block = allocpages(GFP_NOWAIT | WHERE, 3, owner);
	take_all();
	queue(0);
	queue(1);
	give_one();
	await(1);
	await(0);			/* who makes room returns after the room is taken */
	EXPECT(w[1].page && !w[0].page);
	freepages(block, 3, owner);
	finish(2);
}

static uint64_t not_tried(void)
{
	struct zone_counts c;

	zone_counts(ZONE_DMA, &c);
	return c.failures[ZONE_NOT_TRIED];
}

/* Behind one who waits until the end nothing is tried, and that is what the story says. */
TEST(who_never_had_his_turn_is_told_so)
{
	struct zone_walk walk;
	uint64_t before = not_tried(), patience;

	prepare(1);
	w[0].order = 3;
	take_all();
	queue(0);
	patience = mm_set_patience(3 * MS);
	EXPECT(!allocpages_walk(GFP_KERNEL | WHERE, 0, owner, &walk));
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		EXPECT_EQ(walk.zone[z], ZONE_NOT_TRIED);
	EXPECT(!allocpage(GFP_KERNEL | WHERE, owner));
	EXPECT_EQ(not_tried(), before + 2);
	mm_set_patience(patience);
	give_all();
	await(0);
	EXPECT(w[0].page);
	finish(1);
}

TEST(what_can_never_fit_is_not_waited_for)
{
	uint64_t before = stats().slept;

	owner = owner_register("wants too much");
	EXPECT(!allocpages_wait(GFP_KERNEL | WHERE, ORDER_MAX, owner, WAIT_FOREVER));
	EXPECT_EQ(stats().slept, before);
	mm_fail_nth(1);
	EXPECT(!allocpages_wait(GFP_KERNEL | WHERE, 0, owner, WAIT_FOREVER));
	mm_fail_nth(0);
	EXPECT_EQ(stats().slept, before);
	EXPECT_EQ(owner_unregister(owner), 0);
}

TEST(atomic_requests_keep_their_reserve)
{
	void *page;

	prepare(1);
	take_all();
	queue(0);
	page = allocpage(GFP_ATOMIC | WHERE, owner);
	EXPECT(page);
	EXPECT(!allocpage(GFP_NOWAIT | WHERE, owner));
	EXPECT(!w[0].done);
	EXPECT_EQ(freepage(page, owner), PAGE_OK);
	give_one();
	await(0);
	finish(1);
}

TEST(zeroes_are_zeroes_after_a_wait)
{
	const uint64_t *page;
	uint64_t sum = 0;

	prepare(1);
	w[0].gfp |= GFP_ZERO;
	take_all();
	queue(0);
	for (void **p = taken; p; p = *p)	/* whichever page it will be */
		p[1] = p;
	give_one();
	await(0);
	page = w[0].page;
	for (unsigned i = 0; page && i < PAGE_SIZE / sizeof(*page); i++)
		sum |= page[i];
	EXPECT(page && sum == 0);
	finish(1);
}

/* --- freed by an NMI */

static bool free_in_nmi(struct trap_frame *f)
{
	(void)f;
	give_one();
	return true;
}

TEST(a_free_in_an_nmi_wakes_too)
{
	trap_handler_t before = trap_set_handler(TRAP_NMI, free_in_nmi);

	prepare(1);
	take_all();
	queue(0);
	__asm__ volatile("int $2" : : : "memory");
	trap_set_handler(TRAP_NMI, before);
	await(0);
	EXPECT(w[0].page);
	finish(1);
}

/* --- not freed by anybody */

/* As by who gathered a block in vain: mm/ does not tell of that. */
TEST(what_comes_back_without_a_word_is_found)
{
	prepare(1);
	w[0].timeout = 5000 * MS;
	take_all();
	queue(0);
	thread_sleep(2 * MS);		/* he has asked */
	mm_set_sleeper(NULL);
	give_one();
	mm_wait_init();
	await(0);
	EXPECT(w[0].page);
	finish(1);
}

/* --- owners that can spare some */

static unsigned reclaims;

static size_t spare_one(void *arg, unsigned order)
{
	reclaims++;
	EXPECT(arg == &reclaims && order == 0);
	/* Nothing is free yet, and who reclaims does not sleep for it. */
	EXPECT(!allocpages(GFP_KERNEL | WHERE, 0, owner));
	give_one();
	return 1;
}

TEST(an_owner_is_asked_before_anybody_sleeps)
{
	uint64_t slept = stats().slept;
	void *page;

	prepare(0);
	owner_set_reclaim(owner, spare_one, &reclaims);
	reclaims = 0;
	take_all();
	page = allocpages(GFP_KERNEL | WHERE, 0, owner);
	EXPECT(page);
	EXPECT_EQ(reclaims, 1);
	EXPECT_EQ(stats().slept, slept);
	owner_set_reclaim(owner, NULL, NULL);
	freepage(page, owner);
	finish(0);
}

/* --- many at once, for less than they want together */

#define CROWD  4u
#define HANDS  3u
#define ROUNDS 150u

static uint64_t take_and_give(void *arg)
{
	void *page[HANDS];
	uint64_t missed = 0;

	event_wait(arg, WAIT_FOREVER);
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* One by one: two who each hold some and want more would wait for each other. */
		for (unsigned k = 0; k < HANDS; k++) {
			page[k] = allocpages_wait(GFP_KERNEL | WHERE, 0, owner, WAIT_FOREVER);
			if (!page[k])
				missed++;
			else
				freepage(page[k], owner);
		}
	}
	return missed;
}

/* One page goes round among four: each free must wake the next, thousands of times. */
TEST(no_free_is_lost)
{
	struct event go = { .happened = false };
	struct thread *t[CROWD];

	prepare(0);
	for (unsigned i = 0; i < CROWD; i++)
		t[i] = thread_create("crowd", THREAD_NORMAL, OWNER_KERNEL, take_and_give, &go);
	take_all();
	give_one();
	event_set(&go);
	for (unsigned i = 0; i < CROWD; i++) {
		uint64_t missed = 1;

		thread_join(t[i], &missed);
		EXPECT_EQ(missed, 0);
	}
	finish(0);
}

/* Behind the last waiter everything is as it was: memory is cached again. */
TEST(afterwards_pages_are_cached_again)
{
	struct zone_stats before, after, idle;
	void *page;

	zone_stats(ZONE_DMA, &before);
	prepare(1);
	take_all();
	queue(0);
	zone_stats(ZONE_DMA, &idle);
	give_one();
	await(0);
	finish(1);
	zone_stats(ZONE_DMA, &after);
	EXPECT(before.low == after.low && before.min == after.min);
	page = allocpage(GFP_ATOMIC, OWNER_KERNEL);
	EXPECT(page && freepage(page, OWNER_KERNEL) == PAGE_OK);
}
