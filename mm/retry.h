/* SPDX-License-Identifier: MIT */
/*
 * Lost compare-and-swaps, by zone and by owner.  Private to mm/.
 *
 * Whoever loses one counts it for the zone there and then.  The tree knows no
 * owners: what it lost is owed by the CPU, until the operation that knows for whom
 * it works lays it to him.  An interrupt that comes in between may take it over,
 * so that the sums are exact, and an owner's part is near enough.
 */
#pragma once

#include "local.h"

/* A CAS on a word of zone @zone's was lost.  Return: true, for the end of a loop's condition. */
bool retry_count(unsigned zone) __attribute__((cold));

/* The same on the word of frame @f, in an operation of @owner's. */
bool retry_count_for(uint32_t f, owner_t owner) __attribute__((cold));

/* What is owed is @owner's.  Context: any. */
void retry_settle(owner_t owner) __attribute__((cold));

/* At the end of what was done for @owner off the hot path. */
static inline void retry_note(owner_t owner)
{
	if (__builtin_expect(local_load(LOCAL_OWED) != 0, 0))
		retry_settle(owner);
}
