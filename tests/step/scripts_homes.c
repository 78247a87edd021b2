/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does where a visitor is to do one thing: the last page, and homes. */
#include "../../mm/mm_state.h"
#include "scripts.h"

static uint64_t cached(void)
{
	struct zone_stats s;

	zone_stats(ZONE_DMA, &s);
	return s.cached;
}

/* One page out of the tree, past the caches. */
static void *take_past_the_cache(owner_t owner)
{
	struct zone_walk walk;
	void *page = allocpages_walk(GFP_ATOMIC, 0, owner, &walk);

	book_take(page, 0, owner, GFP_ATOMIC);
	return page;
}

/* The last page is in the cache, and the request goes by way of the tree, which is empty. */
void script_last_in_cache(void)
{
	owner_t other = step_owner[STEP_OTHER];
	void *page = NULL;
	struct zone_walk walk;

	step_drain();
	do {
		script_log_held(page, 0, step_owner[STEP_THREAD]);
		page = script_take_quietly(GFP_ATOMIC, 0);
	} while (cached());
	/* Of another half than the cache's words name. */
	step_meeting.spare = take_past_the_cache(step_owner[STEP_VISITOR]);
	/* None of these may fail: that would drain the cache, which then takes nothing more. */
	while (script_free(GFP_ATOMIC) && !step_failed())
		script_log_held(take_past_the_cache(other), 0, other);
	script_give_quietly(page, 0);
	STEPPED(1, page = allocpages_walk(GFP_ATOMIC, 0, step_owner[STEP_THREAD], &walk));
	if (!page && !book_was_empty(GFP_ATOMIC))
		step_violation("I12", "the last page moved, and was refused");
	book_take(page, 0, step_owner[STEP_THREAD], GFP_ATOMIC);
	script_give(page, 0);
	page = step_meeting.spare;
	step_meeting.spare = NULL;
	book_give(page, 0, step_owner[STEP_VISITOR]);
	freepage(page, step_owner[STEP_VISITOR]);
	script_unfill();
}

/* Blocks of half a group, or half a node: each second one moves to another home. */
void script_homes(void)
{
	void *page[6];

	for (unsigned o = 5; o < 9; o += 3) {
		step_drain();
		for (unsigned i = 0; i < 6; i++) {
			step_meeting.homes = o;
			page[i] = script_take(GFP_ATOMIC, o);
			step_meeting.homes = 0;
		}
		for (unsigned i = 0; i < 6; i++)
			script_give(page[i], o);
	}
}

/*
 * Two groups come back, the only ones, to a home whose entry promises nothing any more: who takes
 * one of them before they are promised tells of the other (T3).
 */
void script_untold(void)
{
	void *page;

	step_drain();
	page = script_take_quietly(GFP_ATOMIC, 7);
	script_fill(GFP_ATOMIC, 6, 0);
	for (unsigned i = 0; i < 12; i++) {
		script_give_quietly(page, 7);
		page = script_take_quietly(GFP_ATOMIC, 7);	/* its home */
		/* Nothing is left, and that is found out. */
		script_give_quietly(script_take_quietly(GFP_ATOMIC, 6), 6);
		step_meeting.homes = 6;
		script_give(page, 7);
		step_meeting.homes = 0;
		page = script_take_quietly(GFP_ATOMIC, 7);
	}
	script_give_quietly(page, 7);
	script_unfill();
}

/*
 * At home in the last group of all, which is free but not merged, so that who wants all of it
 * merges it: who takes a page there comes too late.
 */
void script_gone_as_a_block(void)
{
	void *group;

	step_drain();
	group = script_take_quietly(GFP_ATOMIC, GROUP_ORDER);
	script_fill(GFP_ATOMIC, 0, 0);
	script_give_quietly(group, GROUP_ORDER);
	if (group && !step_failed())
		step_be_at_home(group);
	step_meeting.whole = true;
	script_give(script_take(GFP_ATOMIC, 0), 0);
	step_meeting.whole = false;
	script_unfill();
}
