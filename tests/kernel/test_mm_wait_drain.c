/* SPDX-License-Identifier: MIT */
/*
 * Whoever waits for memory has all CPUs give up what they cache; of several who wait, one.  A CPU
 * that does not answer for a while makes that last.
 */
#define SUITE "mm_wait"
#include <tests/test.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/mm.h>
#include <labyrinth/mm_wait.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define MS      ((uint64_t)1000000)
#define WAITERS 3u

static struct mm_wait_stats stats(void)
{
	struct mm_wait_stats s;

	mm_wait_stats(&s);
	return s;
}

/* --- all of the DMA zone, and some of it back */

static owner_t owner;
static void *taken;			/* each page names the one before */

static void take_all(void)
{
	void *page;

	while ((page = allocpage(GFP_NOWAIT | GFP_DMA, owner))) {
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

static void drain(void *unused)
{
	(void)unused;
	page_drain();
}

/* --- a CPU that is long in answering */

static struct event deaf;
static volatile bool listen;

static uint64_t be_deaf(void *unused)
{
	uint64_t end = clock_ns() + 5000 * MS, flags = irq_save();

	(void)unused;
	event_set(&deaf);
	while (!listen && clock_ns() < end)
		cpu_relax();
	irq_restore(flags);
	return 0;
}

/* --- those who wait */

static struct waiter { struct event go; struct thread *thread; } w[WAITERS];
static _Atomic unsigned done;

static uint64_t wait_for_memory(void *arg)
{
	struct waiter *me = arg;
	void *page;

	event_wait(&me->go, WAIT_FOREVER);
	page = allocpages_wait(GFP_KERNEL | GFP_DMA, 0, owner, WAIT_FOREVER);
	done++;
	return (uintptr_t)page;
}

/* Let waiter @i ask, and return when he stands in line, or stood there. */
static void queue(unsigned i)
{
	uint64_t before = stats().slept;

	event_set(&w[i].go);
	while (stats().slept == before)
		thread_sleep(MS / 4);
}

static void finish(struct thread *t)
{
	uint64_t page;

	listen = true;
	thread_join(t, NULL);
	for (unsigned i = 0; i < WAITERS; i++) {
		thread_join(w[i].thread, &page);
		EXPECT_EQ(freepage((void *)(uintptr_t)page, owner), PAGE_OK);
	}
	while (taken)
		give_one();
	cpu_call_all(drain, NULL);
	EXPECT_EQ(owner_unregister(owner), 0);
}

/* The first asks all CPUs, and is served meanwhile: who comes then need not ask them again. */
TEST(caches_are_emptied_by_one_at_a_time)
{
	uint64_t drains, served;
	struct thread *t;

	if (cpus_online() < 3) {
		test_skip("needs three CPUs");
		return;
	}
	owner = owner_register("waits for memory");
	deaf.happened = listen = false;
	done = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		w[i] = (struct waiter){ .go.happened = false };
		w[i].thread = thread_create_on(i == 0, "memory please", THREAD_NORMAL,
					       OWNER_KERNEL, wait_for_memory, &w[i]);
	}
	t = thread_create_on(2, "deaf", THREAD_NORMAL, OWNER_KERNEL, be_deaf, NULL);
	take_all();
	drains = stats().drains;
	served = stats().served;
	event_wait(&deaf, WAIT_FOREVER);
	queue(0);
	give_one();
	while (stats().served == served)
		thread_sleep(MS / 4);
	queue(1);
	queue(2);
	EXPECT_EQ(done, 0);			/* he is still about it */
	EXPECT_EQ(stats().drains, drains + 1);
	for (unsigned i = 1; i < WAITERS; i++)
		give_one();
	finish(t);
}
