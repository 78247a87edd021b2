/* SPDX-License-Identifier: MIT */
/* Where calls could keep each other going for ever (docs/mm.md, I10). */
#include "../../mm/mm_state.h"
#include "scenario.h"
#include "scenarios.h"

static void take_give_0(void)
{
	uint32_t f = do_take(0);

	if (f != NO_FRAME)
		do_give(f, 0);
}

static void take_9(void) { do_take(9); }

/* --- who comes too late must not merge what the other has opened, and so on */

static void give_high(void) { do_give(32, 5); }

static void give_high_take_0(void)
{
	give_high();
	take_give_0();
}

static void one_half_held(void)
{
	hold_all(5);
	take_for(32, 5);
	let(0, 5);
}

const struct scenario case_give_two = {
	.name = "give-two", .what = "a gift completes a group, two CPUs take out of it in step",
	.areas = 1, .strict = true, .setup = one_half_held,
	.program = { .cpus = 3, .cpu = { give_high, take_give_0, take_give_0 } },
};

const struct scenario case_give_again = {
	.name = "give-again", .what = "a gift completes a group, who gave takes out of it, too",
	.areas = 1, .strict = true, .setup = one_half_held,
	.program = { .cpus = 2, .cpu = { give_high_take_0, take_give_0 } },
};

/* --- who comes because of another's mark must not leave one himself */

/* The area promises all, as it was opened for the group that was taken of it. */
static void area_without_a_group(void)
{
	hold_all(9);
	let(512, 9);
	take_for(512, 6);
}

const struct scenario case_none_9 = {
	.name = "none-9", .what = "two want an area that is promised, and has a group held",
	.areas = 2, .strict = true, .setup = area_without_a_group,
	.program = { .cpus = 2, .cpu = { take_9, take_9 } },
};

static void far_area_without_a_group(void)
{
	hold_all(9);
	let(0x2000, 9);
	take_for(0x2000, 6);
}

const struct scenario case_none_walk = {
	.name = "none-walk", .what = "the same, and the way there leads through two nodes",
	.areas = 24, .first = 0x1000, .strict = true, .setup = far_area_without_a_group,
	.program = { .cpus = 2, .cpu = { take_9, take_9 } },
};

/* --- a fault, to try the explorer itself: it is found by its name alone */

static void go_round(void)
{
	for (;;)
		atom_load(word_at(0));
}

const struct scenario planted_round = {
	.name = "planted-round", .what = "a call that goes round in a circle",
	.areas = 1, .setup = one_half_held,
	.program = { .cpus = 2, .cpu = { go_round, take_9 } },
};
