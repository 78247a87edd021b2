/* SPDX-License-Identifier: MIT */
/* Stopping all CPUs but one, for the report of a panic. */
#pragma once

#include <stdbool.h>

struct trap_frame;

/**
 * stop_others() - stop every other CPU for good, by NMI
 *
 * A CPU that has not stopped some seconds after the last one that did is given up.
 *
 * Context: any; the one CPU that reports.
 */
void stop_others(void);

/**
 * stop_enter() - the running CPU will stop, and was at @f
 *
 * For a CPU that panics while another one reports.  stop_here() must follow.
 *
 * Context: any, interrupts masked.
 * Return:  false when it has been here before: then there is nothing more to say.
 */
bool stop_enter(const struct trap_frame *f);

/* Stop, with a sentence for the report, which the stack keeps; NULL for none. */
_Noreturn void stop_here(const char *what);

/* Where a CPU has stopped, and why on its own, if it did. */
struct stopped {
	const struct trap_frame *frame;
	const char *what;		/* or NULL */
};

/* Has CPU @cpu stopped, and where?  Context: any. */
bool stop_look(unsigned cpu, struct stopped *out);

/* An NMI came, at @f: does not return when it was to stop this CPU.  Context: NMI. */
void stop_on_nmi(const struct trap_frame *f);
