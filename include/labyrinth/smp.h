/* SPDX-License-Identifier: MIT */
/* The machine's CPUs: which there are, which of them run, and what each is doing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_NUMBERS 256u		/* CPUs at most */

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

/* How many came after they had been left out, and rest for good.  Context: any. */
unsigned cpus_too_late(void);

/* Does CPU @cpu run?  Context: any. */
bool cpu_online(unsigned cpu);

/* What is known of CPU @cpu.  Context: any.  Return: false when there is no such number. */
bool cpu_get_info(unsigned cpu, struct cpu_info *out);

/**
 * cpus_find() - which CPUs the firmware lists
 *
 * As the MADT has them, or only the first where there is none.  Options: maxcpus=N takes
 * the first N; cpu_absent=ID adds one that is not there, and cpu_late=N has CPU N come too
 * late, for tests.
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


/*
 * Calls from one CPU to another.  They run as an interrupt's handler does: interrupts
 * masked, neither sleeping nor waiting, and not calling another CPU in turn.  A CPU that
 * waits for an answer, or for its turn, meanwhile answers calls to itself, so that two
 * which call each other with interrupts masked do not wait for each other.
 */
typedef void (*cpu_fn_t)(void *arg);

/**
 * cpu_call() - run @fn on CPU @cpu, and wait until it has
 * @cpu: may be the running one
 * @arg: for @fn
 *
 * What the caller wrote before is seen by @fn, what @fn wrote by the caller afterwards.
 * A CPU that does not take the call within some seconds is named on the console.
 *
 * Context: threads and interrupt handlers, interrupts masked or not; not in_nmi(), not in @fn,
 *          and without a spin lock: whoever waits for that one does not answer calls.
 * Return:  false when @cpu is not online or does not answer; then @fn never runs there.
 * Panics:  when @fn begins there and does not end.
 */
bool cpu_call(unsigned cpu, cpu_fn_t fn, void *arg);

/**
 * cpu_call_others() - the same on all CPUs online but the running one, at the same time
 *
 * The thread is not moved to another CPU meanwhile.
 *
 * Context: as cpu_call().
 * Return:  false when one of them did not answer; the others have run @fn.
 */
bool cpu_call_others(cpu_fn_t fn, void *arg);

/* The same, and on the running CPU, last.  Context: as cpu_call(). */
bool cpu_call_all(cpu_fn_t fn, void *arg);

/* Set need_resched on CPU @cpu, and interrupt it so that it looks; does not wait.
 * Context: any but NMI. */
void cpu_kick(unsigned cpu);

/**
 * cpu_start_job() - have an idle CPU do something, and do not wait for it
 * @cpu: not the first, whose main stack has other work
 *
 * @fn runs in the CPU's idle loop, interrupts enabled, as long as it likes.
 *
 * Context: threads.
 * Return:  false when @cpu is not online, or has a job.
 */
bool cpu_start_job(unsigned cpu, cpu_fn_t fn, void *arg);

/* Is the job of CPU @cpu still to be done?  What it wrote is seen by whoever is told that it
 * is not.  Context: any. */
bool cpu_has_job(unsigned cpu);

/* Do the running CPU's job, if it has one.  Context: its idle loop.  Return: had it? */
bool cpu_do_job(void);
