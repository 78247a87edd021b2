/* SPDX-License-Identifier: MIT */
/*
 * What mm/ keeps per CPU, by byte offset in the CPU's local area.
 *
 * The first cache line is all that the common case touches, with the owner's
 * count.  Only the CPU itself writes here (arch/cpu.h); others may look, for
 * statistics.
 */
#pragma once

#include <arch/cpu.h>
#include <labyrinth/owner.h>
#include <labyrinth/zone.h>

#define HOME_LEVELS 6u		/* 0: groups; 1..5: the nodes where blocks of order 6..18 live */

#define LOCAL_CURRENT 0u			/* cached frames: see cache.h */
#define LOCAL_SECOND  8u
#define LOCAL_HOME    16u			/* one word a level: see home.h */
#define LOCAL_DELTA   64u			/* frames this CPU gave minus took, a word a zone */
#define LOCAL_OWED    88u			/* lost compare-and-swaps that are no owner's yet */
#define LOCAL_EVENT   96u			/* events so far: see event.c */
#define LOCAL_REFUSED 104u			/* wrong frees, a word an error */
#define LOCAL_NET     192u			/* frames received less given up, a word an owner */
#define LOCAL_FOLDED  (LOCAL_NET + OWNER_COUNT * 8u)	/* of that, what owner.c summed */
#define LOCAL_EVENTS  (LOCAL_FOLDED + OWNER_COUNT * 8u)
#define LOCAL_RETRIES (LOCAL_EVENTS + EVENT_COUNT * 8u)	/* lost ones, a word a zone */
#define LOCAL_GIVEN   (LOCAL_RETRIES + ZONE_COUNT * 8u)	/* where it gave last: see home.h */
#define LOCAL_LEFT    (LOCAL_GIVEN + 8u)		/* a home to be merged: see home.c */
#define LOCAL_EMPTIER (LOCAL_LEFT + 8u)			/* whose rank is to be told: see fill.c */

#define EVENT_COUNT 64u

_Static_assert(LOCAL_HOME + HOME_LEVELS * 8 == LOCAL_DELTA, "one cache line");
_Static_assert(LOCAL_DELTA + ZONE_COUNT * 8 == LOCAL_OWED, "a word a zone");
_Static_assert(LOCAL_EMPTIER + 8 <= CPU_LOCAL_BYTES, "it all fits");
