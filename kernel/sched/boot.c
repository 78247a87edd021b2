/* SPDX-License-Identifier: MIT */
/* The first threads: the one that boots, and one a CPU for when there is nothing to do. */
#include "sched.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/panic.h>

static struct thread main_thread;
static struct sched_cpu first;

static uint64_t idle(void *arg)
{
	(void)arg;
	for (;;) {
		irq_disable();
		sched_choose(true);
		irq_enable();
		cpu_relax();
	}
	return 0;
}

void sched_init(void)
{
	struct thread *me = &main_thread;

	thread_setup(me, "main", THREAD_NORMAL, OWNER_KERNEL);
	me->pinned = 0;
	me->state = THREAD_RUNNING;
	me->since = clock_ns();
	first.current = me;
	switch_set_current(me);
	sched_cpu_add(&first);
	first.idle = thread_create_idle(0, idle);
	if (!first.idle)
		panic("no memory for the stack of the idle thread");
}
