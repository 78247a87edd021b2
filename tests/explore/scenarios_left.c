/* SPDX-License-Identifier: MIT */
/*
 * Homes that are left while all of them is free, and merged later (mm/home.c); and the last frame
 * at home, whose group is struck off there and then.
 */
#include "scenario.h"
#include "scenarios.h"

static void take_0(void) { do_take(0); }
static void drain(void) { page_drain(); }

static void take_give_6(void)
{
	uint32_t f = do_take(6);

	if (f != NO_FRAME)
		do_give(f, 6);
}

static void take_give_0(void)
{
	uint32_t f = do_take(0);

	if (f != NO_FRAME)
		do_give(f, 0);
}

static void some(void)
{
	uint32_t first, bits = do_some(&first);

	if (bits)
		do_give_some(first, bits);
}

static void some_drain(void)
{
	some();
	drain();
}

/* Group 0 is whole, and CPU 1's home.  He leaves it for group 1: single frames come from there. */
static void home_beside_half(void)
{
	hold_all(5);
	let(0, 6);
	make_home(1, 0);
	let(64, 5);
}

const struct scenario case_left_hold = {
	.name = "left-hold", .what = "a home that was left whole is wanted before it is merged",
	.areas = 1, .strict = true, .setup = home_beside_half,
	.program = { .cpus = 2, .cpu = { take_give_6, some_drain } },
};

const struct scenario case_left_take = {
	.name = "left-take", .what = "it is opened, and an interrupt of who left it wants to merge",
	.areas = 1, .strict = true, .setup = home_beside_half,
	.program = { .cpus = 2, .cpu = { take_give_0, some }, .irq = { NULL, drain } },
};

/* The same, but CPU 0 has a frame of group 0. */
static void home_but_a_frame(void)
{
	hold_all(5);
	take_for(0, 0);
	let(0, 6);
	make_home(1, 0);
	let(64, 5);
}

static void give_0(void) { do_give(0, 0); }

const struct scenario case_left_give = {
	.name = "left-give", .what = "a gift makes a home whole, while it is left and merged",
	.areas = 1, .strict = true, .setup = home_but_a_frame,
	.program = { .cpus = 2, .cpu = { give_0, some_drain }, .irq = { NULL, drain } },
};

const struct scenario case_left_give_2 = {
	.name = "left-give-2", .what = "who gives it leaves it in an interrupt, it is wanted",
	.areas = 1, .strict = true, .setup = home_but_a_frame,
	.program = { .cpus = 2, .cpu = { take_give_6, give_0 }, .irq = { NULL, some_drain } },
};

/* A frame is free in CPU 1's home; CPU 0 gives another. */
static void last_at_home(void)
{
	hold_all(0);
	take_for(7, 0);
	let(3, 0);
	make_home(1, 0);
}

static void give_7(void) { do_give(7, 0); }

const struct scenario case_strike = {
	.name = "strike", .what = "the last frame at home is taken, and another comes back",
	.areas = 1, .strict = true, .setup = last_at_home,
	.program = { .cpus = 3, .cpu = { give_7, some, take_0 } },
};
