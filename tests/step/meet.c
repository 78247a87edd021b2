/* SPDX-License-Identifier: MIT */
/* What a script has arranged for who comes in: one deed, where he may meet the script's call. */
#include <labyrinth/damage.h>

#include "../../mm/home.h"
#include "../../mm/mm_state.h"
#include "traveller.h"

struct step_meeting step_meeting;

/* The interrupted call is giving this away: only one of us can, and only once. */
static void race(void)
{
	owner_t loser = step_owner[STEP_THREAD], heir = step_owner[STEP_HEIR];
	void *page = step_meeting.victim;
	unsigned order = step_meeting.order;
	enum page_error e;

	switch (below(3)) {
	case 0:
		e = order ? freepages(page, order, loser) : freepage(page, loser);
		step_meeting.lost += e == PAGE_OK;
		break;
	case 1:
		e = page_transfer(page, order, loser, heir);
		if (e != PAGE_OK)
			break;
		step_meeting.lost++;
		expect(freepages(page, order, heir), PAGE_OK, "free of what he had transferred");
		break;
	default:
		if (page_lend(page, order, loser) == PAGE_OK)
			expect(page_reclaim(page, order, loser), PAGE_OK, "reclaim of a victim");
		break;
	}
}

/* Into the tree with one, and then the last one out of the cache: there is one all the time. */
static void swap_last(void)
{
	owner_t owner = step_owner[STEP_VISITOR];

	book_give(step_meeting.spare, 0, owner);
	expect(freepage(step_meeting.spare, owner), PAGE_OK, "free of a spare page");
	step_meeting.spare = allocpage(GFP_ATOMIC, owner);
	book_take(step_meeting.spare, 0, owner, GFP_ATOMIC);
}

/* To other homes, and away from them: what is whole again there is left to who moves next. */
static void move_house(unsigned order)
{
	owner_t owner = step_owner[STEP_VISITOR];
	void *page[3];

	for (unsigned i = 0; i < 3; i++) {
		page[i] = allocpages(GFP_ATOMIC, order, owner);
		book_take(page[i], order, owner, GFP_ATOMIC);
	}
	for (unsigned i = 3; i-- > 0 && !step_failed();) {
		if (!page[i])
			continue;
		book_give(page[i], order, owner);
		expect(freepages(page[i], order, owner), PAGE_OK, "free at a home");
	}
}

/* Where all that is awake is taken, whoever asks wakes more. */
static void wake_some(void)
{
	owner_t owner = step_owner[STEP_VISITOR];
	unsigned order = step_meeting.waking ? step_meeting.waking
					     : below(3) ? 0 : below(2) ? 6 : 9;
	struct zone_walk walk;
	void *page = order == 0 && below(2) ? allocpage(GFP_ATOMIC, owner)
					    : allocpages_walk(GFP_ATOMIC, order, owner, &walk);

	book_take(page, order, owner, GFP_ATOMIC);
	if (!page || step_failed())
		return;
	book_give(page, order, owner);
	expect(freepages(page, order, owner), PAGE_OK, "free of what he woke");
}

/* What somebody is about to take a part of: it goes as a block. */
static void take_whole(unsigned order)
{
	void *page;

	traveller_make_room(order);
	page = allocpages(step_meeting.where, order, step_owner[STEP_VISITOR]);
	if (page)
		traveller_keep(page, order);
}

/* The word is another behind it, and the script's call as right as before. */
static void shake(void)
{
	owner_t owner = step_owner[STEP_THREAD], heir = step_owner[STEP_HEIR];
	void *page = step_meeting.shaken;
	unsigned order = step_meeting.order;

	if (step_meeting.shared) {
		step_meeting.shared += page_share(page, owner) == PAGE_OK;
		return;
	}
	if (page_transfer(page, order, owner, heir) == PAGE_OK)
		expect(page_transfer(page, order, heir, owner), PAGE_OK, "transfer back");
}

void step_be_at_home(const void *page)
{
	uint32_t f = page_to_frame(page).n;
	struct tree *t = &zone_of(f)->tree;

	f -= t->base;
	if (!tree_take_frame(t, f))
		return;
	home_move(t, 0, f >> GROUP_ORDER);
	tree_give_bits(t, f >> GROUP_ORDER, (uint64_t)1 << f % 64, 1);
}

/* He does what the interrupted call is about to do. */
static void be_faster(void)
{
	if (step_meeting.ending.v != CONTRACT_NONE.v)
		step_meeting.lost += contract_release(step_meeting.ending) == CONTRACT_OK;
	if (step_meeting.leaver.id)
		step_meeting.left |= owner_unregister(step_meeting.leaver) == 0;
	if (step_meeting.newcomer && !step_meeting.newcomer->id)
		*step_meeting.newcomer = owner_register("rival");
	if (step_meeting.guest)
		step_be_at_home(step_meeting.guest);
	if (step_meeting.hurt)
		page_damaged(step_meeting.damaged[0]);
}

/* What there is, but not in one piece: another gives it up. */
static void give_up(void)
{
	contract_release(contract_declare(step_owner[STEP_HEIR], 0, 9, 1, NULL));
}

/* Somebody has settled a child of the node, and found it as it was. */
static void pass_by(struct node *n)
{
	uint64_t w = atom_load(&n->word);

	atom_cas(&n->word, &w, w + NODE_VERSION);
}

static void give_group_back(void)
{
	void *group = step_meeting.back;

	step_meeting.back = NULL;
	book_give(group, GROUP_ORDER, step_owner[STEP_THREAD]);
	expect(freepages(group, GROUP_ORDER, step_owner[STEP_THREAD]), PAGE_OK, "free a group");
}

bool traveller_in_passing(void)
{
	if (step_meeting.passed)
		pass_by(step_meeting.passed);
	else if (step_meeting.drains)
		page_drain();
	else if (step_meeting.back)
		give_group_back();
	else
		return false;
	return true;
}

/* What the script has arranged for him.  Seldom where many come, so that the call gets on. */
void traveller_meet(void)
{
	if (step_meeting.giving_up)
		give_up();
	if (!step_only_visit() && below(8))
		return;
	if (step_meeting.victim)
		race();
	if (step_meeting.shaken)
		shake();
	if (step_meeting.spare)
		swap_last();
	if (step_meeting.homes)
		move_house(step_meeting.homes);
	if (step_meeting.sleeping)
		wake_some();
	if (step_meeting.whole)
		take_whole(step_meeting.whole);
	be_faster();
}
