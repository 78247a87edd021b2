/* SPDX-License-Identifier: MIT */
/*
 * Blocks taken piece by piece, as by who has merged them four times in vain (mm/gather.c).  That
 * a part is taken is reason enough for none, so that no NULL counts.
 */
#include "scenario.h"
#include "scenarios.h"

#define GIANT 0x2000u		/* a block of order 12: a child of a level-3 node */

static void gather(uint32_t frame, unsigned order)
{
	if (do_gather(frame, order) != NO_FRAME)
		do_give(frame, order);
}

static void take_give(unsigned order)
{
	uint32_t f = do_take(order);

	if (f != NO_FRAME)
		do_give(f, order);
}

static void gather_7(void) { gather(512, 7); }
static void gather_8(void) { gather(512, 8); }
static void gather_9(void) { gather(512, 9); }
static void gather_giant(void) { gather(GIANT, 12); }
static void take_give_0(void) { take_give(0); }
static void take_give_9(void) { take_give(9); }

/* An area whose groups are all free, and open: a home. */
static void area_at_home(void)
{
	hold_all(9);
	let(512, 9);
	make_home(1, 0);
}

const struct scenario case_gather = {
	.name = "gather", .what = "an area is gathered from its groups, a frame of it is wanted",
	.areas = 2, .setup = area_at_home,
	.program = { .cpus = 2, .cpu = { gather_9, take_give_0 } },
};

const struct scenario case_gather_late = {
	.name = "gather-late", .what = "two groups are gathered, all of their area is wanted (T3)",
	.areas = 2, .setup = area_at_home,
	.program = { .cpus = 2, .cpu = { gather_7, take_give_9 } },
};

const struct scenario case_gather_two = {
	.name = "gather-two", .what = "two CPUs gather, the one a part of what the other wants",
	.areas = 2, .setup = area_at_home,
	.program = { .cpus = 2, .cpu = { gather_8, gather_7 } },
};

/* Who gathers in vain lowers the promise, and the next is not to promise it anew (I10). */
static void area_without_a_group(void)
{
	hold_all(9);
	let(512, 9);
	take_for(512, 6);
}

const struct scenario case_gather_none = {
	.name = "gather-none", .what = "two gather an area that is promised, and has a group held",
	.areas = 2, .setup = area_without_a_group,
	.program = { .cpus = 2, .cpu = { gather_9, gather_9 } },
};

static void giant_at_home(void)
{
	hold_all(12);
	let(GIANT, 12);
	make_home(1, 9);
}

const struct scenario case_gather_deep = {
	.name = "gather-deep", .what = "16 MiB are gathered from areas, one of them is wanted",
	.areas = 24, .first = 0x1000, .setup = giant_at_home,
	.program = { .cpus = 2, .cpu = { gather_giant, take_give_9 } },
};
