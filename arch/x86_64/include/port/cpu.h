/* SPDX-License-Identifier: MIT */
#pragma once

#include <port/percpu.h>

static inline void cpu_relax(void) { __asm__ volatile("pause"); }

static inline unsigned cpu_number(void)
{
	unsigned n;

	/* volatile: a thread that moved must not be told its old CPU from a register */
	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(n) : "i"(offsetof(struct percpu, number)));
	return n;
}

/*
 * The word at @off of this CPU's area as an operand: "%%gs:" goes before it.
 * Without that base its address is next to nothing, which worries gcc 12.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#define PORT_LOCAL(off) (*(volatile uint64_t *)(offsetof(struct percpu, local) + (off)))

static inline uint64_t local_load(size_t off)
{
	uint64_t v;

	__asm__ volatile("movq %%gs:%1, %0" : "=r"(v) : "m"(PORT_LOCAL(off)) : "memory");
	return v;
}

static inline void local_store(size_t off, uint64_t v)
{
	__asm__ volatile("movq %1, %%gs:%0" : "=m"(PORT_LOCAL(off)) : "er"(v) : "memory");
}

static inline bool local_cas(size_t off, uint64_t *old, uint64_t new)
{
	bool done;

	__asm__ volatile("cmpxchgq %3, %%gs:%1"	/* no lock prefix: see arch/cpu.h */
			 : "=@ccz"(done), "+m"(PORT_LOCAL(off)), "+a"(*old)
			 : "r"(new)
			 : "memory");
	return done;
}

static inline void local_add(size_t off, uint64_t n)
{
	__asm__ volatile("addq %1, %%gs:%0" : "+m"(PORT_LOCAL(off)) : "er"(n) : "memory", "cc");
}

static inline __attribute__((always_inline)) void local_add_index(size_t off, size_t index,
								  uint64_t n)
{
	__asm__ volatile("addq %0, %%gs:%c1(,%2,8)"
			 : : "er"(n), "i"(offsetof(struct percpu, local) + off), "r"(index)
			 : "memory", "cc");
}

#pragma GCC diagnostic pop

/* Every CPU's area, by number; NULL until that CPU has started. */
extern struct percpu *percpu_areas[CPUS_MAX];

static inline const void *cpu_local_area(unsigned cpu)
{
	return cpu < CPUS_MAX && percpu_areas[cpu] ? percpu_areas[cpu]->local : NULL;
}
