/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does where a visitor is to do one thing: the last page, and homes. */
#include "../../mm/home.h"
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

/* A block of @order is all there is, and goes while somebody wants a part of it. */
static void *last_block(gfp_t gfp, unsigned order)
{
	void *block;

	step_drain();
	block = script_take_quietly(gfp, order);
	script_fill(gfp, 0, 0);
	script_give_quietly(block, order);
	step_meeting.whole = order;
	step_meeting.where = gfp;
	return step_failed() ? NULL : block;
}

static void had_or_gone(void *part, unsigned order)
{
	step_meeting.whole = 0;
	script_give(part, order);
	script_unfill();
}

/* Half a group, as for a cache. */
static void take_half(const void *group)
{
	struct tree *t = &zone_of(page_to_frame(group).n)->tree;
	uint32_t half = 0, bits;

	step_begin(32);
	bits = tree_take_some(t, &half);
	if (bits)
		tree_give_bits(t, half / 2, (uint64_t)bits << 32 * (half % 2), bits_count(bits));
	step_end();
}

/*
 * At home in the last group of all, which is free but not merged, so that who wants all of it
 * merges it: who takes a part there comes too late.
 */
void script_gone_as_a_block(void)
{
	for (unsigned i = 0; i < 3; i++) {
		void *group = last_block(GFP_ATOMIC, GROUP_ORDER), *page = NULL;

		if (group)
			step_be_at_home(group);
		if (group && i == 2)
			take_half(group);
		else
			page = script_take(GFP_ATOMIC, 2 * i);
		had_or_gone(page, 2 * i);
	}
}

/* An area, which has its entry in the root, and nobody is at home there. */
void script_area_gone(void)
{
	last_block(GFP_ATOMIC | GFP_DMA, AREA_ORDER);
	had_or_gone(script_take(GFP_ATOMIC | GFP_DMA, 3), 3);
}

/* --- an area at home, with others around it */

void script_give_node(void *area[NODE_FANOUT], unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		script_give_quietly(area[i], AREA_ORDER);
}

bool script_take_node(void *area[NODE_FANOUT])
{
	unsigned char *node;
	unsigned had = 0;

	step_drain();
	node = script_take_quietly(GFP_ATOMIC, AREA_ORDER + 3);
	if (!node || step_failed())
		return false;
	script_fill(GFP_ATOMIC, 0, 0);
	script_give_quietly(node, AREA_ORDER + 3);
	for (unsigned i = 0; i < NODE_FANOUT; i++)
		area[i] = NULL;
	for (unsigned i = 0; i < NODE_FANOUT; i++) {
		unsigned char *got = script_take_quietly(GFP_ATOMIC, AREA_ORDER);
		size_t at = (size_t)(got - node) >> (AREA_ORDER + PAGE_SHIFT);

		/* In a crowd it may be another. */
		if (got && at < NODE_FANOUT)
			area[at] = got, had++;
		else
			script_log_held(got, AREA_ORDER, step_owner[STEP_THREAD]);
	}
	if (had == NODE_FANOUT && !step_failed())
		return true;
	script_give_node(area, 0, NODE_FANOUT);
	script_unfill();
	return false;
}

/* @area, at home here, lacks its first frame, as its entries tell; that comes back. */
static void complete(const void *area, bool drains)
{
	uint32_t f = page_to_frame(area).n;
	struct tree *t = &zone_of(f)->tree;
	uint32_t group = (f -= t->base) >> GROUP_ORDER;

	if (!tree_take_frame(t, f))
		return;
	home_move(t, 0, group + NODE_FANOUT);
	tree_settle(t, 1, group, false);
	tree_settle(t, 2, group / NODE_FANOUT, false);
	step_meeting.passed = drains ? NULL : node_of_child(t, 2, group / NODE_FANOUT);
	step_meeting.drains = drains;
	STEPPED(1, tree_give_bits(t, group, 1, 1));
	step_meeting.passed = NULL;
	step_meeting.drains = false;
}

/*
 * The first of @n areas that are free is at home here, and so not merged when it is whole: which is
 * news to all above it, of a larger block the more of them are beside it.
 */
static void complete_at_home(unsigned n, bool drains)
{
	void *area[NODE_FANOUT];

	if (!script_take_node(area))
		return;
	script_give_quietly(area[0], AREA_ORDER);
	script_give_quietly(script_take_quietly(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	script_give_node(area, 1, n);
	if (!step_failed())
		complete(area[0], drains);
	script_give_node(area, n, NODE_FANOUT);
	script_unfill();
}

void script_told_twice(void)
{
	for (unsigned n = 1; n <= NODE_FANOUT; n *= 2)
		complete_at_home(n, false);
}

void script_home_left(void)
{
	complete_at_home(1, true);
}

/* A group comes back while its area's entry is being settled; the one beside it is taken. */
void script_back_meanwhile(void)
{
	void *area[NODE_FANOUT], *group[2];

	if (!script_take_node(area))
		return;
	script_give_quietly(area[0], AREA_ORDER);
	for (unsigned i = 0; i < 2; i++)
		group[i] = script_take_quietly(GFP_ATOMIC, GROUP_ORDER);
	step_meeting.back = group[0];
	if (group[0] && !step_failed()) {
		struct tree *t = &zone_of(page_to_frame(group[0]).n)->tree;
		uint32_t c = (page_to_frame(group[0]).n - t->base) >> AREA_ORDER;

		STEPPED(64, tree_settle(t, 2, c, false));
	}
	group[0] = step_meeting.back;
	step_meeting.back = NULL;
	for (unsigned i = 0; i < 2; i++)
		script_give_quietly(group[i], GROUP_ORDER);
	script_give_node(area, 1, NODE_FANOUT);
	script_unfill();
}
