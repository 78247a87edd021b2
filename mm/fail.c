/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail when told to, so that what their callers do then can be
 * tested.  Meanwhile all of them go the careful way (care.h).
 */
#include <labyrinth/mm.h>

#include "cache.h"
#include "care.h"
#include "slow.h"

static uint64_t nth;			/* which is to fail; 0: none */
static atom64_t seen;			/* requests since */

bool fail_now(gfp_t gfp, struct zone_walk *walk)
{
	/* Pairs with itself on other CPUs: one request is the n-th. */
	if (atom_add(&seen, 1) + 1 != nth)
		return false;
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		walk->zone[z] = z > highest_zone(gfp) ? ZONE_EXCLUDED : ZONE_INJECTED;
	return true;
}

static void arm(void)
{
	care_begin();
	mm.failing = true;
	cache_drain();
}

static void disarm(void)
{
	care_end();
	mm.failing = false;
}

uint64_t mm_fail_nth(uint64_t n)
{
	uint64_t count = mm.failing ? atom_peek(&seen) : 0;	/* at rest: pairs with nothing */

	if (mm.failing)
		disarm();
	nth = n;
	atom_poke(&seen, 0);		/* likewise */
	if (n)
		arm();
	return count;
}
