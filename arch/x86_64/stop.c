/* SPDX-License-Identifier: MIT */
/* The NMI that stops a CPU, and what it leaves behind for the report of another. */
#include <arch/stop.h>

#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/machine.h>
#include <labyrinth/smp.h>
#include <port/apic.h>
#include <port/cpu_call.h>
#include <port/patience.h>
#include <port/percpu.h>

/* Since the last CPU that stopped; see smp.c for why so long. */
#define PATIENCE ((uint64_t)5 * 1000000000)

static struct {
	_Atomic(const struct trap_frame *) frame;
	const char *what;
	_Atomic bool stopped;
} stops[CPUS_MAX];

static _Atomic bool wanted;
static unsigned reporter;

bool stop_enter(const struct trap_frame *f)
{
	const struct trap_frame *none = NULL;

	/* Relaxed: only this CPU writes it, the NMI included; stop_here() publishes it. */
	return atomic_compare_exchange_strong_explicit(&stops[cpu_number()].frame, &none, f,
						       memory_order_relaxed,
						       memory_order_relaxed);
}

_Noreturn void stop_here(const char *what)
{
	stops[cpu_number()].what = what;
	/* Release: pairs with stop_look(), for frame and what. */
	atomic_store_explicit(&stops[cpu_number()].stopped, true, memory_order_release);
	machine_halt();
}

void stop_on_nmi(const struct trap_frame *f)
{
	/* Acquire: pairs with stop_others(), for reporter. */
	if (!atomic_load_explicit(&wanted, memory_order_acquire) || cpu_number() == reporter)
		return;
	/* One that panics itself stops when it has said why. */
	if (stop_enter(f))
		stop_here(NULL);
}

bool stop_look(unsigned cpu, struct stopped *out)
{
	/* Acquire: pairs with stop_here(). */
	if (!atomic_load_explicit(&stops[cpu].stopped, memory_order_acquire))
		return false;
	*out = (struct stopped){ stops[cpu].frame, stops[cpu].what };
	return true;
}

static unsigned count_stopped(void)
{
	struct stopped s;
	unsigned n = 0;

	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		n += cpu != reporter && cpu_online(cpu) && stop_look(cpu, &s);
	return n;
}

void stop_others(void)
{
	struct patience p;
	unsigned expected = cpus_online() - 1, stopped = 0, now;

	reporter = cpu_number();
	/* Release: pairs with stop_on_nmi(). */
	atomic_store_explicit(&wanted, true, memory_order_release);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		if (cpu != reporter && cpu_online(cpu))
			apic_send(cpu_apic_id[cpu], APIC_NMI);
	patience_begin(&p, PATIENCE);
	while ((now = count_stopped()) < expected && patience_left(&p)) {
		if (now != stopped)
			patience_begin(&p, PATIENCE);
		stopped = now;
	}
}
