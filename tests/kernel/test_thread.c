/* SPDX-License-Identifier: MIT */
/* Threads: created, switched between, put to sleep, woken, joined. */
#define SUITE "thread"
#include <tests/test.h>

#include <arch/console.h>
#include <labyrinth/mm.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define MS ((uint64_t)1000000)

/* Longer than any machine stands still: waits that should end by a wake-up. */
#define LONG (clock_ns() + 100000 * MS)

static struct thread *start(const char *name, unsigned priority, thread_fn_t fn, void *arg)
{
	struct thread *t = thread_create(name, priority, OWNER_KERNEL, fn, arg);

	EXPECT(t);
	return t;
}

static uint64_t join(struct thread *t)
{
	uint64_t value = 0;

	if (t)
		thread_join(t, &value);
	return value;
}

static uint64_t double_it(void *arg) { return 2 * *(uint64_t *)arg; }

TEST(a_thread_returns_a_value_to_who_joins_it)
{
	uint64_t n = 21;

	EXPECT_EQ(join(start("doubles", THREAD_NORMAL, double_it, &n)), 42);
}

static uint64_t exit_deep(void *arg)
{
	if (arg)
		thread_exit(7);
	return 1;
}

TEST(a_thread_may_end_anywhere)
{
	EXPECT_EQ(join(start("exits", THREAD_NORMAL, exit_deep, &(int){ 0 })), 7);
}

static uint64_t say_name(void *arg)
{
	struct thread *me = thread_current();

	memcpy(arg, thread_name(me), THREAD_NAME_MAX);
	return thread_priority(me);
}

TEST(a_thread_knows_who_it_is)
{
	char name[THREAD_NAME_MAX];
	struct thread *t = start("of a name that is far too long", 5, say_name, name);

	EXPECT_EQ(join(t), 5);
	EXPECT(strcmp(name, "of a name that is far t") == 0);
	EXPECT(strcmp(thread_name(thread_current()), "main") == 0);
}

/* The stack is aligned as the compiler expects it, and all of it is there. */
static uint64_t use_stack(void *arg)
{
	volatile uint8_t deep[THREAD_STACK - 3072];

	(void)arg;
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = (uint8_t)i;
	return (uintptr_t)__builtin_frame_address(0) % 16;
}

TEST(a_stack_can_be_used_nearly_whole)
{
	EXPECT_EQ(join(start("deep", THREAD_NORMAL, use_stack, NULL)), 0);
}

struct turns { struct wait_queue queue; unsigned next; unsigned order[8]; unsigned n; };

static uint64_t note_turn(void *arg)
{
	struct turns *t = arg;
	uint64_t flags = wait_lock(&t->queue);

	t->order[t->n++] = thread_priority(thread_current());
	wait_unlock(&t->queue, flags);
	return 0;
}

/* On one CPU, which main does not give up before all are ready. */
TEST(higher_priorities_run_first)
{
	static const unsigned priority[] = { 3, 9, 5 };
	struct turns turns = { .n = 0 };
	struct thread *t[3];

	for (unsigned i = 0; i < 3; i++)
		t[i] = thread_create_on(0, "turn", priority[i], OWNER_KERNEL, note_turn, &turns);
	for (unsigned i = 0; i < 3; i++)
		join(t[i]);
	EXPECT_EQ(turns.n, 3);
	EXPECT(turns.order[0] == 9 && turns.order[1] == 5 && turns.order[2] == 3);
}

TEST(a_higher_priority_takes_over_at_once)
{
	struct turns turns = { .n = 0 };
	struct thread *t = thread_create_on(0, "higher", THREAD_HIGH, OWNER_KERNEL, note_turn,
					    &turns);

	EXPECT_EQ(turns.n, 1);
	join(t);
}

struct relay { volatile unsigned count; };

static uint64_t count_and_yield(void *arg)
{
	struct relay *r = arg;

	for (unsigned i = 0; i < 100; i++) {
		r->count++;
		thread_yield();
	}
	return 0;
}

TEST(who_yields_lets_an_equal_run)
{
	struct relay r = { 0 };
	struct thread *t = thread_create_on(0, "yields", THREAD_NORMAL, OWNER_KERNEL,
					    count_and_yield, &r);
	unsigned in_vain = 0;

	/* The clock may take the CPU from the other before he has counted, but not often. */
	for (unsigned before = 0; before < 100 && in_vain < 10; before = r.count) {
		thread_yield();
		in_vain += r.count <= before;
	}
	EXPECT_CMP(in_vain, <, 10);
	join(t);
	EXPECT_EQ(r.count, 100);
}

/* --- joining */

static uint64_t wait_for_event(void *arg)
{
	return event_wait(arg, WAIT_FOREVER) ? 17 : 0;
}

TEST(joining_waits_for_the_end)
{
	struct event go = { .happened = false };
	struct thread *t = start("waits", THREAD_HIGH, wait_for_event, &go);
	uint64_t value = 0;

	EXPECT(!thread_join_until(t, clock_ns() + 2 * MS, &value));
	EXPECT(!thread_join_until(t, 0, &value));
	EXPECT_EQ(value, 0);
	event_set(&go);
	EXPECT_EQ(join(t), 17);
}

TEST(a_thread_that_has_ended_can_be_joined)
{
	uint64_t n = 4, value = 0;
	struct thread *t = thread_create_on(0, "over", THREAD_HIGH, OWNER_KERNEL, double_it, &n);

	EXPECT(thread_join_until(t, LONG, &value));
	EXPECT_EQ(value, 8);
}

/* --- time */

TEST(sleep_lasts_as_long_as_it_should)
{
	uint64_t start_ns = clock_ns();

	thread_sleep(5 * MS);
	EXPECT_CMP(clock_ns() - start_ns, >=, 5 * MS);
	thread_sleep_until(0);
	thread_sleep(0);
}

static uint64_t sleep_for(void *arg)
{
	thread_sleep_until(*(uint64_t *)arg);
	return clock_ns();
}

TEST(each_sleeper_wakes_after_its_own_time)
{
	uint64_t when[4], now = clock_ns();
	struct thread *t[4];

	for (unsigned i = 0; i < 4; i++) {
		when[i] = now + (4 - i) * 3 * MS;
		t[i] = start("sleeps", THREAD_NORMAL, sleep_for, &when[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		EXPECT_CMP(join(t[i]), >=, when[i]);
}

/* --- many */

static uint64_t add_one(void *arg)
{
	thread_yield();
	return __atomic_add_fetch((uint64_t *)arg, 1, __ATOMIC_RELAXED) > 0;
}

static uint64_t held_by(owner_t owner)
{
	struct owner_stats s;

	owner_stats(owner, &s);
	return s.held;
}

#define MANY  1000u
#define BATCH 100u		/* alive at once: as many as fit 16 MiB */

TEST(a_thousand_threads_leave_nothing_behind)
{
	owner_t owner = owner_register("a thousand threads");
	static struct thread *t[BATCH];
	uint64_t sum = 0, joined = 0;

	for (unsigned done = 0; done < MANY; done += BATCH) {
		for (unsigned i = 0; i < BATCH; i++)
			t[i] = thread_create("one of many", THREAD_NORMAL, owner, add_one, &sum);
		EXPECT_CMP(held_by(owner), >=, BATCH * THREAD_STACK / PAGE_SIZE);
		for (unsigned i = 0; i < BATCH; i++)
			joined += join(t[i]);
	}
	EXPECT_EQ(sum, MANY);
	EXPECT_EQ(joined, MANY);
	EXPECT_EQ(held_by(owner), 0);
	EXPECT_EQ(owner_unregister(owner), 0);
}

TEST(without_memory_no_thread_is_made)
{
	owner_t owner = owner_register("no threads");
	uint64_t n = 1;

	/* The stack's pages, then the page table that it may need. */
	for (unsigned nth = 1; nth <= 4; nth++) {
		mm_fail_nth(nth);
		EXPECT(!thread_create("never", THREAD_NORMAL, owner, double_it, &n));
		mm_fail_nth(0);
	}
	EXPECT_EQ(held_by(owner), 0);
	EXPECT_EQ(owner_unregister(owner), 0);
}

TEST(the_list_has_every_thread_once)
{
	struct event go = { .happened = false };
	struct thread *t = start("listed", THREAD_LOW, wait_for_event, &go);
	struct thread_info info = { .number = 0 };
	unsigned listed = 0, mains = 0;

	thread_sleep(1 * MS);
	while (thread_list(info.number, &info)) {
		mains += strcmp(info.name, "main") == 0;
		if (strcmp(info.name, "listed"))
			continue;
		listed++;
		EXPECT_EQ(info.priority, THREAD_LOW);
		EXPECT_CMP(info.stack_used, <, info.stack_size);
	}
	EXPECT(listed == 1 && mains == 1);
	event_set(&go);
	join(t);
}
