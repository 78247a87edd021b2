/* SPDX-License-Identifier: MIT */
/* Segments and task state, one set a CPU (Intel SDM vol. 3, chapters 3 and 7). */
#pragma once

#include <stdint.h>

#include <port/percpu.h>
#include <port/stack.h>

/* Task state: where the stacks are.  SDM vol. 3, figure 7-11. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];		/* ist[0] is number 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "the processor knows this layout");

/* For lgdt and lidt. */
struct table_register {
	uint16_t limit;
	const void *base;
} __attribute__((packed));

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, TASK_STATE = 0x18 };

#define GDT_ENTRIES 5u			/* none, code, data, and two for the task state */

struct cpu_tables {
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
};

/**
 * cpu_tables_fill() - write a CPU's tables
 * @t:     where they can be written now
 * @at:    where that CPU will find them
 * @stack: its stacks, as it will find them
 *
 * Context: boot, once for each CPU.
 */
void cpu_tables_fill(struct cpu_tables *t, const struct cpu_tables *at,
		     const struct kernel_stack stack[STACK_COUNT]);

/* From here on the running CPU uses @t, which must be writable: the task is marked busy in it.
 * Loads no null selector: gs keeps its base.  Context: boot of that CPU. */
void cpu_tables_load(const struct cpu_tables *t);

/**
 * percpu_fill() - write what a CPU's own data starts with
 * @p:     zeroed; where it can be written now
 * @at:    where that CPU will find it
 * @stack: its stacks, as it will find them
 *
 * Context: boot, once for each CPU.
 */
void percpu_fill(struct percpu *p, struct percpu *at, unsigned number,
		 struct kernel_stack stack[STACK_COUNT], struct nest_stack *nest);

/* The first CPU's own data, and its tables.  Context: boot, first. */
void percpu_init_first(void);

/* The running CPU uses the interrupt table that all share.  Context: boot of that CPU. */
void traps_load(void);
