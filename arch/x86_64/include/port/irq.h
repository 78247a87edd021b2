/* SPDX-License-Identifier: MIT */
#pragma once

#include <port/percpu.h>

#define RFLAGS_INTERRUPTS 0x200u	/* Intel SDM vol. 1, 3.4.3.3 */

/* "memory": what is done while masked stays there. */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_enable(void) { __asm__ volatile("sti" : : : "memory"); }

static inline void irq_disable(void) { __asm__ volatile("cli" : : : "memory"); }

static inline void irq_restore(uint64_t flags)
{
	if (flags & RFLAGS_INTERRUPTS)
		irq_enable();
	else
		irq_disable();
}

static inline bool irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags & RFLAGS_INTERRUPTS;
}

/* sti takes effect behind the next instruction (SDM vol. 2, STI). */
static inline void irq_wait(void) { __asm__ volatile("sti; hlt" : : : "memory"); }

/* volatile: after a migration it is another CPU's. */
#define PERCPU_READ32(offset) ({                                              \
	uint32_t v_;                                                          \
	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(v_) : "i"(offset));       \
	v_;                                                                   \
})

static inline bool in_nmi(void) { return PERCPU_READ32(PERCPU_NMI_DEPTH) != 0; }

static inline bool in_interrupt(void)
{
	return PERCPU_READ32(PERCPU_IRQ_DEPTH) != 0 || in_nmi();
}

static inline bool in_atomic(void)
{
	return !irq_enabled() || PERCPU_READ32(PERCPU_PREEMPT_COUNT) != 0 || in_interrupt();
}

static inline void context_enter_nmi(void)
{
	__asm__ volatile("incl %%gs:%c0" : : "i"(PERCPU_NMI_DEPTH) : "memory", "cc");
}

static inline void context_leave_nmi(void)
{
	__asm__ volatile("decl %%gs:%c0" : : "i"(PERCPU_NMI_DEPTH) : "memory", "cc");
}
