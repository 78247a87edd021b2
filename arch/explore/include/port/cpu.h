/* SPDX-License-Identifier: MIT */
/* Port to the explorer: a CPU is a stack that is run one operation at a time. */
#pragma once

#define EXPLORE_CPUS 4u

/* Which CPU runs now, and what belongs to each; engine.c. */
extern unsigned explore_self;
extern _Alignas(64) unsigned char explore_local[EXPLORE_CPUS][CPU_LOCAL_BYTES];

/* As in arch/cpu.h: no lock prefix, so the store goes through the store buffer. */
uint64_t explore_local_load(size_t off);
void explore_local_store(size_t off, uint64_t v);
bool explore_local_cas(size_t off, uint64_t *old, uint64_t new);
void explore_local_add(size_t off, uint64_t n);

#define EXPLORE_LOCAL static inline __attribute__((always_inline))

EXPLORE_LOCAL void cpu_relax(void) { }
EXPLORE_LOCAL unsigned cpu_number(void) { return explore_self; }
EXPLORE_LOCAL uint64_t local_load(size_t off) { return explore_local_load(off); }
EXPLORE_LOCAL void local_store(size_t off, uint64_t v) { explore_local_store(off, v); }
EXPLORE_LOCAL void local_add(size_t off, uint64_t n) { explore_local_add(off, n); }

EXPLORE_LOCAL void local_add_index(size_t off, size_t index, uint64_t n)
{
	explore_local_add(off + index * sizeof(uint64_t), n);
}

EXPLORE_LOCAL bool local_cas(size_t off, uint64_t *old, uint64_t new)
{
	return explore_local_cas(off, old, new);
}

EXPLORE_LOCAL const void *cpu_local_area(unsigned cpu)
{
	return cpu < EXPLORE_CPUS ? explore_local[cpu] : NULL;
}
