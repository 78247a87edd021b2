/* SPDX-License-Identifier: MIT */
/*
 * What the interrupted thread does: calls that go a way of their own because something was arranged
 * just so.
 */
#include <labyrinth/damage.h>
#include <labyrinth/mm_sleep.h>

#include "../../mm/cache.h"
#include "../../mm/mm_state.h"
#include "../../mm/owner_count.h"
#include "../../mm/word.h"
#include "scripts.h"

static owner_t me(void)    { return step_owner[STEP_THREAD]; }
static owner_t other(void) { return step_owner[STEP_OTHER]; }

/* --- reports that go where they go when nobody has asked for them */

static void ignore(const char *line) { (void)line; }

void script_console(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	enum page_error e[2] = { PAGE_OK, PAGE_OK };

	mm_report_to(NULL);
	STEPPED(0, e[0] = freepage(NULL, me()));		/* a short line, and a long one */
	STEPPED(0, e[1] = freepage(page, other()));
	mm_report_to(ignore);
	if (e[0] != PAGE_NOT_RAM || e[1] != PAGE_WRONG_OWNER)
		step_violation("I5", "a wrong free, told on the console, was not refused");
	script_give_quietly(page, 0);
}

/* --- counts that fold with each change */

/* No CPU may be off by a frame: each change is folded where it is counted. */
void script_fold_at_once(bool yes)
{
	static int64_t was[ZONE_COUNT];

	for (unsigned i = 0; i < ZONE_COUNT; i++) {
		if (yes)
			was[i] = mm.zone[i].fold_at;
		mm.zone[i].fold_at = yes ? 0 : was[i];
	}
}

static void fold_for(gfp_t where)
{
	void *page = NULL, *block = NULL, *large = NULL;
	contract_t c = CONTRACT_NONE;

	step_drain();
	page = script_take(GFP_ATOMIC | where, 0);
	block = script_take(GFP_ATOMIC | where, 3);
	large = script_take(GFP_ATOMIC | where, 6);
	STEPPED(4, c = contract_declare(me(), where, 1, 2, NULL));
	STEPPED(4, contract_release(c));
	script_give(page, 0);
	script_give(block, 3);
	script_give(large, 6);
	STEPPED(0, page_drain());
}

/* Of two areas a part each is missing, so that neither is whole; @hold says which part. */
static void *hold[2];

static void two_areas_in_pieces(void)
{
	static const unsigned part[] = { 8, 7, 6, 6 };
	void *area[2], *piece[2][4];

	step_drain();
	for (unsigned i = 0; i < 2; i++)
		area[i] = script_take_quietly(GFP_ATOMIC, 9);
	script_fill(GFP_ATOMIC, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		script_give_quietly(area[i], 9);
		for (unsigned k = 0; k < 4; k++)
			piece[i][k] = script_take_quietly(GFP_ATOMIC, part[k]);
		hold[i] = piece[i][3];
	}
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 3; k++)
			script_give_quietly(piece[i][k], part[k]);
}

static void whole_again(void)
{
	for (unsigned i = 0; i < 2; i++)
		script_give_quietly(hold[i], 6);
	script_unfill();
}

/*
 * Enough is free, but not in one piece: nothing is found; and while others give up likewise it is
 * looked for again, but not for ever.
 */
static void look_for(unsigned order, size_t n, bool giving_up, bool owing)
{
	struct contract_answer answer;
	contract_t c = CONTRACT_NONE;

	step_meeting.giving_up = giving_up;
	step_meeting.owing = owing;
	STEPPED(512, c = contract_declare(me(), 0, order, n, &answer));
	step_meeting.giving_up = step_meeting.owing = false;
	contract_release(c);
}

void script_folds(void)
{
	static const gfp_t where[] = { 0, GFP_DMA32, GFP_DMA };
	contract_t c = CONTRACT_NONE;

	script_fold_at_once(true);
	for (unsigned i = 0; i < 3; i++)
		fold_for(where[i]);
	/* What was found goes back. */
	two_areas_in_pieces();
	STEPPED(512, c = contract_declare(me(), 0, 8, 3, NULL));
	contract_release(c);
	whole_again();
	script_fold_at_once(false);
}

void script_in_pieces(void)
{
	two_areas_in_pieces();
	for (unsigned i = 0; i < 4; i++)
		look_for(9, 1, i & 2, i & 1);
	look_for(9, CONTRACT_BLOCKS_MAX, false, true);
	whole_again();
}

/* Two areas are found, and go back: of the others something is missing, as there are holes. */
void script_found_in_part(void)
{
	traveller_without_blocks();
	step_drain();
	mm_watch_frees(true);
	for (unsigned i = 0; i < 2; i++)
		look_for(9, 3, i, false);
	mm_watch_frees(false);
}

/* --- merges that others undo */

/* A block of @order is all there is, and is in pieces; who wants it as a whole merges it. */
static void merge_the_last(unsigned order)
{
	void *whole = script_take_quietly(GFP_ATOMIC, order);

	script_fill(GFP_ATOMIC, 0, 0);
	script_give_quietly(whole, order);
	if (whole && !step_failed())
		step_be_at_home(whole);
	script_give(script_take(GFP_ATOMIC, order), order);
	script_unfill();
}

void script_merges_undone(void)
{
	step_drain();
	merge_the_last(7);
	merge_the_last(6);
	merge_the_last(9);
}

/* --- sleepers */

static void may(unsigned order, owner_t owner)
{
	(void)order;
	(void)owner;
}

static const struct mm_sleeper sleeper = { .check = may, .alloc = mm_try, .freed = NULL };

/* An area, of zones that are too small or have none; and with a cache that might hold something. */
void script_sleepers_area(void)
{
	struct zone_walk walk;
	void *page[2] = { NULL, NULL };

	script_fill(GFP_ATOMIC, 0, 0);
	mm_set_sleeper(&sleeper);
	for (unsigned i = 0; i < 2; i++) {
		if (local_load(LOCAL_CURRENT) == CACHE_NOWHERE)
			local_store(LOCAL_CURRENT, 0);		/* empty, but not closed */
		STEPPED(512, page[i] = mm_try(GFP_KERNEL, i * 9, me(), &walk));
		if (page[i])
			freepages(page[i], i * 9, me());
	}
	mm_set_sleeper(NULL);
	script_unfill();
}

/* --- the last of everything */

/*
 * An area comes back, the only thing there is, and is taken: of the root, where it has its entry,
 * nothing is left.
 */
void script_last_area(void)
{
	const gfp_t gfp = GFP_ATOMIC | GFP_DMA;
	void *area;

	step_drain();
	area = script_take_quietly(gfp, 9);
	script_fill(gfp, 0, 0);
	script_log_held(script_take_quietly(gfp, 0), 0, me());	/* it is found out */
	script_give_quietly(area, 9);
	area = script_take(gfp, 9);
	script_give(area, 9);
	script_unfill();
}

/* In a node of eight areas that are all free and whole, and a home: promised as it is, and told. */
void script_whole_node(void)
{
	void *area;

	step_drain();
	for (unsigned i = 0; i < 7; i++)
		script_log_held(script_take_quietly(GFP_ATOMIC, 9), 9, me());
	script_give_quietly(script_take_quietly(GFP_ATOMIC, 9), 9);
	for (unsigned i = 0; i < 2; i++) {
		area = script_take(GFP_ATOMIC, 9);
		script_give(area, 9);
	}
	script_unfill();
}

/* At rest: this CPU has counted so much for an owner that the next area folds it. */
static void owner_near_fold(owner_t o)
{
	int64_t ahead = (int64_t)(local_load(LOCAL_NET + o.id * sizeof(uint64_t)) -
				  local_load(LOCAL_FOLDED + o.id * sizeof(uint64_t)));

	owner_fold(o, ahead - ((int64_t)4 << AREA_ORDER));
}

/* An area of the zone that goes first, with which its owner's count is folded. */
void script_area_folds(void)
{
	void *area;

	step_drain();
	owner_near_fold(me());
	area = script_take(GFP_ATOMIC, AREA_ORDER);
	script_give(area, AREA_ORDER);
}

/* So many areas that their owner's count is folded with the last; and a contract for one. */
void script_many_areas(void)
{
	contract_t c = CONTRACT_NONE;
	void *area[6];

	step_drain();
	for (unsigned i = 0; i < 6; i++)
		area[i] = script_take(GFP_ATOMIC, 9);
	for (unsigned i = 0; i < 6; i++)
		script_give(area[i], 9);
	STEPPED(1024, c = contract_declare(me(), 0, 9, 2, NULL));
	STEPPED(1024, contract_release(c));
}

/* A zone that is not for the caches goes first, down to its mark. */
void script_top_mark(void)
{
	struct zone *z = mm.top_zone;

	while (zone_free(z) > z->min + 2 && !step_failed())
		if (!script_log_held(script_take_quietly(GFP_ATOMIC, 0), 0, me()))
			break;
	for (unsigned i = 0; i < 4; i++)
		script_log_held(script_take(GFP_ATOMIC, 0), 0, me());
	script_unfill();
}

/* --- what a CPU has to tell that has just begun */

void script_newcomer(void)
{
	struct mm_event event[2];
	uint64_t was = local_load(LOCAL_EVENT);
	size_t n = 0;

	local_store(LOCAL_EVENT, 0);
	STEPPED(0, n = mm_events(event, 2));
	local_store(LOCAL_EVENT, was);
	if (n > 2)
		step_violation("I1", "%u events of two", (unsigned)n);
}

/* --- damage */

/* Frames of each zone for which there are no words, and of which none sleeps. */
void script_no_memory(void)
{
	static const uint32_t at[] = { 0, ZONE_DMA_END, ZONE_DMA32_END };
	enum damage d = DAMAGE_RESERVED;
	struct page_info info;

	for (unsigned i = 0; i < 3; i++) {
		if (mm_awake(at[i]))
			continue;
		STEPPED(0, d = page_damaged((frame_t){ at[i] }));
		STEPPED(0, page_query((frame_t){ at[i] }, &info));
		if (d != DAMAGE_RESERVED)
			step_violation("I1", "no memory that is damaged is %s", damage_name(d));
	}
}

/* Two are listed, and the second comes back first. */
void script_damaged_list(void)
{
	void *page[2];

	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	for (unsigned i = 0; i < 2; i++) {
		page[i] = script_take_quietly(GFP_ATOMIC, 0);
		step_meeting.damaged[step_meeting.ndamaged++] = page_to_frame(page[i]);
		page_damaged(page_to_frame(page[i]));
	}
	script_give(page[1], 0);
	script_give_quietly(page[0], 0);
}

/* A block is damaged, and given back. */
static void damaged_block(gfp_t where, unsigned order)
{
	unsigned char *block = script_take_quietly(GFP_ATOMIC | where, order);

	if (!block || step_failed())
		return;
	step_meeting.damaged[step_meeting.ndamaged++] = page_to_frame(block + PAGE_SIZE);
	page_damaged(page_to_frame(block + PAGE_SIZE));
	script_give(block, order);
}

/*
 * As who reported a page leaves it that meanwhile was freed, taken out, pardoned and allocated
 * again: marked, but not listed.
 */
static void marked_only(gfp_t where)
{
	void *page = script_take_quietly(GFP_ATOMIC | where, 0);

	if (!page || step_failed())
		return;
	atom64_t *word = word_at(page_to_frame(page).n);
	atom_poke(word, atom_load(word) | WORD_DAMAGED);
	script_give(page, 0);
}

void script_damaged_blocks(void)
{
	marked_only(GFP_DMA);
	marked_only(GFP_DMA32);
	marked_only(0);
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	damaged_block(GFP_DMA, 1);
	damaged_block(GFP_DMA32, 2);
	damaged_block(0, 9);
	damaged_block(0, 3);
}

/* The last page of all comes back, and is damaged. */
void script_damaged_last(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	frame_t f = page_to_frame(page);

	book_pooled += 16;
	script_fill(GFP_ATOMIC, 0, 0);
	script_give_quietly(page, 0);
	page_drain();
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	STEPPED(1, page_damaged(f));
	script_unfill();
}

/* --- pools */

#define EMPTY_AT 64u			/* the stack of empty slots: mm/pool.c */
#define TOP_MASK ((1u << 18) - 1)

/* As if so many travellers had been stopped between the two stacks that no slot is left. */
void script_pool_without_slots(void)
{
	struct pool *p = pool_create(me(), GFP_ATOMIC, 0, 8);
	atom64_t *empty = (atom64_t *)(void *)((unsigned char *)p + EMPTY_AT);
	unsigned n = 0;
	void *page;

	book_pooled += 24;
	if (!p)
		return;
	for (unsigned i = 0; i < 4; i++)
		if ((page = pool_take(p)))
			freepage(page, me());
	uint64_t top = atom_load(empty);
	atom_poke(empty, (top & ~(uint64_t)TOP_MASK) + TOP_MASK + 1);
	STEPPED(8, n = pool_refill(p));
	atom_poke(empty, top + 2 * ((uint64_t)TOP_MASK + 1));
	if (n != 0)
		step_violation("I3", "%u pages went into a pool without slots", n);
	pool_destroy(p);
}
