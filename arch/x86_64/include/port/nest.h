/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that nest: NMI, machine check, debug.  Each lands on a stack of its own,
 * where the processor would put the next one of its kind, too, and moves at once to a
 * stack that they share.  docs/nmi.md draws it.
 */
#pragma once

#include <stdbool.h>

#include <port/stack.h>

struct trap_frame;

#define NEST_SIZE   0x10000		/* bytes: 32 levels of 2 KiB */
#define NEST_LANDED 512u		/* bytes that a landing has in use at most */

struct nest_stack {
	uint8_t guard[STACK_GUARD];
	uint8_t space[NEST_SIZE];
};

/* The first CPU's; behind kernel_stacks[]. */
extern struct nest_stack first_nest;

/**
 * nest_enter() - move an exception from where it landed to the shared stack
 * @f: on the landing stack
 *
 * Context: trap_entry.S, on the landing stack; must not fault.
 * Return:  the frame on the shared stack, a multiple of 16, below all that is in use.
 */
struct trap_frame *nest_enter(const struct trap_frame *f);

/**
 * nest_leave() - get ready to go back to what @f interrupted
 *
 * Context: trap_entry.S, on the shared stack.
 * Return:  true: not by IRET, as it would let NMIs in.  Then rip and flags lie where
 *          f->rsp points now.
 */
bool nest_leave(struct trap_frame *f);
