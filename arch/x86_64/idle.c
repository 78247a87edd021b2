/* SPDX-License-Identifier: MIT */
/* What a CPU does that has nothing to do: jobs, if somebody has one for it. */
#include <port/idle.h>

#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/smp.h>
#include <port/percpu.h>

enum { NO_JOB, CLAIMED, POSTED };

static struct job {
	_Atomic unsigned state;
	cpu_fn_t fn;
	void *arg;
} jobs[CPUS_MAX];

bool cpu_start_job(unsigned cpu, cpu_fn_t fn, void *arg)
{
	unsigned none = NO_JOB;
	struct job *j = &jobs[cpu % CPUS_MAX];

	/* Acquire: pairs with the end of the job before. */
	if (cpu == 0 || !cpu_online(cpu) ||
	    !atomic_compare_exchange_strong_explicit(&j->state, &none, CLAIMED,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	j->fn = fn;
	j->arg = arg;
	/* Release: pairs with cpu_do_job(). */
	atomic_store_explicit(&j->state, POSTED, memory_order_release);
	cpu_kick(cpu);
	return true;
}

bool cpu_has_job(unsigned cpu)
{
	/* Acquire: pairs with the end of the job. */
	return atomic_load_explicit(&jobs[cpu % CPUS_MAX].state, memory_order_acquire) != NO_JOB;
}

/* The CPU itself ends its job, so nobody else changes POSTED. */
bool cpu_do_job(void)
{
	struct job *j = &jobs[cpu_number()];

	/* Acquire: pairs with cpu_start_job(). */
	if (atomic_load_explicit(&j->state, memory_order_acquire) != POSTED)
		return false;
	j->fn(j->arg);
	/* Release: pairs with cpu_has_job() and cpu_start_job(). */
	atomic_store_explicit(&j->state, NO_JOB, memory_order_release);
	return true;
}

/* A job posted after the look kicks, and a kick ends the wait. */
__attribute__((weak)) _Noreturn void cpu_idle(void)
{
	for (;;) {
		irq_enable();
		while (cpu_do_job())
			;
		irq_disable();
		if (!cpu_has_job(cpu_number()))
			irq_wait();
	}
}
