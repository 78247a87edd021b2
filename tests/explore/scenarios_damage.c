/* SPDX-License-Identifier: MIT */
/* A page is reported as damaged while its block is taken, given back, or reported again. */
#include "scenario.h"
#include "scenarios.h"

#include <labyrinth/damage.h>

#include "../../mm/mm_state.h"
#include "../../mm/word.h"

#define BLOCK  96u			/* of order 3; all else is held */
#define FRAME  100u
#define ORDER  3u

static void *block;

static void one_block_free(void)
{
	hold_all(0);
	let(BLOCK, ORDER);
}

static void one_block_held(void)
{
	one_block_free();
	block = allocpages(GFP_ATOMIC, ORDER, history_owner);
	if (!block)
		explore_fail("there is no block to hold");
}

static void one_page_held(void)
{
	hold_all(0);
	let(FRAME, 0);
	block = allocpage(GFP_ATOMIC, history_owner);
}

static void report(void)
{
	enum damage d = page_damaged((frame_t){ FRAME });

	if (d == DAMAGE_RESERVED || d == DAMAGE_TOO_MANY)
		explore_fail("a page of ours is said to be %s", damage_name(d));
}

static void take_and_give(void)
{
	void *p = allocpages(GFP_ATOMIC, ORDER, history_owner);

	if (p && freepages(p, ORDER, history_owner) != PAGE_OK)
		explore_fail("a block just taken cannot be given back");
}

static void give(void)
{
	if (freepages(block, ORDER, history_owner) != PAGE_OK)
		explore_fail("a held block cannot be given back");
}

static void give_page(void)
{
	if (freepage(block, history_owner) != PAGE_OK)
		explore_fail("a held page cannot be given back");
}

/* At rest, with the caches drained, it is found wherever it was. */
static void is_quarantined(void)
{
	struct zone_stats s;

	for (unsigned cpu = 0; cpu < 2; cpu++) {
		explore_as(cpu);
		page_drain();
	}
	if (page_damaged_retry() != 0)
		explore_fail("Q1: it still waits, though everybody rests");
	if (word_state(atom_load(word_at(FRAME))) != PAGE_QUARANTINED)
		explore_fail("Q1: reported, and not in quarantine");
	zone_stats(zone_id(mm.hot_zone), &s);
	if (s.quarantined != 1)
		explore_fail("I3: one page is in quarantine, %llu are counted",
			     (unsigned long long)s.quarantined);
	if (!page_pardon((frame_t){ FRAME }))
		explore_fail("it cannot be pardoned");
}

const struct scenario case_damage_free = {
	.name = "damage-free", .what = "a page is reported while its block is taken and given back",
	.areas = 1, .setup = one_block_free, .also = is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report, take_and_give } },
};

static void one_group_free(void)
{
	hold_all(6);
	let(64, 6);
}

static void take_group(void)
{
	void *p = allocpages(GFP_ATOMIC, 6, history_owner);

	if (p && freepages(p, 6, history_owner) != PAGE_OK)
		explore_fail("a block just taken cannot be given back");
}

const struct scenario case_damage_open = {
	.name = "damage-open", .what = "a whole group is opened for its damaged page, and taken",
	.areas = 1, .setup = one_group_free, .also = is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report, take_group } },
};

const struct scenario case_damage_held = {
	.name = "damage-held", .what = "a page is reported while its held block is given back",
	.areas = 1, .setup = one_block_held, .also = is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report, give } },
};

const struct scenario case_damage_page = {
	.name = "damage-page", .what = "the same with a single page",
	.areas = 1, .setup = one_page_held, .also = is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report, give_page } },
};

const struct scenario case_damage_twice = {
	.name = "damage-twice", .what = "two CPUs report the same page",
	.areas = 1, .setup = one_block_free, .also = is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report, report } },
};

/* --- while it wakes: the area behind those that are woken at boot */

#define SLEEPERS_FROM 0x1000u
#define ASLEEP        (SLEEPERS_FROM + 32 * 512)

static void one_area_sleeps(void) { hold_all_awake(); }

static void part_sleeps(void)
{
	hold_all_awake();
	hold_fresh_group();
}

static void report_asleep(void)
{
	enum damage d = page_damaged((frame_t){ ASLEEP + FRAME });

	if (d == DAMAGE_RESERVED || d == DAMAGE_TOO_MANY)
		explore_fail("a page of ours is said to be %s", damage_name(d));
}

static void take_area(void)
{
	void *p = allocpages(GFP_ATOMIC, 9, history_owner);

	if (p && freepages(p, 9, history_owner) != PAGE_OK)
		explore_fail("a block just taken cannot be given back");
}

static void sleeper_is_quarantined(void)
{
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		explore_as(cpu);
		page_drain();
	}
	if (page_damaged_retry() != 0)
		explore_fail("Q1: it still waits, though everybody rests");
	if (word_state(atom_load(word_at(ASLEEP + FRAME))) != PAGE_QUARANTINED)
		explore_fail("Q1: reported, and not in quarantine");
	if (tree_free_order(&mm.hot_zone->tree, ASLEEP + FRAME - mm.hot_zone->tree.base) >= 0)
		explore_fail("I2: in quarantine, and free");
	if (!page_pardon((frame_t){ ASLEEP + FRAME }))
		explore_fail("it cannot be pardoned");
}

const struct scenario case_damage_wake = {
	.name = "damage-wake", .what = "a page is reported while its area wakes as a block",
	.areas = 33, .first = SLEEPERS_FROM, .setup = one_area_sleeps,
	.also = sleeper_is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report_asleep, take_area } },
};

const struct scenario case_damage_part = {
	.name = "damage-part", .what = "a page is reported while its part wakes into the tree",
	.areas = 33, .first = SLEEPERS_FROM, .setup = part_sleeps,
	.also = sleeper_is_quarantined, .no_history = true,
	.program = { .cpus = 2, .cpu = { report_asleep, take_group } },
};
