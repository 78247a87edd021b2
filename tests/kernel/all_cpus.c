/* SPDX-License-Identifier: MIT */
/* See all_cpus.h. */
#include "all_cpus.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <labyrinth/panic.h>

/* 255 emulated CPUs share two cores with whoever else is there. */
#define PATIENCE ((uint64_t)120 * 1000000000)

static void wait_for(unsigned cpu)
{
	uint64_t start = clock_ns();

	while (cpu_has_job(cpu)) {
		cpu_relax();
		if (clock_ns() - start > PATIENCE)
			panic("CPU %u does not end its part of the test", cpu);
	}
}

void on_cpus(unsigned n, cpu_fn_t fn, void *arg)
{
	for (unsigned cpu = 1; cpu < n; cpu++)
		if (cpu_online(cpu))
			KASSERT(cpu_start_job(cpu, fn, arg));
	fn(arg);
	for (unsigned cpu = 1; cpu < n; cpu++)
		if (cpu_online(cpu))
			wait_for(cpu);
}

void on_all_cpus(cpu_fn_t fn, void *arg)
{
	on_cpus(cpus_possible(), fn, arg);
}
