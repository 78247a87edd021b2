/* SPDX-License-Identifier: MIT */
/* Reading the diary; event.h writes it. */
#include "event.h"

size_t mm_events(struct mm_event *out, size_t max)
{
	uint64_t last = local_load(LOCAL_EVENT);
	size_t n = 0;

	for (uint64_t seq = last; seq > 0 && last - seq < EVENT_COUNT && n < max; seq--) {
		uint64_t w = local_load(event_slot(seq));

		if (w == 0)
			continue;
		out[n++] = (struct mm_event){
			.seq = seq,
			.kind = (enum mm_event_kind)((w & 7) - 1),
			.order = (uint8_t)(w >> 3 & 0x1f),
			.error = (uint8_t)(w >> 8),
			.owner = { (uint8_t)(w >> 16) },
			.other = { (uint8_t)(w >> 24) },
			.frame = { (uint32_t)(w >> 32) },
		};
	}
	return n;
}
