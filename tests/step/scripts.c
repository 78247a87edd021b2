/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does: the hot paths, blocks, batches, exhaustion, waking. */
#include "scripts.h"

struct held script_log[SCRIPT_LOG];
unsigned script_held;

#define ANY   (1u << STEP_ONE | 1u << STEP_THREE)
#define EVERY (ANY | 1u << STEP_ASLEEP)
#define WIDE  (1u << STEP_WIDE | STEP_LONG)
#define LONG_ASLEEP (1u << STEP_ASLEEP | STEP_LONG)

/* --- checked calls */

void *script_take(gfp_t gfp, unsigned order)
{
	owner_t me = step_owner[STEP_THREAD];
	void *page = NULL;

	if (order == 0)
		STEPPED(1, page = allocpage(gfp, me));
	else
		STEPPED(1u << order, page = allocpages(gfp, order, me));
	if (page) {
		book_take(page, order, me, gfp);
		book_check_word(page, order, me, gfp & GFP_EXCL ? PAGE_EXCLUSIVE : PAGE_HELD);
	} else if (order == 0 && !book_was_empty(gfp)) {
		step_violation("I12", "a page for gfp 0x%x was refused, and there was one "
			       "all the time", gfp);
	}
	return page;
}

void script_give(void *page, unsigned order)
{
	owner_t me = step_owner[STEP_THREAD];
	enum page_error e = PAGE_OK;

	if (!page || step_failed())
		return;
	book_give(page, order, me);
	if (order == 0)
		STEPPED(1, e = freepage(page, me));
	else
		STEPPED(1u << order, e = freepages(page, order, me));
	if (e != PAGE_OK)
		step_violation("I5", "a rightful free was refused: %s", page_error_name(e));
}

static void *take_quietly(gfp_t gfp, unsigned order, owner_t owner)
{
	void *page = allocpages(gfp, order, owner);

	book_take(page, order, owner, gfp);
	return page;
}

static void give_quietly(void *page, unsigned order, owner_t owner)
{
	if (!page || step_failed())
		return;
	book_give(page, order, owner);
	if (freepages(page, order, owner) != PAGE_OK)
		step_violation("I5", "a rightful free was refused");
}

void *script_take_quietly(gfp_t gfp, unsigned order)
{
	return take_quietly(gfp, order, step_owner[STEP_THREAD]);
}

void script_give_quietly(void *page, unsigned order)
{
	give_quietly(page, order, step_owner[STEP_THREAD]);
}

bool script_log_held(void *page, unsigned order, owner_t owner)
{
	if (page && script_held < SCRIPT_LOG)
		script_log[script_held++] = (struct held){ page, order, owner };
	return page;
}

void script_fill(gfp_t gfp, unsigned least, unsigned spare)
{
	owner_t other = step_owner[STEP_OTHER];	/* so as not to draw on a contract */

	if (step_cpus() > 1)
		step_drain();
	/* From the largest order down: what is left is little, and in pieces. */
	for (unsigned o = 11; o-- > least;)
		while (script_held < SCRIPT_LOG && script_free(gfp) >= spare + (1u << o))
			if (!script_log_held(take_quietly(gfp, o, other), o, other))
				break;
}

void script_unfill(void)
{
	while (script_held > 0) {
		const struct held *h = &script_log[--script_held];

		give_quietly(h->page, h->order, h->owner);
	}
}

uint64_t script_free(gfp_t gfp)
{
	struct zone_stats s;
	uint64_t sum = 0;

	for (unsigned z = 0; z <= (gfp & GFP_DMA ? ZONE_DMA : ZONE_NORMAL); z++) {
		zone_stats((enum zone_id)z, &s);
		sum += s.free;
	}
	return sum;
}

/* --- pages */

static void hot_pair(void)
{
	script_give_quietly(script_take_quietly(GFP_ATOMIC, 0), 0);
	script_give(script_take(GFP_ATOMIC, 0), 0);
}

static void each_flag(void)
{
	static const gfp_t flags[] = {
		GFP_NOWAIT, GFP_KERNEL, GFP_ATOMIC | GFP_ZERO, GFP_ATOMIC | GFP_EXCL,
		GFP_NOWAIT | GFP_DMA, GFP_ATOMIC | GFP_DMA32,
	};

	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		script_give(script_take(flags[i], 0), 0);
		if (flags[i] & GFP_ZERO)
			continue;	/* each word of a page is a step, and they are all alike */
		script_give(script_take(flags[i], 2), 2);
		script_give(script_take(flags[i], 6), 6);
	}
}

static void cold_cache(void)
{
	page_drain();
	void *page = script_take(GFP_ATOMIC, 0);
	STEPPED(0, page_drain());
	script_give(page, 0);
	STEPPED(0, page_drain());
}

static void many_pages(void)
{
	void *page[80];
	unsigned n;

	for (n = 0; n < 80; n++)
		if (!(page[n] = n % 8 == 0 ? script_take(GFP_ATOMIC, 0)
					   : script_take_quietly(GFP_ATOMIC, 0)))
			break;
	/* Back from all over: the caches overflow. */
	for (unsigned i = 0; i < n; i++) {
		unsigned k = i * 37 % n;

		if (n % 37 == 0)
			k = i;
		if (i % 5 == 0)
			script_give(page[k], 0);
		else
			script_give_quietly(page[k], 0);
	}
}

/* --- blocks */

static void blocks_up(void)
{
	void *page[10];

	for (unsigned o = 1; o < 10; o++)
		page[o] = script_take(GFP_ATOMIC, o);
	for (unsigned o = 1; o < 10; o++)
		script_give(page[o], o);
	STEPPED(0, page_drain());
}

static void blocks_down(void)
{
	void *page[10];

	page_drain();
	for (unsigned o = 10; o-- > 0;)
		page[o] = script_take(GFP_NOWAIT, o);
	for (unsigned o = 10; o-- > 0;)
		script_give(page[o], o);
}

/* A group, and then an area, is broken up and becomes whole again. */
static void merge(unsigned order, unsigned n)
{
	void *page[16];

	for (unsigned i = 0; i < n; i++)
		page[i] = i == 0 ? script_take(GFP_ATOMIC, order)
				 : script_take_quietly(GFP_ATOMIC, order);
	for (unsigned i = 0; i < n; i++) {
		if (i + 2 >= n)
			script_give(page[i], order);
		else
			script_give_quietly(page[i], order);
	}
	STEPPED(0, page_drain());
}

static void merge_small(void)  { merge(3, 16); merge(2, 16); }
static void merge_groups(void) { merge(6, 8); merge(7, 3); }
static void merge_areas(void)  { merge(8, 4); merge(9, 3); merge(10, 2); }

/* All that is left is whole, but a home and so not merged: a larger request merges it. */
static void merge_homes(void)
{
	for (unsigned o = 6; o < 11; o++) {
		void *whole = script_take_quietly(GFP_ATOMIC, o);

		script_fill(GFP_ATOMIC, 0, 0);
		script_give_quietly(whole, o);
		script_give(script_take_quietly(GFP_ATOMIC, o % 2 ? 3 : 1), o % 2 ? 3 : 1);
		if (o > 6)
			script_give_quietly(script_take_quietly(GFP_ATOMIC, 6), 6);
		script_give(script_take(GFP_ATOMIC, o), o);
		script_unfill();
	}
}

/* The other way round: the smaller ones first, so that larger ones must be put together. */
static void fragments(void)
{
	void *page[32];

	page_drain();
	for (unsigned i = 0; i < 32; i++)
		page[i] = script_take_quietly(GFP_ATOMIC, i % 7 == 6 ? 5 : i % 3);
	for (unsigned i = 0; i < 32; i += 2)
		script_give_quietly(page[i], i % 7 == 6 ? 5 : i % 3);
	void *large = script_take(GFP_ATOMIC, 6), *small = script_take(GFP_ATOMIC, 1);
	for (unsigned i = 1; i < 32; i += 2)
		script_give_quietly(page[i], i % 7 == 6 ? 5 : i % 3);
	void *larger = script_take(GFP_ATOMIC, 7);
	script_give(larger, 7);
	script_give(small, 1);
	script_give(large, 6);
}

/* --- batches */

void script_batch(gfp_t gfp, size_t n)
{
	void *page[SCRIPT_BATCH];
	owner_t me = step_owner[STEP_THREAD];
	size_t got = 0, back = 0;

	STEPPED((unsigned)n, got = allocpages_bulk(gfp, n, page, me));
	for (size_t i = 0; i < got; i++)
		book_take(page[i], 0, me, gfp);
	if (step_failed())
		return;
	for (size_t i = 0; i < got; i++)
		book_give(page[i], 0, me);
	STEPPED((unsigned)got, back = freepages_bulk(got, page, me));
	if (back != got)
		step_violation("I5", "a rightful batch was not taken back");
}

static void batches(void)
{
	void *none[2] = { NULL, (char *)script_take_quietly(GFP_ATOMIC, 0) };
	size_t back = 0;

	script_batch(GFP_ATOMIC, 5);
	script_batch(GFP_NOWAIT, 33);
	page_drain();
	script_batch(GFP_KERNEL, SCRIPT_BATCH - 64);
	script_batch(GFP_ATOMIC | GFP_DMA, 3);
	book_give(none[1], 0, step_owner[STEP_THREAD]);
	STEPPED(1, back = freepages_bulk(2, none, step_owner[STEP_THREAD]));
	if (back != 1)
		step_violation("I5", "a batch of one right and one wrong page");
}

static void batch_of_the_last(void)
{
	script_fill(GFP_ATOMIC, 0, 7);
	script_batch(GFP_ATOMIC, 40);
	script_batch(GFP_NOWAIT, 40);
	script_unfill();
}

/* --- little or nothing left */

static void last_pages(void)
{
	void *page[40];
	unsigned n;

	script_fill(GFP_ATOMIC, 0, 6);
	for (n = 0; n < 40; n++)
		if (!(page[n] = script_take(GFP_ATOMIC, 0)))
			break;
	script_give(script_take(GFP_NOWAIT, 0), 0);	/* a crowd may leave one */
	for (unsigned o = 1; o < 10; o += 4)
		script_give(script_take(GFP_ATOMIC, o), o);
	while (n-- > 0)
		script_give(page[n], 0);
	script_unfill();
}

/* The zone is low: nothing new is cached. */
static void low_zone(void)
{
	script_fill(GFP_ATOMIC, 0, 60);
	void *a = script_take(GFP_ATOMIC, 0), *b = script_take(GFP_ATOMIC, 2);
	void *c = script_take(GFP_NOWAIT, 3);
	script_give(a, 0);
	script_give(b, 2);
	script_give(c, 3);
	STEPPED(0, page_drain());
	script_unfill();
}

/* The cache holds the last ones back until it is asked to give them up. */
static void cached_last(void)
{
	void *page[24];
	unsigned n = 0;

	for (; n < 24; n++)
		page[n] = script_take_quietly(GFP_ATOMIC, 0);
	for (unsigned i = 0; i < n; i++)
		script_give_quietly(page[i], 0);
	script_fill(GFP_ATOMIC, 3, 0);
	script_give(script_take(GFP_ATOMIC, 3), 3);
	script_give(script_take(GFP_ATOMIC, 4), 4);
	script_give(script_take(GFP_ATOMIC | GFP_DMA, 0), 0);
	script_unfill();
}

const struct step_script step_scripts[] = {
	{ "hot_pair", hot_pair, ANY },
	{ "page_race", script_page_race, ANY },
	{ "wake_pages", script_wake_pages, 1u << STEP_ASLEEP },
	{ "wake_groups", script_wake_groups, 1u << STEP_ASLEEP },
	{ "each_flag", each_flag, ANY },
	{ "cold_cache", cold_cache, EVERY },
	{ "many_pages", many_pages, ANY },
	{ "blocks_up", blocks_up, ANY },
	{ "blocks_down", blocks_down, ANY },
	{ "merge_small", merge_small, ANY },
	{ "merge_groups", merge_groups, ANY },
	{ "merge_areas", merge_areas, ANY },
	{ "merge_homes", merge_homes, ANY },
	{ "fragments", fragments, ANY },
	{ "batches", batches, ANY },
	{ "batch_of_the_last", batch_of_the_last, ANY },
	{ "last_pages", last_pages, ANY },
	{ "low_zone", low_zone, ANY },
	{ "cached_last", cached_last, ANY },
	{ "last_in_cache", script_last_in_cache, 1u << STEP_ONE },
	{ "homes", script_homes, ANY },
	{ "untold", script_untold, 1u << STEP_ONE },
	{ "races", script_races, ANY },
	{ "again", script_again, ANY },
	{ "wrong_frees", script_wrong_frees, ANY },
	{ "double_frees", script_double_frees, EVERY },
	{ "wrong_requests", script_wrong_requests, ANY },
	{ "transfers", script_transfers, ANY },
	{ "sharing", script_sharing, 1u << STEP_ONE },
	{ "lending", script_lending, ANY },
	{ "contract_terms", script_contract_terms, ANY },
	{ "contract_draws", script_contract_draws, ANY },
	{ "contract_short", script_contract_short, ANY },
	{ "contract_orphan", script_contract_orphan, 1u << STEP_ONE },
	{ "contract_ends", script_contract_ends, ANY },
	{ "pools", script_pools, ANY },
	{ "dry_pool", script_dry_pool, ANY },
	{ "owners", script_owners, 1u << STEP_ONE },
	{ "damage", script_damage, ANY },
	{ "sleepers", script_sleepers, ANY },
	{ "queries", script_queries, EVERY },
	{ "counters", script_counters, EVERY },
	{ "audit", script_audit, ANY },
	{ "names", script_names, 1u << STEP_ONE },
	{ "memory_map", script_memory_map, 1u << STEP_ONE },
	{ "injected", script_injected, ANY },
	{ "fold_damage", script_fold_damage, ANY },
	{ "fold_contract", script_fold_contract, ANY },
	{ "no_contract", script_no_contract, ANY },
	{ "near_the_mark", script_near_the_mark, ANY },
	{ "owed", script_owed, ANY },
	{ "rivals", script_rivals, ANY },
	{ "reclaim_damaged", script_reclaim_damaged, ANY },
	{ "broken", script_broken, ANY | STEP_ALONE },
	{ "console", script_console, 1u << STEP_ONE },
	{ "folds", script_folds, ANY },
	{ "in_pieces", script_in_pieces, 1u << STEP_THREE },
	{ "merges_undone", script_merges_undone, ANY },
	{ "gather", script_gather, 1u << STEP_THREE },
	{ "gather_wide", script_gather_wide, WIDE },
	{ "many_areas", script_many_areas, WIDE },
	{ "damaged_blocks", script_damaged_blocks, 1u << STEP_THREE },
	{ "damaged_last", script_damaged_last, 1u << STEP_ONE },
	{ "sleepers_area", script_sleepers_area, 1u << STEP_THREE },
	{ "last_area", script_last_area, WIDE },
	{ "newcomer", script_newcomer, 1u << STEP_ONE },
	{ "damaged_list", script_damaged_list, 1u << STEP_ONE },
	{ "no_memory", script_no_memory, 1u << STEP_THREE },
	{ "pool_without_slots", script_pool_without_slots, 1u << STEP_ONE },
	{ "wide_areas", merge_areas, WIDE },
	{ "whole_node", script_whole_node, WIDE },
	{ "told_twice", script_told_twice, WIDE },
	{ "home_left", script_home_left, WIDE },
	{ "back_meanwhile", script_back_meanwhile, WIDE },
	{ "top_mark", script_top_mark, WIDE },
	{ "wake_last", script_wake_last, LONG_ASLEEP },
	{ "wake", script_wake, 1u << STEP_ASLEEP },
	{ "wake_page_by_page", script_wake_page_by_page, LONG_ASLEEP },
	{ "wake_for_batches", script_wake_for_batches, LONG_ASLEEP },
	{ "wake_areas", script_wake_areas, LONG_ASLEEP },
	{ "half_asleep", script_half_asleep, 1u << STEP_ASLEEP },
	{ "wake_folds", script_wake_folds, LONG_ASLEEP },
	{ "wake_damaged", script_wake_damaged, LONG_ASLEEP },
	{ "too_many_damaged", script_too_many_damaged, 1u << STEP_ASLEEP },
	{ "audit_asleep", script_audit_asleep, LONG_ASLEEP },
	{ "wake_blocks_down", blocks_down, LONG_ASLEEP },
	{ "wake_and_merge", merge_areas, LONG_ASLEEP },
	{ "wake_larger", script_wake_larger, LONG_ASLEEP },
	{ "wake_met", script_wake_met, LONG_ASLEEP },
	{ "wake_part_damaged", script_wake_part_damaged, LONG_ASLEEP },
	{ "area_folds", script_area_folds, 1u << STEP_THREE },
	{ "gone_as_a_block", script_gone_as_a_block, ANY },
	{ "area_gone", script_area_gone, WIDE },
	{ "found_in_part", script_found_in_part, 1u << STEP_THREE | STEP_LONG },
	{ "watched", script_watched, 1u << STEP_THREE },
	{ "audit_at_home", script_audit_at_home, 1u << STEP_THREE | STEP_LONG | STEP_ALONE },
	{ "told_late", script_told_late, WIDE },
	{ "half_way", script_half_way, WIDE | STEP_ALONE },
	{ "wake_beyond", script_wake_beyond, LONG_ASLEEP | STEP_ALONE },
};
const unsigned step_script_count = sizeof step_scripts / sizeof *step_scripts;
