/* SPDX-License-Identifier: MIT */
/*
 * Where the stacks and data of each CPU but the first lie: a region of slots, one a
 * CPU, mapped page by page when that CPU is about to start.
 *
 *   slot   guard  main stack  guard  NMI stack  ...  guard  own data  guard  GDT, TSS
 *          ---    rw-         ---    rw-             ---    rw-       ---    r--
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <port/cpu_area_place.h>
#include <port/nest.h>
#include <port/percpu.h>
#include <port/segments.h>
#include <port/stack.h>

struct cpu_area {
	struct kernel_stack stack[STACK_COUNT];	/* ap_entry.S knows that the main one is first */
	struct nest_stack nest;
	uint8_t guard[STACK_GUARD];
	_Alignas(4096) struct percpu percpu;
	_Alignas(4096) uint8_t guard2[STACK_GUARD];
	_Alignas(4096) struct cpu_tables tables;
};
_Static_assert(sizeof(struct cpu_area) <= CPU_AREA_SIZE, "it fits its slot");

/* The slot of CPU @cpu, 1..CPUS_MAX - 1; mapped once that CPU has been made.  Context: any. */
static inline struct cpu_area *cpu_area(unsigned cpu)
{
	return (struct cpu_area *)(CPU_AREA_BASE + (uint64_t)cpu * CPU_AREA_SIZE);
}

/* Does @addr lie in the region of the slots?  Context: any. */
static inline bool cpu_area_contains(uintptr_t addr)
{
	return addr - CPU_AREA_BASE < (uint64_t)CPUS_MAX * CPU_AREA_SIZE;
}

/**
 * cpu_area_make() - give CPU @cpu its stacks, data and tables
 *
 * Context: boot, the first CPU, after mm_init().
 * Return:  false when there is not enough memory; then it has none of them.
 */
bool cpu_area_make(unsigned cpu);

/* The running CPU, number @cpu, takes over what cpu_area_make() made.  Context: its boot. */
void cpu_area_enter(unsigned cpu);
