/* SPDX-License-Identifier: MIT */
/* Scenarios of the tree and the zone's count alone, without frame words and caches. */
#include <labyrinth/page.h>

#include "scenario.h"
#include "scenarios.h"

/* --- what CPUs do */

static void give_low(void) { do_give(0, 5); }
static void give_high(void) { do_give(32, 5); }
static void take_0(void) { do_take(0); }
static void take_5(void) { do_take(5); }
static void take_6(void) { do_take(6); }
static void take_7(void) { do_take(7); }
static void take_8(void) { do_take(8); }
static void take_9(void) { do_take(9); }

static void take_give(unsigned order)
{
	uint32_t f = do_take(order);

	if (f != NO_FRAME)
		do_give(f, order);
}

static void take_give_0(void) { take_give(0); }
static void take_give_5(void) { take_give(5); }
static void take_give_6(void) { take_give(6); }
static void take_give_9(void) { take_give(9); }

static void some(void)
{
	uint32_t first, bits = do_some(&first);

	if (bits)
		do_give_some(first, bits);
}

/* --- one group of 64 frames */

static void halves_held(void)
{
	hold_all(5);
	take_for(0, 5);
	take_for(32, 5);
}

const struct scenario case_merge = {
	.name = "merge", .what = "two gifts complete a group",
	.areas = 1, .strict = true, .setup = halves_held,
	.program = { .cpus = 2, .cpu = { give_low, give_high } },
};

const struct scenario case_merge_take = {
	.name = "merge-take", .what = "two gifts complete a group, a third CPU takes out of it",
	.areas = 1, .strict = true, .setup = halves_held,
	.program = { .cpus = 3, .cpu = { give_low, give_high, take_0 } },
};

static void one_half_held(void)
{
	hold_all(5);
	take_for(32, 5);
	let(0, 5);
}

const struct scenario case_give_take = {
	.name = "give-take", .what = "a gift completes a group, another CPU takes a frame of it",
	.areas = 1, .strict = true, .setup = one_half_held,
	.program = { .cpus = 2, .cpu = { give_high, take_give_0 } },
};

const struct scenario case_give_hold = {
	.name = "give-hold", .what = "a gift completes a group, another CPU wants all of it",
	.areas = 1, .strict = true, .setup = one_half_held,
	.program = { .cpus = 2, .cpu = { give_high, take_give_6 } },
};

static void one_group(void)
{
	hold_all(6);
	let(64, 6);
}

const struct scenario case_open_hold = {
	.name = "open-hold", .what = "a whole group: one CPU opens it, the other takes all of it",
	.areas = 1, .strict = true, .setup = one_group,
	.program = { .cpus = 2, .cpu = { take_give_0, take_give_6 } },
};

static void one_group_at_home(void)
{
	one_group();
	make_home(0, 0);
	make_home(1, 6);
}

/* Of two that come too late one puts back what he took, and the other has not looked yet. */
const struct scenario case_late_irq = {
	.name = "late-irq", .what = "a group is held: too late come a taker and his interrupt",
	.areas = 1, .strict = true, .setup = one_group_at_home,
	.program = { .cpus = 2, .cpu = { take_0, take_give_6 }, .irq = { take_0 } },
};

const struct scenario case_open_open = {
	.name = "open-open", .what = "a whole group opened by two CPUs, halves are taken",
	.areas = 1, .strict = true, .setup = one_group,
	.program = { .cpus = 2, .cpu = { take_give_5, take_give_5 } },
};

static void group_at_home(void)
{
	one_group();
	make_home(1, 0);
}

const struct scenario case_late = {
	.name = "late", .what = "a take out of a group that has meanwhile been taken (T3)",
	.areas = 1, .strict = true, .setup = group_at_home,
	.program = { .cpus = 2, .cpu = { take_give_6, take_give_0 } },
};

/*
 * A gift shows at a CPU's home before the entries above promise it.  Who takes out of it there
 * and returns has seen it given; so must a third CPU that asks the root.
 */
const struct scenario case_late_3 = {
	.name = "late-3", .what = "a late take and its undo, seen by a third CPU",
	.areas = 1, .strict = true, .setup = group_at_home,
	.program = { .cpus = 3, .cpu = { take_give_6, take_0, take_5 } },
};

/*
 * CPU 0 has given a group and not told yet; CPU 1 opens it at home, and gives back what it took.
 * One frame is free elsewhere: nobody looks at home where the root has nothing.
 */
static void group_held_at_home(void)
{
	hold_all(6);
	let_one_frame(448, 6);
	let(64, 6);
	make_home(1, 0);
	take_for(64, 6);
	promise_less(1);
}

static void give_group(void) { do_give(64, 6); }

static void take_give_5_take_6(void)
{
	take_give_5();
	do_take(6);
}

const struct scenario case_early = {
	.name = "early", .what = "a whole group is opened before it is promised above (T6)",
	.areas = 1, .strict = true, .setup = group_held_at_home,
	.program = { .cpus = 2, .cpu = { give_group, take_give_5_take_6 } },
};

/* --- the last frame */

static void last_two(void)
{
	hold_all(0);
	take_for(7, 0);
	let(3, 0);
}

static void give_7(void) { do_give(7, 0); }

const struct scenario case_none = {
	.name = "none", .what = "the last frame goes and another comes: is its entry struck off?",
	.areas = 1, .strict = true, .setup = last_two,
	.program = { .cpus = 2, .cpu = { take_0, give_7 } },
};

const struct scenario case_fail_give = {
	.name = "fail-give", .what = "a request that finds nothing, while a frame comes back",
	.areas = 1, .strict = true, .setup = last_two,
	.program = { .cpus = 3, .cpu = { take_0, give_7, take_0 } },
};

static void last_one(void)
{
	hold_all(0);
	let(3, 0);
}

const struct scenario case_last = {
	.name = "last", .what = "two CPUs and one frame",
	.areas = 1, .strict = true, .setup = last_one,
	.program = { .cpus = 2, .cpu = { take_give_0, take_give_0 } },
};

const struct scenario case_some = {
	.name = "some", .what = "a cache's worth of frames against a single one",
	.areas = 1, .strict = true, .setup = one_group,
	.program = { .cpus = 2, .cpu = { some, take_give_5 } },
};

const struct scenario case_last_irq = {
	.name = "last-irq", .what = "two CPUs and one frame, and an interrupt that wants it too",
	.areas = 1, .strict = true, .setup = last_one,
	.program = { .cpus = 2, .cpu = { take_give_0, take_0 }, .irq = { take_0 } },
};

const struct scenario case_none_irq = {
	.name = "none-irq", .what = "the last frame goes and another comes, an interrupt wants one",
	.areas = 1, .strict = true, .setup = last_two,
	.program = { .cpus = 2, .cpu = { take_0, give_7 }, .irq = { NULL, take_0 } },
};

/* --- an area of 512 frames, and more */

static void give_area_0(void) { do_give(0, 8); }
static void give_area_256(void) { do_give(256, 7); }
static void give_area_384(void) { do_give(384, 7); }

static void area_in_parts(void)
{
	hold_all(7);
	take_for(0, 7);
	take_for(128, 7);
	take_for(256, 7);
	take_for(384, 7);
}

static void give_0_and_128(void)
{
	do_give(0, 7);
	do_give(128, 7);
}

static void give_256_and_384(void)
{
	do_give(256, 7);
	do_give(384, 7);
}

const struct scenario case_parts = {
	.name = "parts", .what = "two CPUs give back the four parts of an area",
	.areas = 2, .strict = true, .setup = area_in_parts,
	.program = { .cpus = 2, .cpu = { give_0_and_128, give_256_and_384 } },
};

static void area_in_three(void)
{
	hold_all(7);
	let(0, 8);
	take_for(0, 8);
	take_for(256, 7);
	take_for(384, 7);
}

const struct scenario case_parts_3 = {
	.name = "parts-3", .what = "three CPUs give back the three parts of an area",
	.areas = 2, .strict = true, .setup = area_in_three,
	.program = { .cpus = 3, .cpu = { give_area_0, give_area_256, give_area_384 } },
};

/* A group of an area that promises more than it has: CPU 0 may be stopped settling in it. */
static void one_group_of_four(void)
{
	hold_all(0);
	let(0, 8);
	take_for(0, 5);
	take_for(64, 6);
	take_for(128, 6);
	take_for(192, 6);
}

const struct scenario case_stopped = {
	.name = "stopped", .what = "a gift completes a group, four are wanted and promised (I10)",
	.areas = 1, .strict = true, .setup = one_group_of_four,
	.program = { .cpus = 2, .cpu = { give_low, take_8 } },
};

/* Two open groups of the area whose entry the third CPU has marked (I10). */
static void one_group_of_eight(void)
{
	hold_all(6);
	take_for(448, 6);
	let(0, 8);
	let(256, 7);
	let(384, 6);
}

static void give_448(void) { do_give(448, 6); }

const struct scenario case_clear = {
	.name = "clear", .what = "a gift completes an area, two CPUs open groups of it",
	.areas = 2, .strict = true, .setup = one_group_of_eight,
	.program = { .cpus = 3, .cpu = { give_448, take_give_0, take_give_0 } },
};

static void one_area(void)
{
	hold_all(9);
	let(512, 9);
}

const struct scenario case_area_open = {
	.name = "area-open", .what = "a whole area, opened for a frame and wanted as a whole",
	.areas = 2, .strict = true, .setup = one_area,
	.program = { .cpus = 2, .cpu = { take_give_0, take_give_9 } },
};

static void area_at_home(void)
{
	one_area();
	make_home(1, 7);
}

const struct scenario case_area_late = {
	.name = "area-late", .what = "a take out of an area that has meanwhile been taken",
	.areas = 2, .strict = true, .setup = area_at_home,
	.program = { .cpus = 2, .cpu = { take_give_9, take_7 } },
};

/* CPU 1 opens a group of the area too late.  Then it is drawn to the other area, so that
 * nothing but what it restored, and told, can merge this one again. */
static void area_at_home_and_a_frame(void)
{
	hold_all(0);
	let(512, 9);
	take_for(7, 0);
	make_home(1, 7);
}

static void take_all_then_one(void)
{
	take_give(9);
	take_give(0);
	page_drain();
	do_give(7, 0);
}

const struct scenario case_restore = {
	.name = "restore", .what = "a group opened in an area that has meanwhile been taken (T7)",
	.areas = 2, .strict = true, .setup = area_at_home_and_a_frame,
	.program = { .cpus = 2, .cpu = { take_all_then_one, take_0 } },
};

static void two_areas_held(void)
{
	hold_all(9);
	take_for(1024, 9);
	take_for(1536, 9);
}

static void give_area_2(void) { do_give(1024, 9); }
static void give_area_3(void) { do_give(1536, 9); }
static void take_10(void) { do_take(10); }

const struct scenario case_big = {
	.name = "big", .what = "two areas come back, a block of both is wanted",
	.areas = 4, .strict = true, .setup = two_areas_held,
	.program = { .cpus = 3, .cpu = { give_area_2, give_area_3, take_10 } },
};

static void three_areas(void)
{
	hold_all(9);
	let(1024, 10);
	make_home(1, 0);
}

const struct scenario case_giant_undo = {
	.name = "giant-undo", .what = "a block of two areas, while a frame of one is taken (T3)",
	.areas = 4, .strict = true, .setup = three_areas,
	.program = { .cpus = 2, .cpu = { take_10, take_give_0 } },
};

const struct scenario case_area_6 = {
	.name = "area-6", .what = "an area and a group of it are wanted at once",
	.areas = 2, .strict = true, .setup = one_area,
	.program = { .cpus = 2, .cpu = { take_6, take_9 } },
};

/* The area is whole, but CPU 1's home; nothing is above its entry. */
static void leave_home(void) { page_drain(); }

const struct scenario case_root_run = {
	.name = "root-run", .what = "a home is merged while all of it is wanted, below the root",
	.areas = 2, .strict = true, .setup = area_at_home,
	.program = { .cpus = 2, .cpu = { take_9, leave_home } },
};

/* --- blocks of 4096 frames: children of a level-3 node, each of eight areas */

#define GIANT 0x2000u

static void giant_in_halves(void)
{
	hold_all(11);
	take_for(GIANT, 11);
	take_for(GIANT + 0x800, 11);
}

static void give_giant_low(void) { do_give(GIANT, 11); }
static void give_giant_high(void) { do_give(GIANT + 0x800, 11); }
static void take_12(void) { do_take(12); }
static void take_give_12(void) { take_give(12); }

const struct scenario case_giant = {
	.name = "giant", .what = "halves of a block of 16 MiB come back, it is wanted",
	.areas = 24, .first = 0x1000, .strict = true, .setup = giant_in_halves,
	.program = { .cpus = 3, .cpu = { give_giant_low, give_giant_high, take_12 } },
};

static void giant_at_home(void)
{
	hold_all(12);
	let(GIANT, 12);
	make_home(1, 9);
}

const struct scenario case_giant_late = {
	.name = "giant-late", .what = "a part is taken of 16 MiB that have meanwhile been taken",
	.areas = 24, .first = 0x1000, .strict = true, .setup = giant_at_home,
	.program = { .cpus = 2, .cpu = { take_give_12, take_9 } },
};
