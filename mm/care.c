/* SPDX-License-Identifier: MIT */
/* The careful way (care.h), and who asks for it because somebody waits for memory. */
#include "care.h"

#include <labyrinth/mm_sleep.h>

#include "block.h"
#include "slow.h"

#define NEVER ((uint64_t)1 << 62)	/* more frames than there will ever be free */

static struct zone nothing = { .min = NEVER };
static struct { uint64_t low; struct zone *top; } usual;

const struct mm_sleeper *mm_sleeper;

void care_begin(void)
{
	if (mm.care++)
		return;
	usual.low = mm.hot_zone->low;
	usual.top = mm.top_zone;
	mm.hot_zone->low = NEVER;
	mm.top_zone = &nothing;
}

void care_end(void)
{
	if (--mm.care)
		return;
	mm.hot_zone->low = usual.low;
	mm.top_zone = usual.top;
}

void mm_set_sleeper(const struct mm_sleeper *s)
{
	mm_sleeper = s;
}

void mm_watch_frees(bool on)
{
	if (on)
		care_begin();
	else
		care_end();
	/* Read by tell_freed(), which says why this is in time. */
	atom_add(&mm.watched, on ? 1 : -(uint64_t)1);
}

void slow_freed(void)
{
	if (mm_sleeper)
		mm_sleeper->freed();
}

bool mm_may_ever_fit(gfp_t gfp, unsigned order)
{
	for (unsigned z = 0; z <= highest_zone(gfp); z++)
		if (mm.zone[z].total >= mm.zone[z].min + ((uint64_t)1 << order))
			return true;
	return false;
}
