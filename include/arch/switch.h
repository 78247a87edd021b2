/* SPDX-License-Identifier: MIT */
/*
 * What a port must provide for threads.  The words are the running CPU's own; each is read or
 * changed by one instruction, so that a thread that moves to another CPU between two of
 * them has done each wholly on one.  A port defines the inline ones in <port/switch.h>.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thread;

/* The thread on this CPU; the same whichever CPU it moves to.  Context: any. */
static inline struct thread *switch_current(void);
static inline void switch_set_current(struct thread *t);	/* Context: preemption forbidden. */

/* Forbid preemption once more, or once less.  Context: any. */
static inline void switch_forbid(void);
static inline void switch_allow(void);
static inline uint32_t switch_forbidden(void);		/* how often; stale unless it is not 0 */

/* Should another thread run here?  Context: any. */
static inline bool switch_wanted(void);
static inline void switch_set_wanted(bool wanted);

/* Interrupt IRQ_DEFERRED comes to this CPU soon, if it has a local APIC; another thread is
 * wanted in any case, so that the scheduler looks.  Context: any, NMI included. */
void switch_interrupt_self(void);

/**
 * context_switch() - leave this stack for another
 * @save: receives where this one is left
 * @load: where the other one was left, or what context_prepare() returned
 *
 * Context: interrupts masked.  Return: when another switch comes back here.
 */
void context_switch(void **save, void *load);

/**
 * context_prepare() - a stack that nobody has used yet
 * @top:   one past its last byte, a multiple of 16
 * @entry: where the first switch to it leads; never returns
 *
 * Context: any.
 * Return:  what to switch to.
 */
void *context_prepare(void *top, void (*entry)(void));

#include <port/switch.h>
