/* SPDX-License-Identifier: MIT */
/* What the other CPUs were doing when one of them panicked. */
#include "panic_cpus.h"

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/stop.h>
#include <arch/trap.h>
#include <arch/unwind.h>
#include <labyrinth/backtrace.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>

#define CALLS 6u		/* lines a CPU: the report is about another one */
#define COLUMNS 64u		/* then a new line */

/* By number: CPUs of the same value stopped at the same place on the same way, and share an
 * entry; 0 is for those that have none.  Only the CPU that reports is here. */
static uint64_t ways[CPU_NUMBERS];

/* Its thread's name, from memory that may be damaged; "" where there is none, or nothing to do. */
static void name_thread(unsigned cpu, char name[THREAD_NAME_MAX])
{
	const struct thread *t = smp_thread_of(cpu);
	uintptr_t from = t ? (uintptr_t)thread_name(t) : 1, word;
	size_t n = 0;

	for (; n < THREAD_NAME_MAX - 1 && peek((from + n) & ~(uintptr_t)7, &word); n++) {
		char c = (char)(word >> (from + n) % 8 * 8);

		if (c < ' ' || c > '~')
			break;
		name[n] = c;
	}
	name[n] = '\0';
	if (strcmp(name, "idle") == 0)
		name[0] = '\0';
}

static uint64_t way_of(unsigned cpu, const struct trap_frame *f)
{
	char name[THREAD_NAME_MAX];
	struct unwind u;
	uint64_t hash = 0;
	unsigned n = 0;

	name_thread(cpu, name);
	for (const char *c = name; *c; c++)
		hash = hash * 31 + (uint8_t)*c;
	unwind_trap(&u, f);
	do
		hash = (hash ^ u.pc) * 0x9e3779b97f4a7c15u;	/* 2^64 / the golden ratio */
	while (++n < CALLS && unwind_next(&u));
	return hash | 1;
}

/* Also for one that has something of its own to say, or does not answer: an entry of its own. */
static void find_ways(void)
{
	struct stopped s;

	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		if (cpu == cpu_number() || !cpu_online(cpu))
			ways[cpu] = 0;
		else if (stop_look(cpu, &s) && !s.what)
			ways[cpu] = way_of(cpu, s.frame);
		else
			ways[cpu] = 2 * cpu + 2;
	}
}

static bool is_in_earlier_entry(unsigned cpu)
{
	for (unsigned before = 0; before < cpu; before++)
		if (ways[before] == ways[cpu])
			return true;
	return false;
}

/* "  CPU 1, 3-5": @cpu and all that are like it. */
static void print_numbers(unsigned cpu)
{
	uint64_t way = ways[cpu];
	unsigned column = 0;

	while (cpu < cpus_possible()) {
		unsigned last = cpu;

		while (last + 1 < cpus_possible() && ways[last + 1] == way)
			last++;
		column += (unsigned)kprintf(!column ? "  CPU %u" : ", %u", cpu);
		if (last > cpu)
			column += (unsigned)kprintf("-%u", last);
		for (cpu = last + 1; cpu < cpus_possible() && ways[cpu] != way; cpu++)
			;
		if (column > COLUMNS && cpu < cpus_possible())
			column = (unsigned)kprintf("\n     ") - 1;
	}
}

static void print_way(const struct trap_frame *f)
{
	char place[PLACE_MAX];
	struct unwind u;
	unsigned n = 0;

	unwind_trap(&u, f);
	do {
		place_format(place, sizeof(place), u.pc, u.returns);
		kprintf("    #%u %s\n", n, place);
	} while (++n < CALLS && unwind_next(&u));
}

static void print_cpu(unsigned cpu)
{
	char thread[THREAD_NAME_MAX];
	struct stopped s;

	if (!stop_look(cpu, &s)) {
		kprintf("  CPU %u does not answer\n", cpu);
		return;
	}
	print_numbers(cpu);
	name_thread(cpu, thread);
	if (*thread)
		kprintf(", thread %s", thread);
	kprintf(s.what ? ", panicking too: %s\n" : "\n", s.what);
	print_way(s.frame);
}

void panic_print_cpus(void)
{
	if (cpus_online() == 1)
		return;
	kprintf("\nOther CPUs:\n");
	find_ways();
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		if (ways[cpu] && !is_in_earlier_entry(cpu))
			print_cpu(cpu);
}
