/* SPDX-License-Identifier: MIT */
/*
 * The diary of the slower events, a ring a CPU, for panic reports.  A word an
 * event, written without care for interrupts: one that notes something in the
 * middle of a note may cost an entry.
 *
 *      63        32 31    24 23    16 15     8 7     3 2      0
 *     +------------+--------+--------+--------+-------+--------+
 *     |   frame    | other  | owner  | error  | order |kind + 1|
 *     +------------+--------+--------+--------+-------+--------+
 */
#pragma once

#include <labyrinth/mm.h>

#include "local.h"

static inline size_t event_slot(uint64_t seq)
{
	return LOCAL_EVENTS + seq % EVENT_COUNT * sizeof(uint64_t);
}

/* Context: any. */
static inline void event_note(enum mm_event_kind kind, unsigned order, unsigned error,
			      owner_t owner, owner_t other, frame_t frame)
{
	local_add(LOCAL_EVENT, 1);
	local_store(event_slot(local_load(LOCAL_EVENT)),
		    ((uint64_t)kind + 1) | (uint64_t)(order & 0x1f) << 3 |
		    (uint64_t)(error & 0xff) << 8 | (uint64_t)owner.id << 16 |
		    (uint64_t)other.id << 24 | (uint64_t)frame.n << 32);
}
