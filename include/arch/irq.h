/* SPDX-License-Identifier: MIT */
/*
 * Masking interrupts on this CPU, and in which context it is.
 *
 * Contexts nest: a thread; an interrupt's handler, with interrupts masked, on the
 * CPU's interrupt stack; above both what cannot be masked, each kind on a stack of its
 * own: NMI, machine check, double fault, debug exception.  A port defines these
 * as static inline in <port/irq.h>.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Mask interrupts.  Return: what irq_restore() wants.  Context: any. */
static inline uint64_t irq_save(void);

/* As it was before the irq_save() that returned @flags.  Context: any. */
static inline void irq_restore(uint64_t flags);

static inline void irq_enable(void);		/* Context: threads. */
static inline void irq_disable(void);		/* Context: any. */
static inline bool irq_enabled(void);		/* Context: any. */

/**
 * irq_wait() - enable interrupts and stop this CPU until one comes
 *
 * In one step: an interrupt that comes just before is not slept through.  So a
 * caller masks interrupts, looks whether there is something to do, and if not waits.
 *
 * Context: threads, interrupts masked; they are enabled afterwards.
 */
static inline void irq_wait(void);

/* In the handler of an interrupt or of something unmaskable?  Context: any. */
static inline bool in_interrupt(void);

/* In the handler of an NMI, machine check, double fault or debug exception?  Context: any. */
static inline bool in_nmi(void);

/* Where nothing may sleep: the above, interrupts masked, or preemption forbidden. */
static inline bool in_atomic(void);

/* For the port's own entry code. */
static inline void context_enter_nmi(void);
static inline void context_leave_nmi(void);

#include <port/irq.h>
