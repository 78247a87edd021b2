/* SPDX-License-Identifier: MIT */
/* What each CPU has of its own, found through the base of gs. */
#pragma once

#include <stddef.h>

#include <arch/cpu_local.h>
#include <port/io.h>

#define CPUS_MAX 256u

struct percpu {
	struct percpu *self;	/* first: the area's address is one load away */
	unsigned number;	/* 0..ncpu-1 */
	_Alignas(64) unsigned char local[CPU_LOCAL_BYTES];	/* for mm/: see arch/cpu.h */
};

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
