/* SPDX-License-Identifier: MIT */
/* Asking owners for what they can spare; mm_wait.h has the public half. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * reclaim() - call every reclaim function once
 * @calls: counts them
 * Context: threads that may sleep, not reclaiming().
 * Return:  did any give frames back?
 */
bool reclaim(unsigned order, uint64_t *calls);

/* Is the running thread in a reclaim function?  Context: threads. */
bool reclaiming(void);

/* How long the running thread waits for memory.  Context: threads. */
uint64_t mm_patience(void);
