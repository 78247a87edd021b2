/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does at an edge: counts about to be folded, zones near a mark. */
#include <labyrinth/damage.h>

#include "../../mm/mm_state.h"
#include "../../mm/retry.h"
#include "scripts.h"

static owner_t me(void) { return step_owner[STEP_THREAD]; }

/*
 * At rest: the CPU's count for a zone is as far from the folded one as it may be, so that the next
 * frame, or two, that comes (@up) or goes folds it.
 */
void script_near_fold(enum zone_id id, bool up)
{
	struct zone *z = &mm.zone[id];
	size_t off = LOCAL_DELTA + id * sizeof(uint64_t);
	int64_t x = (up ? z->fold_at : -z->fold_at) - (int64_t)local_load(off);

	local_add(off, (uint64_t)x);
	atom_add(&z->free, (uint64_t)-x);
}

static enum zone_id zone_of_page(const void *page)
{
	return zone_id_of(page_to_frame(page).n);
}

/* --- damage, page by page: into quarantine and out again, and freed */

static void quarantine_and_pardon(gfp_t where)
{
	unsigned char *page = script_take_quietly(GFP_ATOMIC | where, 0);
	frame_t f = page_to_frame(page);
	bool pardoned = false;

	if (!page)
		return;
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	script_give_quietly(page, 0);
	page_drain();
	script_near_fold(zone_of_page(page), false);
	STEPPED(1, page_damaged(f));
	script_near_fold(zone_of_page(page), true);
	STEPPED(1, pardoned = page_pardon(f));
	STEPPED(1, pardoned = page_pardon(f) && pardoned);
}

/* One frame of a group that is free as a whole. */
static void of_a_group(void)
{
	void *group = script_take_quietly(GFP_ATOMIC, 6);
	frame_t f = { page_to_frame(group).n + 5 };

	if (!group || step_failed())
		return;
	script_give_quietly(group, 6);
	page_drain();
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	STEPPED(64, page_damaged(f));
}

void script_fold_damage(void)
{
	unsigned char *block = script_take_quietly(GFP_ATOMIC, 3);

	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	quarantine_and_pardon(0);
	quarantine_and_pardon(GFP_DMA32);
	quarantine_and_pardon(GFP_DMA);
	of_a_group();
	if (!block)
		return;
	frame_t f = page_to_frame(block + 5 * PAGE_SIZE);
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	page_damaged(f);
	script_near_fold(zone_of_page(block), true);
	script_give(block, 3);
}

/* --- contracts */

/* Enough is free, but not in one piece: what was taken for it goes back, folding as it does. */
void script_fold_contract(void)
{
	struct contract_answer answer;
	void *piece[4], *between[4];
	contract_t c = CONTRACT_NONE;

	step_drain();
	for (unsigned i = 0; i < 4; i++) {
		piece[i] = script_take_quietly(GFP_ATOMIC | GFP_DMA, 6);
		between[i] = script_take_quietly(GFP_ATOMIC | GFP_DMA, 4);
	}
	script_fill(GFP_ATOMIC | GFP_DMA, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		script_give_quietly(piece[i], 6);
	for (unsigned i = 0; i < 4; i++)
		script_give_quietly(between[i], 4);
	script_near_fold(ZONE_DMA, true);
	STEPPED(512, c = contract_declare(me(), GFP_DMA, 6, 4, &answer));
	contract_release(c);
	script_give_quietly(piece[3], 6);
	script_unfill();
}

/* Nobody has a contract: what fails need not ask for one. */
void script_no_contract(void)
{
	traveller_without_contract();
	script_fill(GFP_ATOMIC, 0, 0);
	for (unsigned i = 0; i < 2; i++)
		script_give(script_take(GFP_NOWAIT, i * 2), i * 2);
	script_unfill();
}

/* --- marks */

/* So few are left above its mark that a zone counts exactly whether it has them. */
void script_near_the_mark(void)
{
	struct zone *z = mm.top_zone != mm.hot_zone ? mm.top_zone : mm.hot_zone;

	for (unsigned o = 9; o < 10; o -= 3)
		while (zone_free(z) > z->min + (1u << o) + (o > 3 ? (uint64_t)z->fold_at : 8))
			if (!script_log_held(script_take_quietly(GFP_ATOMIC, o), o, me()))
				break;
	for (unsigned i = 0; i < 4; i++)
		script_log_held(script_take(i & 1 ? GFP_NOWAIT : GFP_ATOMIC, 0), 0, me());
	/* And so few that it need not count. */
	while (zone_free(z) > 8)
		if (!script_log_held(script_take_quietly(GFP_ATOMIC, 0), 0, me()))
			break;
	script_log_held(script_take(GFP_ATOMIC, 0), 0, me());
	script_unfill();
}

/* --- debts */

/* What some earlier call has lost is still owed, when @call begins. */
#define OWING(flight, call)                                                   \
	do {                                                                  \
		retry_count(ZONE_DMA);                                        \
		STEPPED(flight, call);                                        \
	} while (0)

static void owe_for_contracts(void)
{
	struct contract_answer answer;
	contract_t c = CONTRACT_NONE;

	OWING(4, c = contract_declare(me(), 0, 1, 2, &answer));
	OWING(4, contract_release(c));
}

static void owe_for_blocks(unsigned order)
{
	struct zone_walk walk;
	void *page = NULL;
	enum page_error e = PAGE_OK;

	OWING(1u << order, page = allocpages_walk(GFP_ATOMIC, order, me(), &walk));
	if (!page)
		return;
	OWING(1u << order, e = page_transfer(page, order, me(), step_owner[STEP_OTHER]));
	OWING(1u << order, e = e ? e : freepages(page, order, step_owner[STEP_OTHER]));
	if (e != PAGE_OK)
		step_violation("I5", "a block of one who owes: %s", page_error_name(e));
}

void script_owed(void)
{
	void *page[40];
	size_t got = 0;

	step_meeting.owing = true;
	owe_for_contracts();
	owe_for_blocks(0);
	owe_for_blocks(4);
	page_drain();
	OWING(40, got = allocpages_bulk(GFP_NOWAIT, 40, page, me()));
	OWING(40, freepages_bulk(got, page, me()));
	script_fill(GFP_ATOMIC, 0, 0);
	OWING(0, page[0] = allocpages(GFP_ATOMIC, 2, me()));
	if (page[0])
		freepages(page[0], 2, me());
	script_unfill();
	OWING(0, page_drain());
	step_meeting.owing = false;
}

/* --- who is faster: at a contract's end, at a number */

void script_rivals(void)
{
	enum contract_error e = CONTRACT_OK;
	owner_t rival = OWNER_NONE, mine = OWNER_NONE;

	step_meeting.ending = contract_declare(me(), 0, 0, 2, NULL);
	step_meeting.lost = 0;
	STEPPED(2, e = contract_release(step_meeting.ending));
	step_meeting.ending = CONTRACT_NONE;
	if ((e == CONTRACT_OK) + step_meeting.lost != 1)
		step_violation("I3", "one contract was released %u times",
			       (e == CONTRACT_OK) + step_meeting.lost);
	step_meeting.newcomer = &rival;
	STEPPED(0, mine = owner_register(""));
	step_meeting.newcomer = NULL;
	if (rival.id && rival.id == mine.id)
		step_violation("I7", "two owners have one number");
	owner_unregister(mine);
	if (rival.id)
		owner_unregister(rival);
}

/* The page that is on its way back from a device is reported as damaged. */
void script_reclaim_damaged(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	enum page_error e = PAGE_OK;

	if (!page || page_lend(page, 0, me()) != PAGE_OK)
		return;
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	step_meeting.damaged[step_meeting.ndamaged++] = page_to_frame(page);
	step_meeting.hurt = true;
	STEPPED(1, e = page_reclaim(page, 0, me()));
	step_meeting.hurt = false;
	if (e != PAGE_OK)
		step_violation("I5", "reclaim of a damaged page: %s", page_error_name(e));
	script_give(page, 0);
}
