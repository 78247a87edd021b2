/* SPDX-License-Identifier: MIT */
/* Room for the first stacks.  Their guard pages are unmapped by directmap_init(). */
#include <port/stack.h>

#include <port/nest.h>

/* ".bss." so that the compiler makes it take no room in the file. */
__attribute__((section(".bss.stacks"), aligned(4096)))
struct kernel_stack kernel_stacks[STACK_COUNT];

__attribute__((section(".bss.stacks.nest"), aligned(4096)))
struct nest_stack first_nest;

_Static_assert(sizeof(struct kernel_stack) == STACK_GUARD + STACK_SIZE, "no padding");

const char *stack_name(enum stack_id id)
{
	static const char *const names[STACK_COUNT] = {
		[STACK_MAIN] = "main",
		[STACK_NMI] = "NMI",
		[STACK_DOUBLE_FAULT] = "double fault",
		[STACK_MACHINE_CHECK] = "machine check",
		[STACK_DEBUG] = "debug",
		[STACK_IRQ] = "interrupt",
	};

	return id < STACK_COUNT ? names[id] : "unknown";
}
