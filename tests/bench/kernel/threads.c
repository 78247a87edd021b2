/* SPDX-License-Identifier: MIT */
/* What it costs that another thread runs: by yielding, and by waking one of higher priority. */
#include "kbench.h"

#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define SAMPLES 1000u

static volatile bool over;

static uint64_t yield_back(void *arg)
{
	(void)arg;
	while (!over)
		thread_yield();
	return 0;
}

/* There and back: two switches. */
static void yielding(void)
{
	struct thread *t = thread_create_on(0, "yields", THREAD_NORMAL, OWNER_KERNEL, yield_back,
					    NULL);

	if (!t)
		return;
	thread_yield();
	kbench_open("kernel", "thread_switch", 0, 2);
	for (unsigned i = 0; i < SAMPLES; i++) {
		kbench_start();
		thread_yield();
		kbench_stop();
	}
	kbench_close();
	over = true;
	thread_join(t, NULL);
}

static uint64_t run_when_woken(void *arg)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		semaphore_down(arg, WAIT_FOREVER);
		kbench_stop();
	}
	return 0;
}

/* From the call that wakes to the first instruction of who was woken. */
static void waking(void)
{
	struct semaphore bell = { .count = 0 };
	struct thread *t = thread_create_on(0, "woken", THREAD_HIGH, OWNER_KERNEL, run_when_woken,
					    &bell);

	if (!t)
		return;
	kbench_open("kernel", "thread_wake", 0, 1);
	for (unsigned i = 0; i < SAMPLES; i++) {
		kbench_start();
		semaphore_up(&bell);
	}
	kbench_close();
	thread_join(t, NULL);
}

static uint64_t do_nothing(void *arg) { return arg != NULL; }

/* A thread's whole life, its stack's mapping and the flush behind it included. */
static void living(void)
{
	kbench_open("kernel", "thread_create_join", 0, 1);
	for (unsigned i = 0; i < SAMPLES / 10; i++) {
		struct thread *t;

		kbench_start();
		t = thread_create_on(0, "short", THREAD_HIGH, OWNER_KERNEL, do_nothing, NULL);
		if (t)
			thread_join(t, NULL);
		kbench_stop();
	}
	kbench_close();
}

void kbench_threads(void)
{
	yielding();
	waking();
	living();
}
