/* SPDX-License-Identifier: MIT */
/* What each CPU has of its own, found through the base of gs. */
#pragma once

#include <stddef.h>

#include <arch/cpu_local.h>
#include <port/io.h>
#include <port/percpu_offsets.h>

#define CPUS_MAX 256u

struct thread;

struct percpu {
	struct percpu *self;	/* first: the area's address is one load away */
	unsigned number;	/* 0..ncpu-1 */

	/* Context, changed by this CPU alone, each time in one instruction; see arch/irq.h. */
	uint32_t irq_depth;	/* interrupts begun and not ended; the stack below is in use */
	uint32_t nmi_depth;	/* the same of what cannot be masked */
	uint32_t preempt_count;	/* 0: the running thread may be taken off this CPU */
	uint32_t need_resched;	/* not 0: it should be */
	void *irq_stack;	/* its top: where the outermost interrupt's handler runs */
	struct kernel_stack *stacks;	/* STACK_COUNT of them */
	struct nest_stack *nest;	/* where NMIs, machine checks, debug exceptions run */
	struct thread *current;	/* the thread that runs here, or was interrupted here */

	_Alignas(64) unsigned char local[CPU_LOCAL_BYTES];	/* for mm/: see arch/cpu.h */
	uint64_t timer_deadline;/* ns, for timer.c */
	uint64_t irqs[256];	/* how many of each vector; for people */
};

#define PERCPU_AT(field, offset) \
	_Static_assert(offsetof(struct percpu, field) == (offset), "assembler knows the place")
PERCPU_AT(irq_depth, PERCPU_IRQ_DEPTH);
PERCPU_AT(nmi_depth, PERCPU_NMI_DEPTH);
PERCPU_AT(preempt_count, PERCPU_PREEMPT_COUNT);
PERCPU_AT(need_resched, PERCPU_NEED_RESCHED);
PERCPU_AT(irq_stack, PERCPU_IRQ_STACK);

/* The running CPU's area.  Context: any; stale once preempted. */
static inline struct percpu *percpu(void)
{
	struct percpu *p;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(p) : "i"(offsetof(struct percpu, self)));
	return p;
}

#define MSR_GS_BASE 0xc0000101u	/* Intel SDM vol. 4, table 2-2 */

/* From here on @p is the running CPU's area.  Context: boot of that CPU. */
static inline void percpu_install(struct percpu *p)
{
	wrmsr(MSR_GS_BASE, (uint64_t)p);
}
