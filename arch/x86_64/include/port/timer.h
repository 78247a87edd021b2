/* SPDX-License-Identifier: MIT */
/* Bringing the local APIC's timer up; include/labyrinth/timer.h is for its users. */
#pragma once

/**
 * timer_init() - find out how fast it runs, in some 2 ms, and set up the first CPU's
 *
 * Says on the console why there is none.
 *
 * Context: boot, the first CPU, after apic_init() and clock_init(), before seal().
 */
void timer_init(void);

/* Set up the running CPU's.  Context: its boot, after apic_init_cpu(), interrupts masked. */
void timer_init_cpu(void);
