/* SPDX-License-Identifier: MIT */
/* The allocator's part of the panic report: what it did last on this CPU. */
#include "kernel/mm_report.h"

#include <labyrinth/mm.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>

#define EVENTS_SHOWN 8u

static void print_event(const struct mm_event *e)
{
	unsigned long long at = frame_to_phys(e->frame).v;

	switch (e->kind) {
	case MM_ALLOC:
		kprintf("  order %u at 0x%llx to %s\n", e->order, at, owner_name(e->owner));
		break;
	case MM_FREE:
		kprintf("  order %u at 0x%llx freed by %s\n", e->order, at, owner_name(e->owner));
		break;
	case MM_TRANSFER:
		kprintf("  order %u at 0x%llx from %s to %s\n", e->order, at, owner_name(e->owner),
			owner_name(e->other));
		break;
	case MM_FAIL:
		kprintf("  order %u not to be had for %s: %s\n", e->order, owner_name(e->owner),
			zone_refusal_name((enum zone_refusal)e->error));
		break;
	case MM_REFUSED:
		kprintf("  refused: %s: order %u", page_error_name((enum page_error)e->error),
			e->order);
		if (!frame_is_none(e->frame))
			kprintf(" at 0x%llx", at);
		kprintf(" by %s; owner %s\n", owner_name(e->owner), owner_name(e->other));
		break;
	}
}

static void print_events(void)
{
	struct mm_event event[EVENTS_SHOWN];
	size_t n = mm_events(event, EVENTS_SHOWN);

	if (n == 0)
		kprintf("  none yet\n");
	for (size_t i = 0; i < n; i++)
		print_event(&event[i]);
}

void mm_report_init(void)
{
	panic_add_section("Last allocator events of this CPU, newest first", print_events);
}
