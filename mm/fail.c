/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail when told to, so that what their callers do then can be
 * tested.  Meanwhile nothing is cached and no zone has plenty, so that every
 * request, of order 0 too, comes by slow_take(), and the hot path knows nothing
 * of all this.
 */
#include <labyrinth/mm.h>

#include "cache.h"
#include "slow.h"

#define NEVER ((uint64_t)1 << 62)	/* more frames than there will ever be free */

static uint64_t nth;			/* which is to fail; 0: none */
static atom64_t seen;			/* requests since */
static struct zone nothing = { .min = NEVER };
static struct { uint64_t low; struct zone *top; } usual;

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
	usual.low = mm.hot_zone->low;
	usual.top = mm.top_zone;
	mm.hot_zone->low = NEVER;
	mm.top_zone = &nothing;
	mm.failing = true;
	cache_drain();
}

static void disarm(void)
{
	mm.hot_zone->low = usual.low;
	mm.top_zone = usual.top;
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
