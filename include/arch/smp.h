/* SPDX-License-Identifier: MIT */
/* Starting CPUs: what a machine does of labyrinth/smp.h's cpus_find() and cpus_start(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thread;

/* Is it the CPU that runs already, which has number 0?  Context: boot. */
bool smp_is_first(uint32_t apic_id);

/**
 * smp_add() - one more CPU that may be started, with the next number
 * @apic_id: not one that has been added before
 *
 * Context: boot, one CPU, before mm_init() and seal().
 * Return:  false when there is no number left.
 */
bool smp_add(uint32_t apic_id);

/* CPU @cpu is to come when it is not waited for any more: for tests.  Context: as smp_add(). */
void smp_delay(unsigned cpu);

/* Wait for CPUs that do not answer until none has come for @ms ms.  Context: as smp_add(). */
void smp_set_patience(uint32_t ms);

/* The thread on CPU @cpu, which is online; NULL before it has threads.  Only for looking at it
 * where it cannot go away: when @cpu has been stopped.  Context: any. */
struct thread *smp_thread_of(unsigned cpu);

/* See cpus_start().  @trampoline: a page of RAM below 640 KiB, or 0 when there is none. */
void smp_start(uint32_t trampoline);
