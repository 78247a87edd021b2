/* SPDX-License-Identifier: MIT */
/* Words for people. */
#include <labyrinth/mm.h>

const char *page_error_name(enum page_error e)
{
	static const char *const names[PAGE_ERROR_COUNT] = {
		[PAGE_OK] = "ok",
		[PAGE_NOT_RAM] = "not allocatable memory",
		[PAGE_MISALIGNED] = "not the start of a block of this order",
		[PAGE_DOUBLE_FREE] = "free already",
		[PAGE_INSIDE_BLOCK] = "in the middle of a larger block",
		[PAGE_WRONG_OWNER] = "somebody else's",
		[PAGE_WRONG_ORDER] = "a block of another order",
		[PAGE_WRONG_STATE] = "not in a state for this",
		[PAGE_BAD_OWNER] = "no such owner",
	};

	return e < PAGE_ERROR_COUNT ? names[e] : "unknown";
}

const char *zone_refusal_name(enum zone_refusal r)
{
	static const char *const names[ZONE_REFUSAL_COUNT] = {
		[ZONE_SERVED] = "served",
		[ZONE_NOT_TRIED] = "not tried",
		[ZONE_EXCLUDED] = "excluded by the flags",
		[ZONE_EMPTY] = "no such memory",
		[ZONE_TOO_SMALL] = "zone too small",
		[ZONE_TOO_FULL] = "too few frames free",
		[ZONE_BELOW_WATERMARK] = "below watermark",
		[ZONE_RESERVED] = "reserved for others",
		[ZONE_FRAGMENTED] = "fragmented",
		[ZONE_EXHAUSTED] = "exhausted",
		[ZONE_INJECTED] = "made to fail by a test",
	};

	return r < ZONE_REFUSAL_COUNT ? names[r] : "unknown";
}

const char *page_state_name(enum page_state s)
{
	static const char *const names[PAGE_STATE_COUNT] = {
		[PAGE_FREE] = "free",
		[PAGE_RESERVED] = "reserved",
		[PAGE_HELD] = "held",
		[PAGE_EXCLUSIVE] = "exclusive",
		[PAGE_SHARED] = "shared",
		[PAGE_LENT] = "lent",
		[PAGE_GUARD] = "guard",
		[PAGE_QUARANTINED] = "quarantined",
	};

	return s < PAGE_STATE_COUNT ? names[s] : "unknown";
}
