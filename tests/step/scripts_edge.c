/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does at an edge: counts about to be folded, zones near a mark. */
#include <labyrinth/damage.h>

#include "../../mm/mm_state.h"
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

void script_fold_damage(void)
{
	unsigned char *block = script_take_quietly(GFP_ATOMIC, 3);

	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	quarantine_and_pardon(0);
	quarantine_and_pardon(GFP_DMA);
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
	script_unfill();
}
