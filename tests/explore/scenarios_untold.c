/* SPDX-License-Identifier: MIT */
/*
 * A gift shows at a CPU's home before the entries above promise it.  Who takes a part of it there
 * and returns has shown that it was given: then who asks the root must be told of the rest (I12).
 * One frame is free elsewhere and promised, as nobody looks at home where the root has nothing.
 */
#include "../../mm/block.h"
#include "../../mm/fill.h"
#include "scenario.h"
#include "scenarios.h"

/* CPU 1 takes half of what CPU 0 has given, and asks the root for two frames of the rest. */
static void two_groups_at_home(void)
{
	hold_all(7);
	let_one_frame(384, 7);
	let(0, 7);
	make_home(1, 6);
	take_for(0, 7);
	promise_less(1);
}

static void give_0_7(void) { do_give(0, 7); }

static void take_6_take_1(void)
{
	do_take(6);
	do_take(1);
}

const struct scenario case_untold = {
	.name = "untold", .what = "half of a gift is taken before it is promised above (T3)",
	.areas = 1, .strict = true, .setup = two_groups_at_home,
	.program = { .cpus = 2, .cpu = { give_0_7, take_6_take_1 } },
};

/* And in one group: CPU 1 takes a frame of the half, CPU 2 asks for half of it. */
static void half_at_home(void)
{
	hold_all(5);
	let_one_frame(32, 5);
	let(0, 5);
	make_home(1, 0);
	take_for(0, 5);
	promise_less(1);
}

static void give_0_5(void) { do_give(0, 5); }
static void take_0(void) { do_take(0); }
static void take_4(void) { do_take(4); }

const struct scenario case_untold_bits = {
	.name = "untold-bits", .what = "a frame of a gift is taken before it is promised (T3)",
	.areas = 1, .strict = true, .setup = half_at_home,
	.program = { .cpus = 3, .cpu = { give_0_5, take_0, take_4 } },
};

/*
 * CPU 1 opens one of the four groups that CPU 0 has given, and asks the root for two of them.
 * Another group is free, and promised: no more than that.
 */
static void four_groups_at_home(void)
{
	hold_all(6);
	let(0, 8);
	make_home(1, 0);
	take_for(0, 8);
	let(448, 6);
	promise_less(7);
}

static void give_0_8(void) { do_give(0, 8); }

static void take_0_take_7(void)
{
	do_take(0);
	do_take(7);
}

const struct scenario case_untold_open = {
	.name = "untold-open", .what = "a part of a gift is opened before it is promised (T7)",
	.areas = 1, .strict = true, .setup = four_groups_at_home,
	.program = { .cpus = 2, .cpu = { give_0_8, take_0_take_7 } },
};

/* One CPU is enough: its interrupt takes half of what it is giving, and asks for the rest. */
static void two_groups_at_own_home(void)
{
	uint32_t f;

	hold_all(7);
	let_one_frame(384, 7);
	let(0, 7);
	if (!zone_take(mm.hot_zone, 7, &f) || f != 0)
		explore_fail("two groups are not what was left");
	take_is_done(f, 7);
	promise_less(1);
}

const struct scenario case_untold_irq = {
	.name = "untold-irq", .what = "an interrupt takes half of what its CPU is giving (T3)",
	.areas = 1, .strict = true, .setup = two_groups_at_own_home,
	.program = { .cpus = 1, .cpu = { give_0_7 }, .irq = { take_6_take_1 } },
};

/* The same with areas: CPU 1 takes one of two at home, CPU 2 asks the root for the other. */
#define TWO_AREAS 0x2000u
#define ONE_FRAME 0x1000u

static void two_areas_at_home(void)
{
	hold_all(10);
	let_one_frame(ONE_FRAME, 10);
	let(TWO_AREAS, 10);
	make_home(1, 9);
	take_for(TWO_AREAS, 10);
	promise_less(1);
}

static void give_areas(void) { do_give(TWO_AREAS, 10); }
static void take_9(void) { do_take(9); }

const struct scenario case_untold_area = {
	.name = "untold-area", .what = "one of two areas is taken before it is promised (T3)",
	.areas = 24, .first = 0x1000, .strict = true, .setup = two_areas_at_home,
	.program = { .cpus = 3, .cpu = { give_areas, take_9, take_9 } },
};

/* CPU 1 opens one of the areas for a group, and asks for the other. */
static void two_areas_at_home_of_groups(void)
{
	hold_all(10);
	let_one_frame(ONE_FRAME, 10);
	let(TWO_AREAS, 10);
	make_home(1, 6);
	take_for(TWO_AREAS, 10);
	promise_less(1);
}

static void take_6_take_9(void)
{
	do_take(6);
	do_take(9);
}

const struct scenario case_untold_deep = {
	.name = "untold-deep", .what = "a group of a gift of two areas, and then an area (T7)",
	.areas = 24, .first = 0x1000, .strict = true, .setup = two_areas_at_home_of_groups,
	.program = { .cpus = 2, .cpu = { give_areas, take_6_take_9 } },
};

/*
 * A walk for little comes upon a gift that is not told, as the hint of its area is old: it says
 * that hardly a frame is free there.  What is opened on the way must be told before (T7).
 */
#define GIFT_1 (TWO_AREAS + 0x200)
#define GIFT_4 (TWO_AREAS + 0x800)

static void old_hint(uint32_t frame)
{
	struct tree *t = &mm.hot_zone->tree;

	atom_poke8(fill_of(t, 2, (frame - t->base) >> AREA_ORDER), 0);
}

static void area_beside_a_frame(void)
{
	hold_all(9);
	let_one_frame(TWO_AREAS, 9);
	take_for(GIFT_1, 9);
	promise_less(1);
	old_hint(GIFT_1);
}

static void give_area(void) { do_give(GIFT_1, 9); }

static void take_0_take_8(void)
{
	do_take(0);
	do_take(8);
}

const struct scenario case_untold_walk = {
	.name = "untold-walk", .what = "a walk opens a gift before it is promised, and wants more",
	.areas = 24, .first = 0x1000, .strict = true, .setup = area_beside_a_frame,
	.program = { .cpus = 2, .cpu = { give_area, take_0_take_8 } },
};

/* An area is promised already, but two of the gift's, side by side, are not. */
static void four_areas_beside_one(void)
{
	hold_all(9);
	take_for(GIFT_4, 11);
	let(TWO_AREAS, 9);
	promise_less(10);
	old_hint(GIFT_4);
}

static void give_four_areas(void) { do_give(GIFT_4, 11); }

static void take_0_take_10(void)
{
	do_take(0);
	do_take(10);
}

const struct scenario case_untold_walk_2 = {
	.name = "untold-walk-2", .what = "the same where as much as is opened is promised",
	.areas = 24, .first = 0x1000, .strict = true, .setup = four_areas_beside_one,
	.program = { .cpus = 2, .cpu = { give_four_areas, take_0_take_10 } },
};
