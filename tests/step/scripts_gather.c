/* SPDX-License-Identifier: MIT */
/*
 * What the interrupted thread does: blocks taken piece by piece, as by who has merged them several
 * times in vain (mm/gather.c); that others undo all merges is rare, so it is asked for by name.
 */
#include "../../mm/mm_state.h"
#include "../../mm/slow.h"
#include "scripts.h"

static owner_t me(void) { return step_owner[STEP_THREAD]; }

/* As zone_take() and who calls it: a run of 2^@log children of level @l from frame @f on. */
static void *gathered(uint32_t f, unsigned l, unsigned log)
{
	struct zone *z = zone_of(f);
	unsigned order = child_order(l) + log;

	if (!tree_gather(&z->tree, l, (f - z->tree.base) >> child_order(l), log))
		return NULL;
	zone_count(z, -((int64_t)1 << order));
	return slow_hand_out(f, order, me(), GFP_ATOMIC, 0);
}

static void gather(const void *at, unsigned l, unsigned log)
{
	unsigned order = child_order(l) + log;
	void *block = NULL;

	if (step_failed())
		return;
	STEPPED(1u << order, block = gathered(page_to_frame(at).n, l, log));
	book_take(block, order, me(), GFP_ATOMIC);
	script_give_quietly(block, order);
}

void *script_only_area(void)
{
	void *area;

	step_drain();
	area = script_take_quietly(GFP_ATOMIC, 9);
	if (!area)
		return NULL;		/* what visitors have begins in each of them */
	script_fill(GFP_ATOMIC, 0, 0);
	script_give_quietly(area, 9);
	return area;
}

static void groups(void)
{
	void *area = script_only_area(), *group[4];

	if (!area || step_failed())
		return;
	step_be_at_home(area);
	gather(area, 2, 0);
	/* The fourth is held, and the area's entry does not say so. */
	for (unsigned i = 0; i < 4; i++)
		group[i] = script_take_quietly(GFP_ATOMIC, 6);
	for (unsigned i = 0; i < 3; i++)
		script_give_quietly(group[i], 6);
	gather(area, 1, 2);
	gather(area, 2, 0);
	gather((unsigned char *)area + ((size_t)128 << PAGE_SHIFT), 1, 1);
	script_give_quietly(group[3], 6);
	script_unfill();
}

/* An area is merged while somebody opens another group of it. */
static void guests(void)
{
	unsigned char *area = script_only_area();
	void *group;

	if (!area || step_failed())
		return;
	group = script_take_quietly(GFP_ATOMIC, 6);
	script_give_quietly(group, 6);
	step_meeting.guest = area + ((size_t)5 << (GROUP_ORDER + PAGE_SHIFT));
	STEPPED(0, page_drain());
	step_meeting.guest = NULL;
	script_unfill();
}

/* At home in an area that has gone as a whole since: what is taken there is put back. */
static void home_gone(void)
{
	void *area = script_only_area();

	if (!area || step_failed())
		return;
	script_give_quietly(script_take_quietly(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	area = script_take_quietly(GFP_ATOMIC, AREA_ORDER);
	script_give(script_take(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	script_give_quietly(area, AREA_ORDER);
	script_unfill();
}

void script_gather(void)
{
	groups();
	guests();
	home_gone();
}

/* Area number @n from @first on is held, and none of those that are taken on the way there. */
static void *hold_area(unsigned char *first, unsigned n)
{
	unsigned char *wanted = first + ((size_t)n << (AREA_ORDER + PAGE_SHIFT)), *area = NULL;

	for (unsigned i = 0; i < 16 && area != wanted; i++) {
		area = script_take_quietly(GFP_ATOMIC, 9);
		if (area != wanted)
			script_log_held(area, 9, me());
	}
	script_unfill();
	return area == wanted ? area : NULL;
}

/* A child of level @l, whole, but of a block that is held. */
static void open_below(const void *block, unsigned l)
{
	struct tree *t = &zone_of(page_to_frame(block).n)->tree;
	bool open = false;

	STEPPED(0, open = tree_open(t, l, (page_to_frame(block).n - t->base) >> child_order(l)));
	if (open)
		step_violation("T7", "below what is held a child was opened");
}

/* A block of @order, of two areas or more: below it, and as far as one of its areas is held. */
static void areas(unsigned order, unsigned held, unsigned l, unsigned log)
{
	void *block, *area;

	step_drain();
	block = script_take_quietly(GFP_ATOMIC, order);
	if (!block || step_failed())
		return;
	gather(block, l - 1, 0);
	open_below(block, l - 1);
	script_give_quietly(block, order);
	area = hold_area(block, held);
	if (area)
		gather(block, l, log);
	script_give_quietly(area, 9);
}

void script_gather_wide(void)
{
	areas(10, 1, 2, 1);
	areas(11, 3, 2, 2);
	areas(12, 3, 3, 0);
}
