/* SPDX-License-Identifier: MIT */
#pragma once

#include <port/percpu.h>

static inline struct thread *switch_current(void)
{
	struct thread *t;

	/* not volatile: it is the same thread on every CPU that it runs on */
	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct percpu, current)));
	return t;
}

static inline void switch_set_current(struct thread *t)
{
	__asm__ volatile("movq %0, %%gs:%c1"
			 : : "r"(t), "i"(offsetof(struct percpu, current)) : "memory");
}

/* "memory": what is done while it is forbidden stays there. */
static inline void switch_forbid(void)
{
	__asm__ volatile("incl %%gs:%c0" : : "i"(PERCPU_PREEMPT_COUNT) : "memory", "cc");
}

static inline void switch_allow(void)
{
	__asm__ volatile("decl %%gs:%c0" : : "i"(PERCPU_PREEMPT_COUNT) : "memory", "cc");
}

static inline uint32_t switch_forbidden(void)
{
	uint32_t n;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(n) : "i"(PERCPU_PREEMPT_COUNT));
	return n;
}

static inline bool switch_wanted(void)
{
	uint32_t v;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(v) : "i"(PERCPU_NEED_RESCHED));
	return v != 0;
}

static inline void switch_set_wanted(bool wanted)
{
	__asm__ volatile("movl %0, %%gs:%c1"
			 : : "r"((uint32_t)wanted), "i"(PERCPU_NEED_RESCHED) : "memory");
}
