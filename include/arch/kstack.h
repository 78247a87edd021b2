/* SPDX-License-Identifier: MIT */
/*
 * Stacks for threads, in a region of their own: each has an unmapped piece of the same
 * size below it, and no page of the direct map is split for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/gfp.h>
#include <labyrinth/owner.h>

#define KSTACK_SIZE 0x4000u		/* bytes */

/**
 * kstack_make() - a stack, all zero
 * @gfp:   how memory is asked for: GFP_KERNEL or GFP_NOWAIT
 * @owner: who holds its frames
 *
 * Context: threads that may sleep.
 * Return:  its lowest byte; NULL without memory, or when THREADS_MAX are in use.
 */
void *kstack_make(gfp_t gfp, owner_t owner);

/**
 * kstack_free() - give it back
 * @base: what kstack_make() returned for @owner
 *
 * Returns when no CPU can reach the frames by the stack's address any more (I6).
 *
 * Context: threads that may sleep; nobody runs on the stack.
 */
void kstack_free(void *base, owner_t owner);

/* Is @addr in the region of these stacks, mapped or not?  Context: any. */
bool kstack_contains(uintptr_t addr);

/* The stack in use below which @addr lies in the unmapped piece, or NULL.  Context: any. */
void *kstack_guarded_by(uintptr_t addr);
