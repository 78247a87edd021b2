/* SPDX-License-Identifier: MIT */
/* Counting what owners hold: one plain addition on the hot path.  Private to mm/. */
#pragma once

#include <arch/atomic.h>
#include <labyrinth/mm.h>

#include "local.h"
#include "retry.h"

/* Every number an owner_t can have, so that the check needs no bound. */
extern atom8_t owner_alive[256];

/* Registered, and not nobody?  Context: any. */
static inline bool owner_live(owner_t o) { return atom_nonzero8(&owner_alive[o.id]); }

/* @frames came to @o (negative: left it).  Context: any. */
static inline void owner_count(owner_t o, int64_t frames)
{
	local_add_index(LOCAL_NET, o.id, (uint64_t)frames);
}

/* Keep the owner's peak.  Context: any. */
void owner_fold(owner_t o, int64_t ahead);

/* After a change by 2^@order frames on a slower path: fold now and then, and lay retries to @o. */
static inline void owner_note(owner_t o, unsigned order)
{
	uint64_t ahead = local_load(LOCAL_NET + o.id * sizeof(uint64_t)) -
			 local_load(LOCAL_FOLDED + o.id * sizeof(uint64_t));
	uint64_t limit = (uint64_t)4 << (order < 4 ? 4 : order);

	/* At least the limit, or at most minus that: one comparison. */
	if (__builtin_expect(ahead + limit - 1 > 2 * (limit - 1), 0))
		owner_fold(o, (int64_t)ahead);
	retry_note(o);
}

/* Rare enough to be shared by all CPUs: failed calls by reason, reserve use, retries. */
extern atom64_t owner_failures[OWNER_COUNT][ZONE_REFUSAL_COUNT];
extern atom64_t owner_reserve[OWNER_COUNT];
extern atom64_t owner_retries[OWNER_COUNT];

/* Forget all owners but the kernel.  Context: boot. */
void owner_reset_all(void);
