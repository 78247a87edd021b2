/* SPDX-License-Identifier: MIT */
/*
 * Something to be done soon, from where it must not be done now: an NMI may not take a lock
 * or wake a thread, so it raises a deferred call, which runs in an interrupt of its own
 * as soon as interrupts are enabled on this CPU.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct deferred {
	void (*fn)(struct deferred *d);	/* in an interrupt's handler, or where one could come */
	_Atomic bool raised;
	struct deferred *next;
};

/**
 * deferred_raise() - have @d->fn run once from now on
 *
 * Raised again before it has begun, it runs once for both.
 *
 * Context: any, NMI included; lock-free.
 */
void deferred_raise(struct deferred *d);

/* Have what is raised run now.  Context: interrupts masked, no lock held. */
void deferred_run(void);

/* Set up the interrupt.  Context: boot, after irq_init(). */
void deferred_init(void);
