/* SPDX-License-Identifier: MIT */
/*
 * Owners: who holds a frame.
 *
 * An owner is one subsystem today, one address space or device later.  Its
 * number stands in the word of every frame it holds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct { uint8_t id; } owner_t;

#define OWNER_COUNT    64u			/* numbers in use at once, OWNER_NONE included */
#define OWNER_NONE     ((owner_t){ 0 })		/* nobody: never a valid caller */
#define OWNER_KERNEL   ((owner_t){ 1 })		/* the kernel's own, registered at boot */
#define OWNER_NAME_MAX 24u			/* bytes with the terminator; longer is cut */

/**
 * owner_register() - a number for a new owner
 * @name: for people; copied
 *
 * Context: any; lock-free.
 * Return:  the owner, or OWNER_NONE when all OWNER_COUNT numbers are taken.
 */
owner_t owner_register(const char *name);

/**
 * owner_unregister() - give the number back
 *
 * Context: any; lock-free.
 * Return:  0, or -1 when @owner still holds frames, has a reserve contract, or was never
 *          registered.
 */
int owner_unregister(owner_t owner);

/* Is it the number of an owner now?  Context: any. */
bool owner_registered(owner_t owner);

/* Its name; "nobody" for OWNER_NONE, "unknown" when not registered.  Context: any. */
const char *owner_name(owner_t owner);
