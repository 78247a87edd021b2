/* SPDX-License-Identifier: MIT */
/* The kernel's first stacks, each with an unmapped page below it. */
#pragma once

#define STACK_GUARD 0x1000	/* bytes */
#define STACK_SIZE  0x4000	/* bytes */

#ifndef __ASSEMBLER__
#include <stdint.h>

enum stack_id {
	STACK_MAIN,
	/* Exceptions that may strike anywhere, also where the stack is broken: */
	STACK_NMI, STACK_DOUBLE_FAULT, STACK_MACHINE_CHECK, STACK_DEBUG,
	STACK_IRQ,			/* where handlers of interrupts run */
	STACK_COUNT,
	/* Those that the task state names, by their own numbers (SDM vol. 3, 7.7). */
	STACK_IST_FIRST = STACK_NMI, STACK_IST_LAST = STACK_DEBUG
};

struct kernel_stack {
	uint8_t guard[STACK_GUARD];
	uint8_t space[STACK_SIZE];
};

extern struct kernel_stack kernel_stacks[STACK_COUNT];

/* "main", "NMI", ...  Context: any. */
const char *stack_name(enum stack_id id);
#endif
