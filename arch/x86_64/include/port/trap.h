/* SPDX-License-Identifier: MIT */
/* What entry.S pushes: lowest address first, the processor's own part last. */
#pragma once

#include <stdint.h>

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error;			/* the processor's error code, or 0 */
	uint64_t rip, cs, rflags, rsp, ss;	/* Intel SDM vol. 3, 6.14.2 */
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "entry.S knows this size");

/* Vectors with a name here because code treats them alone (SDM vol. 3, table 6-1). */
enum trap_vector {
	TRAP_DEBUG = 1,
	TRAP_NMI = 2,
	TRAP_BREAKPOINT = 3,
	TRAP_INVALID_OPCODE = 6,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_GENERAL_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	TRAP_MACHINE_CHECK = 18,
	TRAP_COUNT = 32,

	TRAP_CALLED = 256	/* no exception: panic() was called, and rip is behind the call */
};
