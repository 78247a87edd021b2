/* SPDX-License-Identifier: MIT */
/* The first threads: the one that boots, and one a CPU for when there is nothing to do. */
#include "sched.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/deferred.h>
#include <labyrinth/page.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/timer.h>

static struct thread main_thread;
static struct sched_cpu first = { .armed = TIMER_NEVER };

_Noreturn void cpu_idle(void);

/* Nothing is ready here, and interrupts are masked. */
static void rest(struct sched_cpu *c)
{
	balance_set_idle(c->number);
	if (balance_pull(c) || cpu_has_job(c->number)) {
		irq_enable();
		return;
	}
	if (timer_present() || !sched_anything_due(c)) {
		irq_wait();
	} else {
		irq_enable();
		cpu_relax();
	}
}

/* In place of the port's own, which knows jobs only; of CPUs without a struct sched_cpu, too. */
_Noreturn void cpu_idle(void)
{
	for (;;) {
		struct sched_cpu *c;

		irq_enable();
		while (cpu_do_job())
			;
		irq_disable();
		c = sched_cpu_here();
		if (!c) {
			if (!cpu_has_job(cpu_number()))
				irq_wait();
			continue;
		}
		sched_choose(true);
		balance_claim(c->number);
		rest(c);
	}
}

static uint64_t idle(void *arg)
{
	(void)arg;
	cpu_idle();
}

/* The caller, as the thread that runs on @c. */
static void adopt(struct sched_cpu *c, struct thread *t)
{
	t->pinned = c->number;
	t->cpu = c->number;
	t->state = THREAD_RUNNING;
	t->since = clock_ns();
	c->current = t;
	switch_set_current(t);
	sched_cpu_add(c);
}

void sched_init(void)
{
	thread_setup(&main_thread, "main", THREAD_NORMAL, OWNER_KERNEL);
	adopt(&first, &main_thread);
	first.idle = thread_create_idle(0, idle);
	if (!first.idle)
		panic("no memory for the stack of the idle thread");
	timer_set_handler(sched_timer);
	deferred_init();
}

struct other { struct sched_cpu cpu; struct thread idle; };
_Static_assert(sizeof(struct other) <= PAGE_SIZE, "a page a CPU");

bool sched_init_cpu(void)
{
	struct other *o = allocpage(GFP_ATOMIC | GFP_ZERO, OWNER_KERNEL);

	if (!o)
		return false;
	o->cpu.number = cpu_number();
	o->cpu.armed = TIMER_NEVER;
	o->cpu.idle = &o->idle;
	thread_setup(&o->idle, "idle", 0, OWNER_KERNEL);
	adopt(&o->cpu, &o->idle);
	return true;
}
