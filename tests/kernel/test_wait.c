/* SPDX-License-Identifier: MIT */
/* Waiting: who is woken, in which order, and that nobody is forgotten. */
#define SUITE "wait"
#include <tests/test.h>

#include <arch/console.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define MS ((uint64_t)1000000)

static void join_all(struct thread *t[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (t[i])
			thread_join(t[i], NULL);
}

/* --- the order of waiters */

#define WAITERS 6u

struct line {
	struct wait_queue queue;
	unsigned waiting, gone;
	unsigned order[WAITERS];
};

struct place { struct line *line; unsigned number; };

static uint64_t stand_in_line(void *arg)
{
	struct place *p = arg;
	struct line *l = p->line;
	uint64_t flags = wait_lock(&l->queue);

	l->waiting++;
	wait_on(&l->queue, WAIT_FOREVER);
	l->order[l->gone++] = p->number;
	wait_unlock(&l->queue, flags);
	return 0;
}

static unsigned count_of(struct line *l, const unsigned *what)
{
	uint64_t flags = wait_lock(&l->queue);
	unsigned n = *what;

	wait_unlock(&l->queue, flags);
	return n;
}

static void wake_in_turn(struct line *l)
{
	for (unsigned i = 0; i < WAITERS; i++) {
		uint64_t flags = wait_lock(&l->queue);

		EXPECT(wake_one(&l->queue));
		wait_unlock(&l->queue, flags);
		while (count_of(l, &l->gone) <= i)
			thread_sleep(MS / 4);
	}
}

static void form_line(struct line *l, struct place place[], struct thread *t[],
		      const unsigned priority[])
{
	for (unsigned i = 0; i < WAITERS; i++) {
		place[i] = (struct place){ l, i };
		t[i] = thread_create("in line", priority[i], OWNER_KERNEL, stand_in_line,
				     &place[i]);
		while (count_of(l, &l->waiting) <= i)
			thread_sleep(MS / 4);
	}
}

static void check_order(const unsigned priority[], const unsigned expected[])
{
	struct line l = { .waiting = 0 };
	struct place place[WAITERS];
	struct thread *t[WAITERS];

	form_line(&l, place, t, priority);
	wake_in_turn(&l);
	join_all(t, WAITERS);
	for (unsigned i = 0; i < WAITERS; i++)
		EXPECT_EQ(l.order[i], expected[i]);
	EXPECT(!wake_one(&l.queue));
}

TEST(equals_are_woken_as_they_came)
{
	check_order((unsigned[]){ 16, 16, 16, 16, 16, 16 }, (unsigned[]){ 0, 1, 2, 3, 4, 5 });
}

TEST(higher_priorities_are_woken_first)
{
	check_order((unsigned[]){ 8, 24, 16, 24, 8, 16 }, (unsigned[]){ 1, 3, 2, 5, 0, 4 });
}

TEST(all_can_be_woken_at_once)
{
	static const unsigned priority[WAITERS] = { 16, 16, 16, 16, 16, 16 };
	struct line l = { .waiting = 0 };
	struct place place[WAITERS];
	struct thread *t[WAITERS];
	uint64_t flags;

	form_line(&l, place, t, priority);
	flags = wait_lock(&l.queue);
	EXPECT_EQ(wake_all(&l.queue), WAITERS);
	EXPECT_EQ(wake_all(&l.queue), 0);
	wait_unlock(&l.queue, flags);
	join_all(t, WAITERS);
	EXPECT_EQ(l.gone, WAITERS);
}

/* --- timeouts */

TEST(waiting_ends_at_the_deadline)
{
	struct event never = { .happened = false };
	struct semaphore none = { .count = 0 };
	uint64_t deadline = clock_ns() + 3 * MS;

	EXPECT(!event_wait(&never, deadline));
	EXPECT_CMP(clock_ns(), >=, deadline);
	EXPECT(!semaphore_down(&none, clock_ns() + MS));
	EXPECT(!event_wait(&never, 0));
	EXPECT(!thread_park_until(clock_ns() + MS));
}

static uint64_t wait_short(void *arg)
{
	return semaphore_down(arg, clock_ns() + MS);
}

/* Who gave up is out of the line: what comes later is not given to him. */
TEST(who_gave_up_takes_nothing)
{
	struct semaphore s = { .count = 0 };
	struct thread *t = thread_create("impatient", THREAD_NORMAL, OWNER_KERNEL, wait_short, &s);
	uint64_t got;

	thread_join(t, &got);
	EXPECT(!got);
	semaphore_up(&s);
	EXPECT_EQ(s.count, 1);
	EXPECT(semaphore_down(&s, 0));
}

/* --- no lost wake-ups */

#define ROUNDS 2000u

struct pair { struct semaphore to, from; unsigned done; };

static uint64_t answer(void *arg)
{
	struct pair *p = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		semaphore_down(&p->to, WAIT_FOREVER);
		p->done++;
		semaphore_up(&p->from);
	}
	return 0;
}

TEST(no_wake_up_is_lost_between_two)
{
	struct pair p = { .done = 0 };
	struct thread *t = thread_create("answers", THREAD_NORMAL, OWNER_KERNEL, answer, &p);

	for (unsigned i = 0; i < ROUNDS; i++) {
		semaphore_up(&p.to);
		semaphore_down(&p.from, WAIT_FOREVER);
	}
	thread_join(t, NULL);
	EXPECT_EQ(p.done, ROUNDS);
}

static uint64_t park_often(void *arg)
{
	unsigned *rounds = arg, n = 0;

	while (n < ROUNDS && thread_park_until(WAIT_FOREVER))
		n = __atomic_load_n(rounds, __ATOMIC_ACQUIRE);
	return n;
}

/* Some unparks meet a parked thread, some come first, many fall together. */
TEST(an_unpark_that_comes_first_counts)
{
	unsigned rounds = 0;
	struct thread *t = thread_create("parks", THREAD_NORMAL, OWNER_KERNEL, park_often, &rounds);
	uint64_t n;

	for (unsigned i = 0; i < ROUNDS; i++) {
		__atomic_add_fetch(&rounds, 1, __ATOMIC_RELEASE);
		thread_unpark(t);
		if (test_random_below(4) == 0)
			thread_yield();
	}
	thread_join(t, &n);
	EXPECT_EQ(n, ROUNDS);
}

/* --- mutexes */

struct shared { struct mutex lock; unsigned inside, worst; uint64_t sum; };

static uint64_t add_under_lock(void *arg)
{
	struct shared *s = arg;

	for (unsigned i = 0; i < 200; i++) {
		mutex_lock(&s->lock);
		if (++s->inside > s->worst)
			s->worst = s->inside;
		uint64_t before = s->sum;
		thread_yield();
		s->sum = before + 1;
		s->inside--;
		mutex_unlock(&s->lock);
	}
	return 0;
}

TEST(a_mutex_lets_one_in)
{
	struct shared s = { .inside = 0 };
	struct thread *t[5];

	for (unsigned i = 0; i < 5; i++)
		t[i] = thread_create("adds", THREAD_NORMAL, OWNER_KERNEL, add_under_lock, &s);
	join_all(t, 5);
	EXPECT_EQ(s.worst, 1);
	EXPECT_EQ(s.sum, 1000);
	EXPECT(mutex_try(&s.lock));
	mutex_unlock(&s.lock);
}

static uint64_t lock_soon(void *arg)
{
	struct mutex *m = arg;
	bool first = mutex_lock_until(m, clock_ns() + MS), second = mutex_try(m);

	return (uint64_t)first << 1 | second;
}

TEST(a_mutex_that_is_held_is_not_to_be_had)
{
	struct mutex m = { .holder = NULL };
	struct thread *t;
	uint64_t got;

	mutex_lock(&m);
	t = thread_create("tries", THREAD_NORMAL, OWNER_KERNEL, lock_soon, &m);
	thread_join(t, &got);
	EXPECT_EQ(got, 0);
	mutex_unlock(&m);
	EXPECT(!m.holder);
}

TEST(an_event_stays_until_it_is_cleared)
{
	struct event e = { .happened = false };

	event_set(&e);
	EXPECT(event_wait(&e, 0) && event_wait(&e, 0));
	event_clear(&e);
	EXPECT(!event_wait(&e, 0));
}
