/* SPDX-License-Identifier: MIT */
/* Which CPUs have threads, and what each has of its own for them. */
#include "sched.h"

#include <arch/cpu.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>

static _Atomic(struct sched_cpu *) cpus[SCHED_CPUS_MAX];

struct sched_cpu *sched_cpu_of(unsigned cpu)
{
	/* Acquire: pairs with sched_cpu_add(). */
	return cpu < SCHED_CPUS_MAX ? atomic_load_explicit(&cpus[cpu], memory_order_acquire) : NULL;
}

struct sched_cpu *sched_cpu_here(void)
{
	return sched_cpu_of(cpu_number());
}

void sched_cpu_add(struct sched_cpu *c)
{
	KASSERT(c->number < SCHED_CPUS_MAX);
	/* Release: pairs with sched_cpu_of(). */
	atomic_store_explicit(&cpus[c->number], c, memory_order_release);
}

struct sched_cpu *sched_lock_cpu_of(struct thread *t)
{
	for (;;) {
		/* Relaxed: looked at again under the lock, which guards it (S1). */
		uint32_t cpu = atomic_load_explicit(&t->cpu, memory_order_relaxed);
		struct sched_cpu *c = sched_cpu_of(cpu);

		spin_lock(&c->lock);
		if (atomic_load_explicit(&t->cpu, memory_order_relaxed) == cpu)
			return c;
		spin_unlock(&c->lock);
	}
}
