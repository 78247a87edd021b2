/* SPDX-License-Identifier: MIT */
/*
 * What the interrupted thread does where somebody was stopped half way: what he has left undone is
 * done by hand at rest, so that the thread meets it for certain.
 */
#include "../../mm/home.h"
#include "../../mm/mm_state.h"
#include "scripts.h"

/* The child's entry is another, and nobody is told. */
static void change(struct tree *t, unsigned l, uint32_t c, unsigned entry)
{
	atom64_t *word = &node_of_child(t, l, c)->word;
	const unsigned slot = c % NODE_FANOUT;
	uint64_t w = atom_load(word);

	while (!atom_cas(word, &w, node_change(w, slot, node_entry(w, slot), entry)))
		;
}

static struct tree *tree_around(const void *page, uint32_t *area)
{
	struct tree *t = &zone_of(page_to_frame(page).n)->tree;

	*area = (page_to_frame(page).n - t->base) >> AREA_ORDER;
	return t;
}

/* A group of the only area that is free, which is home then; in a crowd it may be another. */
static bool take_group(struct tree *t, uint32_t *group)
{
	uint32_t first;
	bool had = tree_take_group(t, &first);

	*group = had ? first >> GROUP_ORDER : 0;
	return had;
}

/*
 * The last group of the first of @n areas that are free has come back, at home, and its giver has
 * not told yet: who settles its area's entry does.  Or he goes on himself, and somebody leaves all
 * homes meanwhile, so that the area is merged, and with it its node.
 */
static void tell_of(struct tree *t, uint32_t group, bool giver)
{
	uint32_t area = group / NODE_FANOUT;

	tree_settle(t, 2, area, false);
	change(t, 1, group, ENTRY_FULL);
	step_meeting.drains = giver;
	if (giver)
		STEPPED(64, tree_given(t, 2, area, ENTRY_OPEN + AREA_ORDER, false));
	else
		STEPPED(64, tree_settle(t, 2, area, false));
	step_meeting.drains = false;
}

static void tell(unsigned n, bool giver)
{
	void *area[NODE_FANOUT];
	uint32_t first, group;

	if (!script_take_node(area))
		return;
	struct tree *t = tree_around(area[0], &first);
	script_give_quietly(area[0], AREA_ORDER);
	bool had = take_group(t, &group);
	script_give_node(area, 1, n);
	if (had)
		tell_of(t, group, giver);
	script_give_node(area, n, NODE_FANOUT);
	script_unfill();
}

void script_told_late(void)
{
	tell(NODE_FANOUT, true);
}

/* Two groups of an area have come back, and only one of them is promised. */
static void take_untold(void)
{
	void *block = script_only_area();
	uint32_t area, group, next, first = 0;

	if (!block || step_failed())
		return;
	struct tree *t = tree_around(block, &area);
	bool had = take_group(t, &group), both = take_group(t, &next) && had;
	if (!both || next != group + 1 || group % 2)
		step_violation("I4", "an area's first two groups are no pair");
	for (unsigned i = 2; i < NODE_FANOUT; i++)
		script_log_held(script_take_quietly(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER,
				step_owner[STEP_THREAD]);
	step_drain();
	tree_settle(t, 2, area, false);
	tree_give_group(t, group << GROUP_ORDER);
	change(t, 1, next, ENTRY_FULL);
	step_begin(64);
	if (tree_take(t, 3, &first))
		tree_give(t, first, 3);
	step_end();
	script_unfill();
}

/*
 * An area becomes whole, at home, as the one beside it is; but somebody else is settling a third,
 * so that it cannot be told without a mark.
 */
static void tell_beside(void)
{
	void *area[NODE_FANOUT];
	uint32_t marked, second, group;

	if (!script_take_node(area))
		return;
	struct tree *t = tree_around(area[0], &marked);
	script_give_quietly(area[2], AREA_ORDER);
	if (!take_group(t, &group))
		step_violation("I12", "an area has no group");
	tree_around(area[2], &second);
	tree_settle(t, 2, second, false);
	script_give_quietly(area[3], AREA_ORDER);
	script_give_quietly(area[0], AREA_ORDER);
	if (!tree_open(t, 2, marked))
		step_violation("T7", "an area that is free was not opened");
	change(t, 2, marked, ENTRY_DIRTY);
	step_begin(64);
	tree_give_group(t, group << GROUP_ORDER);
	tree_settle(t, 2, marked, true);
	step_end();
	script_give_quietly(area[1], AREA_ORDER);
	script_give_node(area, 4, NODE_FANOUT);
	script_unfill();
}

/* --- 16 MiB and more: there is not so much memory, so who comes in only asks */

/* @c is free, but somebody has all around it: who gathers it puts it back. */
static void gather_late(struct tree *t, uint32_t c)
{
	unsigned was = tree_entry(t, 4, c / NODE_FANOUT);
	bool had = false;

	change(t, 4, c / NODE_FANOUT, ENTRY_HELD);
	step_begin(0);
	had = tree_gather(t, 3, c, 0);
	change(t, 4, c / NODE_FANOUT, was);
	step_end();
	if (had)
		step_violation("T3", "what somebody holds was gathered");
}

/* As if another one were free before it: of four these two are gathered, and put back. */
static void gather_half(struct tree *t, uint32_t c)
{
	bool had = false;

	change(t, 3, c - 1, ENTRY_FULL);
	step_begin(0);
	had = tree_gather(t, 3, c - 1, 2);
	change(t, 3, c - 1, ENTRY_NONE);
	tree_settle(t, 4, c / NODE_FANOUT, false);
	step_end();
	if (had)
		step_violation("I2", "more was gathered than there is");
}

static void gather_in_vain(void)
{
	struct zone *z = &mm.zone[ZONE_DMA32];
	uint32_t c = z->range[0].first >> child_order(3);	/* the second child of its node */

	traveller_without_contract();
	traveller_without_blocks();
	step_drain();
	step_meeting.still = true;
	gather_late(&z->tree, c);
	gather_half(&z->tree, c);
	step_meeting.still = false;
	step_drain();
}

/* Who has woken the memory has not let the window grow yet; or another has. */
static void grow(void)
{
	uint64_t was = atom_load(&mm.hot.frames);

	step_drain();
	atom_store(&mm.hot.frames, 0);
	for (unsigned i = 0; i < 2; i++)
		STEPPED(0, hot_grow());
	if (atom_load(&mm.hot.frames) != was)
		step_violation("Z1", "the window does not reach as far as before");
}

void script_half_way(void)
{
	for (unsigned n = 4; n <= NODE_FANOUT; n *= 2)
		tell(n, false);
	tell_beside();
	take_untold();
	grow();
	gather_in_vain();
}
