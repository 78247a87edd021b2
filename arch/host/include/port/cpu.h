/* SPDX-License-Identifier: MIT */
/* Port to a Linux process: threads play CPUs, signals play interrupts. */
#pragma once

#include <sched.h>
#include <stdatomic.h>

#define HOST_CPUS_MAX 256u

struct host_cpu {
	_Alignas(64) unsigned char local[CPU_LOCAL_BYTES];
};

/* Which CPU this thread plays; set by host_bind_cpu(). */
struct host_binding {
	unsigned number;
	struct host_cpu *cpu;
};

extern _Thread_local struct host_binding host_self;
extern struct host_cpu host_cpus[HOST_CPUS_MAX];

/* Let the calling thread play CPU @number; two threads must never play the same. */
void host_bind_cpu(unsigned number);

static inline void cpu_relax(void) { sched_yield(); }

static inline unsigned cpu_number(void) { return host_self.number; }

static inline _Atomic uint64_t *host_local(size_t off)
{
	return (_Atomic uint64_t *)(void *)(host_self.cpu->local + off);
}

static inline uint64_t local_load(size_t off)
{
	return atomic_load_explicit(host_local(off), memory_order_relaxed);
}

static inline void local_store(size_t off, uint64_t v)
{
	atomic_store_explicit(host_local(off), v, memory_order_relaxed);
}

static inline bool local_cas(size_t off, uint64_t *old, uint64_t new)
{
	bool done;

	__asm__ volatile("cmpxchgq %3, %1"	/* no lock prefix: see arch/cpu.h */
			 : "=@ccz"(done), "+m"(*host_local(off)), "+a"(*old)
			 : "r"(new)
			 : "memory");
	return done;
}

static inline void local_add(size_t off, uint64_t n)
{
	__asm__ volatile("addq %1, %0" : "+m"(*host_local(off)) : "er"(n) : "cc");
}

static inline void local_add_index(size_t off, size_t index, uint64_t n)
{
	local_add(off + index * sizeof(uint64_t), n);
}

static inline const void *cpu_local_area(unsigned cpu)
{
	return cpu < HOST_CPUS_MAX ? host_cpus[cpu].local : NULL;
}
