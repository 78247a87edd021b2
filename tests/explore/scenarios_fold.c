/* SPDX-License-Identifier: MIT */
/* A CPU folds what it counts into the zone's count, and an interrupt comes in between. */
#include "../../mm/mm_state.h"
#include "scenario.h"
#include "scenarios.h"

static void take_8(void) { do_take(8); }
static void give_7(void) { do_give(0, 7); }
static void take_0(void) { do_take(0); }
static void give_0(void) { do_give(128, 0); }

static void some_held(void)
{
	hold_all(6);
	take_for(0, 7);
	take_for(128, 0);
	let(256, 8);
	make_home(0, 0);
}

/* What zone_has() relies on. */
static void counts_agree(void)
{
	struct zone *z = mm.hot_zone;

	for (unsigned c = 0; c < mm.ncpu; c++) {
		size_t off = LOCAL_DELTA + z->tree.id * sizeof(uint64_t);
		int64_t d = (int64_t)local_peek(c, off);

		if (d > z->fold_at || d < -z->fold_at)
			explore_fail("I12: CPU %u is off by %lld frames at rest, %lld is the most",
				     c, (long long)d, (long long)z->fold_at);
	}
}

const struct scenario case_fold_take = {
	.name = "fold-take", .what = "a CPU folds its count, and so does an interrupt",
	.areas = 1, .exact = true, .setup = some_held, .also = counts_agree,
	.program = { .cpus = 1, .cpu = { take_8 }, .irq = { take_0 } },
};

const struct scenario case_fold_give = {
	.name = "fold-give", .what = "the same, with gifts",
	.areas = 1, .exact = true, .setup = some_held, .also = counts_agree,
	.program = { .cpus = 1, .cpu = { give_7 }, .irq = { give_0 } },
};
