/* SPDX-License-Identifier: MIT */
/* The machine's CPUs: which there are, which of them run, and what each is doing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cpu_state {
	CPU_LISTED,		/* the firmware names it, and nobody has called it yet */
	CPU_STARTING,		/* called, and not here yet */
	CPU_ONLINE,
	CPU_FAILED,		/* left out: see cpu_info.why */
	CPU_STATE_COUNT
};

const char *cpu_state_name(enum cpu_state s);		/* Context: any. */

struct cpu_info {
	uint32_t apic_id;
	enum cpu_state state;
	const char *why;	/* it failed; else NULL */
};

/* CPU numbers are 0..cpus_possible() - 1, the first CPU's is 0; fixed before mm_init().
 * Context: any. */
unsigned cpus_possible(void);

/* How many run now.  Context: any. */
unsigned cpus_online(void);

/* Does CPU @cpu run?  Context: any. */
bool cpu_online(unsigned cpu);

/* What is known of CPU @cpu.  Context: any.  Return: false when there is no such number. */
bool cpu_get_info(unsigned cpu, struct cpu_info *out);

/**
 * cpus_find() - which CPUs the firmware lists
 *
 * As the MADT has them, or only the first where there is none.  Options: maxcpus=N takes
 * the first N, cpu_absent=ID adds one that is not there, for tests.
 *
 * Context: boot, after acpi_init() and before mm_init().
 * Return:  cpus_possible() from now on.
 */
unsigned cpus_find(void);

/**
 * cpus_start() - start all of them
 *
 * A CPU that has not arrived some seconds after the last one that did is named on the
 * console, with its APIC id, and left out for good; one that arrives later is sent to rest.
 *
 * Context: boot, the first CPU, after mm_init() and seal().
 */
void cpus_start(void);

