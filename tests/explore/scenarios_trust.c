/* SPDX-License-Identifier: MIT */
/* Who raises an entry trusts the one above it, which others lower meanwhile (T5, T6). */
#include "../../mm/block.h"
#include "scenario.h"
#include "scenarios.h"

static void give_7(void) { do_give(7, 0); }
static void give_high(void) { do_give(32, 5); }
static void take_0(void) { do_take(0); }
static void take_5(void) { do_take(5); }
static void take_6(void) { do_take(6); }
static void take_7(void) { do_take(7); }

/* CPU 0 is striking the group off, CPU 1 raises its entry again, CPU 2 trusts that one. */
static void last_and_a_half(void)
{
	hold_all(0);
	take_for(32, 5);
	take_for(7, 0);
	let(3, 0);
}

static void give_7_take_0(void)
{
	give_7();
	do_take(0);
}

const struct scenario case_trust = {
	.name = "trust", .what = "an entry is raised while those above are being lowered (T6)",
	.areas = 1, .strict = true, .setup = last_and_a_half,
	.program = { .cpus = 3, .cpu = { take_0, give_high, give_7_take_0 } },
};

/* CPU 1 raises less than CPU 0, in the same node; CPU 2 trusts what CPU 0 has raised. */
static void half_and_less(void)
{
	hold_all(0);
	take_for(32, 5);
	take_for(0, 4);
	take_for(64, 0);
}

static void give_64(void) { do_give(64, 0); }

static void give_take_4(void)
{
	do_give(0, 4);
	do_take(4);
}

const struct scenario case_trust_2 = {
	.name = "trust-2", .what = "two entries of a node are raised, by much and by little (T6)",
	.areas = 1, .strict = true, .setup = half_and_less,
	.program = { .cpus = 3, .cpu = { give_high, give_64, give_take_4 } },
};

/*
 * Half of a group is free, and its area promises all of it.  CPU 0 corrects that, CPU 1 raises
 * another entry meanwhile, CPU 2 trusts what both leave of the promise.
 */
static void half_promised_whole(void)
{
	hold_all(0);
	let(0, 6);
	take_for(0, 5);
	take_for(64, 0);
}

const struct scenario case_trust_3 = {
	.name = "trust-3", .what = "an entry is lowered while its node is told of a gift (T5, T6)",
	.areas = 1, .strict = true, .setup = half_promised_whole,
	.program = { .cpus = 3, .cpu = { take_6, give_64, take_5 } },
};

static void give_128_take_7(void)
{
	do_give(128, 5);
	do_take(7);
}

static void take(uint32_t frame, unsigned order)
{
	uint32_t f;

	if (!zone_take(mm.hot_zone, order, &f) || f != frame)
		explore_fail("0x%x of order %u is not what was left", frame, order);
}

/*
 * Groups of an area: 0 has one frame, 2 lacks the half that CPU 1 gives at home, 3 is whole; the
 * area promises two groups, as it had 4 and 5.  CPU 0 corrects that, while CPU 2 has marked
 * group 0, as nothing is left of it: who reads the node then does not change it.  CPU 1 asks the
 * root for what it has completed.
 */
static void group_at_home_beside_another(void)
{
	static const uint8_t orders[] = { 5, 4, 3, 2, 1, 0 };
	uint32_t f;

	hold_all(9);
	let(0, 9);
	for (uint32_t i = 0, at = 0; i < sizeof orders; at += 1u << orders[i++])
		take_for(at, orders[i]);
	take_for(64, 6);
	take(128, 6);
	take(192, 6);
	take_for(256, 7);
	take_for(384, 7);
	zone_give(mm.hot_zone, 128, 6);
	make_home(1, 5);
	take_for(128, 5);
	if (zone_take(mm.hot_zone, 6, &f))
		explore_fail("there is a whole group");
	zone_give(mm.hot_zone, 192, 6);
	zone_give(mm.hot_zone, 256, 7);
	take(256, 7);
	page_drain();
}

const struct scenario case_trust_4 = {
	.name = "trust-4", .what = "a group becomes whole at home, its node has a mark (T6)",
	.areas = 1, .strict = true, .setup = group_at_home_beside_another,
	.program = { .cpus = 3, .cpu = { take_7, give_128_take_7, take_0 } },
};

/*
 * Two neighbours of 16 MiB: one is whole, the other lacks the group that CPU 1 gives at home, so
 * that it is not merged.  CPU 0 completes another, and its mark is in the node of both: CPU 1 has
 * to mark the entry there, and to tell the root of the two.
 */
#define AT_HOME   0x2000u
#define BESIDE    0x3000u
#define ELSEWHERE 0x5000u

static void giant_at_home_beside_another(void)
{
	hold_all(12);
	take_for(ELSEWHERE, 9);
	/* The rest of it is not in the way of who looks for a home. */
	take(ELSEWHERE + 0x200, 9);
	take(ELSEWHERE + 0x400, 10);
	take(ELSEWHERE + 0x800, 11);
	let(AT_HOME, 12);
	make_home(1, 9);
	take_for(AT_HOME, 6);
	zone_give(mm.hot_zone, ELSEWHERE + 0x200, 9);
	zone_give(mm.hot_zone, ELSEWHERE + 0x400, 10);
	zone_give(mm.hot_zone, ELSEWHERE + 0x800, 11);
	let(BESIDE, 12);
	promise_less(13);
}

static void give_elsewhere(void) { do_give(ELSEWHERE, 9); }

static void give_at_home_take_13(void)
{
	do_give(AT_HOME, 6);
	do_take(13);
}

const struct scenario case_trust_far = {
	.name = "trust-far", .what = "an entry and the one above cannot be raised at once (T6)",
	.areas = 56, .first = 0x1000, .strict = true, .setup = giant_at_home_beside_another,
	.program = { .cpus = 2, .cpu = { give_elsewhere, give_at_home_take_13 } },
};
