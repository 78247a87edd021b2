/* SPDX-License-Identifier: MIT */
/*
 * One timer a CPU, which goes off once.  Time is clock_ns() (arch/console.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

typedef void (*timer_handler_t)(void);

/* Can this machine tell when time has come?  Else the calls below do nothing.  Context: any. */
bool timer_present(void);

/**
 * timer_set_handler() - who is called when a CPU's timer goes off, on that CPU
 *
 * Called in the timer's interrupt, not before the deadline, once; it may set the next.
 *
 * Context: any.
 * Return:  the handler until now.
 */
timer_handler_t timer_set_handler(timer_handler_t handler);

/**
 * timer_set_oneshot() - when the running CPU's timer goes off
 * @deadline_ns: of clock_ns(); one that has passed: at once; TIMER_NEVER: not at all
 *
 * Takes the place of the deadline before.
 *
 * Context: any but NMI; a thread that may be moved to another CPU must not be, meanwhile.
 * Return:  false when this machine has no timer.
 */
bool timer_set_oneshot(uint64_t deadline_ns);

/* The running CPU's deadline, or TIMER_NEVER.  Context: as timer_set_oneshot(). */
uint64_t timer_deadline(void);
