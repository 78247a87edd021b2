/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: who handles which, and what is counted.
 *
 * A handler runs with interrupts masked on its CPU's interrupt stack; it neither sleeps
 * nor waits.  When the outermost one is done, the interrupted thread goes on, or, if
 * need_resched is set and preemption is not forbidden, preempt_from_irq() is called on
 * that thread's stack, still with interrupts masked.  docs/interrupts.md draws it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trap_frame;

#define IRQ_VECTOR_FIRST 32u
#define IRQ_VECTOR_COUNT 256u

/* Vectors with a fixed use; the higher, the more urgent (SDM vol. 3, 11.8.3.1). */
enum irq_vector {
	IRQ_8259 = 32,			/* 16 of them, masked: only spurious ones arrive */
	IRQ_ISA = 48,			/* 16 of them: the ISA interrupts through an IOAPIC */
	IRQ_GSI = 64,			/* others from an IOAPIC, 64 at most */
	IRQ_TEST = 128,			/* 16 for tests */
	IRQ_TIMER = 236,
	IRQ_DAMAGE = 237,		/* to oneself, behind a machine check */
	IRQ_DEFERRED = 238,		/* this CPU does now what it could not before: deferred.h */
	IRQ_KICK = 240,			/* another CPU asks this one to look at need_resched */
	IRQ_CALL = 241,			/* another CPU wants something done */
	IRQ_ERROR = 254,		/* the local APIC found something wrong */
	IRQ_SPURIOUS = 255
};

typedef void (*irq_handler_t)(struct trap_frame *f);

/**
 * irq_set_handler() - who handles an interrupt, on every CPU
 * @vector:  IRQ_VECTOR_FIRST..IRQ_VECTOR_COUNT - 1
 * @handler: called with the interrupted registers; the local APIC is told
 *           afterwards that it is done; NULL for nobody
 *
 * Context: any.
 * Return:  the handler until now.
 */
irq_handler_t irq_set_handler(unsigned vector, irq_handler_t handler);

/**
 * irq_route_isa() - let an interrupt line of the ISA bus reach the running CPU
 * @isa:     0..15: 4 is COM1's; its vector is IRQ_ISA + @isa
 * @handler: NULL masks the line
 *
 * Context: threads.
 * Return:  false when this machine has no IOAPIC with that line.
 */
bool irq_route_isa(unsigned isa, irq_handler_t handler);

/* How often @vector came to CPU @cpu; 0 for a CPU that has never run.  Context: any. */
uint64_t irq_count(unsigned cpu, unsigned vector);

/* Interrupts without a handler, all CPUs together.  The first of each vector is named. */
uint64_t irq_unexpected(void);

/**
 * preempt_from_irq() - let another thread run instead of the one that was interrupted
 *
 * Weak: without a scheduler it does nothing.
 *
 * Context: on the interrupted thread's stack, interrupts masked, no handler running.
 */
void preempt_from_irq(void);
