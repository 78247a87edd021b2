/* SPDX-License-Identifier: MIT */
/*
 * From a place in the code back to whoever called it, and on, through exceptions
 * to the code that they interrupted.  Reads only what is mapped, so that a
 * damaged stack ends the walk and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trap_frame;

struct unwind {
	uintptr_t pc;			/* where the code is, or where it will return to */
	bool returns;			/* pc is a return address: the call ends there */
	const struct trap_frame *trap;	/* pc was interrupted by this; NULL if it made a call */

	/* The walk's own. */
	uintptr_t fp;			/* frame record that leads to the caller */
	uintptr_t caller;		/* a caller that has no frame record, or 0 */
	unsigned steps;
};

#define UNWIND_MAX 1024u		/* steps in one walk: a stack of 16 KiB full of calls */

/**
 * unwind_call() - start at the return address of a frame
 * @fp: as of __builtin_frame_address(0): the walk starts with the caller
 *
 * Context: any, NMI and double fault included; as everything in this file.
 * Return:  false when there is no such frame.
 */
bool unwind_call(struct unwind *u, uintptr_t fp);

/* Start where @f was taken. */
void unwind_trap(struct unwind *u, const struct trap_frame *f);

/* Go to the caller.  Return: false at the end, or where the trace is lost. */
bool unwind_next(struct unwind *u);

/**
 * peek() - read a word that may not be there
 * @addr: in the kernel's image, the direct map or a CPU's area; elsewhere nothing is
 *        read, since reading a device may change it
 *
 * Return: false when @addr is misaligned, elsewhere, or not mapped.
 */
bool peek(uintptr_t addr, uintptr_t *value);
