/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does in a world of which the most part sleeps: it wakes memory. */
#include <labyrinth/damage.h>

#include "../../mm/mm_state.h"
#include "../../mm/slow.h"
#include "scripts.h"

static owner_t me(void) { return step_owner[STEP_THREAD]; }

/* Take all that is awake but for @spare frames: pages, since a block might have to wake more. */
static void take_what_is_awake(unsigned spare)
{
	struct zone_stats s;

	zone_stats(ZONE_DMA32, &s);
	for (uint64_t n = s.free - s.asleep; n > spare && script_held < SCRIPT_LOG - 16; n--)
		if (!script_log_held(script_take_quietly(GFP_ATOMIC, 0), 0, me()))
			return;
}

static void keep(void *page, unsigned order)
{
	script_log_held(page, order, me());
}

void script_wake(void)
{
	for (unsigned o = 0; o <= 6; o += 3) {
		take_what_is_awake(0);
		keep(script_take(GFP_ATOMIC, o), o);
	}
	keep(script_take(GFP_ATOMIC, 9), 9);
	void *larger = script_take(GFP_ATOMIC, 10);
	script_give(larger, 10);
	script_unfill();
}

void script_wake_page_by_page(void)
{
	for (unsigned i = 0; i < 8; i++) {
		take_what_is_awake(i);
		keep(script_take(i & 1 ? GFP_NOWAIT : GFP_ATOMIC, 0), 0);
	}
	script_give(script_take(GFP_ATOMIC, 5), 5);
	/* Not all of them at a caller's mercy: what is left of an area goes into the tree. */
	script_give(script_take(GFP_ATOMIC, 12), 12);
	script_unfill();
}

/* More than visitors leave awake. */
void script_wake_for_batches(void)
{
	for (unsigned i = 0; i < 4; i++) {
		take_what_is_awake(0);
		script_batch(GFP_ATOMIC, SCRIPT_BATCH);
	}
	script_unfill();
}

/* One request each that has to wake, while a visitor does the same. */
static void wake_once(unsigned order, bool fold)
{
	take_what_is_awake(0);
	if (fold)
		script_near_fold(ZONE_DMA32, false);
	step_meeting.sleeping = true;
	keep(script_take(GFP_ATOMIC, order), order);
	step_meeting.sleeping = false;
}

void script_wake_pages(void)
{
	wake_once(0, true);
	wake_once(0, false);
	script_unfill();
}

void script_wake_groups(void)
{
	wake_once(3, false);
	wake_once(6, false);
	script_unfill();
}

void script_wake_folds(void)
{
	struct zone_stats s;

	script_fold_at_once(true);
	for (unsigned i = 0; i < 3; i++) {
		wake_once(0, false);
		/* In the tree is what it did not take; of other groups there a part sleeps. */
		page_drain();
		STEPPED(0, zone_stats(ZONE_DMA32, &s));
	}
	script_unfill();
	script_fold_at_once(false);
}

void script_wake_areas(void)
{
	wake_once(9, false);
	wake_once(10, false);
	script_unfill();
}

/* The first frame that sleeps, or FRAME_NONE. */
static frame_t first_asleep(void)
{
	const struct zone *z = &mm.zone[ZONE_DMA32];

	for (uint32_t rel = 0; rel < z->tree.nframes; rel++)
		if (zone_sleeping(z, rel, rel + 1))
			return (frame_t){ z->tree.base + rel };
	return FRAME_NONE;
}

/* One of the last area, which is whole, but so many areas down. */
static frame_t areas_before_the_last(uint32_t areas)
{
	void *last = book_asleep();

	return last ? (frame_t){ page_to_frame(last).n - (areas << AREA_ORDER) } : FRAME_NONE;
}

static void ask_about(frame_t f)
{
	struct page_info info;
	enum page_error e = PAGE_OK;
	bool pardoned = false;

	STEPPED(0, page_query(f, &info));
	STEPPED(0, pardoned = page_pardon(f));
	STEPPED(0, e = freepage(frame_to_page(f), me()));
	if (e == PAGE_OK || pardoned)
		step_violation("I5", "a page that sleeps was freed");
}

/* The rest of an area wakes, while a block of what is awake there is given back. */
static void wake_beside(void)
{
	void *block = script_take_quietly(GFP_ATOMIC, 3);

	if (!block || step_failed())
		return;
	book_give(block, 3, me());
	step_meeting.victim = block;
	step_meeting.order = 3;
	step_meeting.lost = 0;
	wake_once(9, false);
	step_meeting.victim = NULL;
	if (!step_meeting.lost && freepages(block, 3, me()) != PAGE_OK)
		step_violation("I5", "a block that nobody has given back is not to be given back");
}

/* Of what sleeps the last: who comes while it wakes finds nothing, although it is not there yet. */
void script_wake_last(void)
{
	struct zone_stats s;
	frame_t f;

	for (unsigned i = 0; i < 64; i++) {
		zone_stats(ZONE_DMA32, &s);
		if (s.asleep <= 1u << AREA_ORDER)
			break;
		take_what_is_awake(0);
		keep(script_take_quietly(GFP_ATOMIC, 9), 9);
	}
	wake_once(0, false);
	f = first_asleep();
	if (!frame_is_none(f))
		ask_about(f);
	for (unsigned i = 0; i < 2; i++)
		wake_once(6, false);
	take_what_is_awake(0);
	wake_beside();
	script_unfill();
}

/* Part of an area sleeps: what is told about it, and about pages beyond. */
void script_half_asleep(void)
{
	struct zone_stats zone;
	frame_t f;

	wake_once(0, false);
	STEPPED(0, zone_stats(ZONE_DMA32, &zone));
	f = first_asleep();
	if (!frame_is_none(f))
		ask_about(f);
	/* A hole of an area that sleeps, and what lies behind all memory. */
	ask_about(areas_before_the_last(21));
	ask_about((frame_t){ mm.end + 5 });
	script_unfill();
}

static void report(frame_t f)
{
	if (frame_is_none(f))
		return;
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	STEPPED(1, page_damaged(f));
}

/* Pages are reported before they wake: who wakes them looks for them. */
void script_wake_damaged(void)
{
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	report(first_asleep());
	wake_once(0, false);
	report(first_asleep());
	report(areas_before_the_last(5));
	wake_once(9, false);
	script_unfill();
}

/* More reports than there is room for; each is taken back behind the run. */
void script_too_many_damaged(void)
{
	frame_t f = areas_before_the_last(0);
	enum damage d = DAMAGE_COUNT;

	if (frame_is_none(f))
		return;
	book_pooled += DAMAGED_MAX + 16;
	step_meeting.damaged_from = f;
	for (unsigned i = 0; i < DAMAGED_MAX; i++)
		page_damaged((frame_t){ f.n + i });
	STEPPED(0, d = page_damaged((frame_t){ f.n + DAMAGED_MAX }));
	/* The zone may end there: what the firmware keeps is RESERVED. */
	if (d != DAMAGE_TOO_MANY && d != DAMAGE_QUARANTINED && d != DAMAGE_HELD &&
	    d != DAMAGE_RESERVED)
		step_violation("I1", "one damaged page too many is %s", damage_name(d));
	STEPPED(0, page_damaged_retry());
}

/* A long way: of each group that is awake its frames. */
void script_audit_asleep(void)
{
	wake_once(0, false);
	STEPPED(0, mm_audit(NULL));
	script_unfill();
}

/* --- the last area, with all before it awake and taken */

static uint64_t asleep(void)
{
	struct zone_stats s;

	zone_stats(ZONE_DMA32, &s);
	return s.asleep;
}

/* What is awake, in blocks; past zone_take(), which would wake more. */
static bool take_awake(unsigned order)
{
	struct zone *z = &mm.zone[ZONE_DMA32];
	uint32_t first;
	void *page;

	if (script_held >= SCRIPT_LOG - 16 || !tree_take(&z->tree, order, &first))
		return false;
	zone_count(z, -((int64_t)1 << order));
	page = slow_hand_out(z->tree.base + first, order, me(), GFP_ATOMIC, 0);
	book_take(page, order, me(), GFP_ATOMIC);
	return script_log_held(page, order, me());
}

static void take_all_awake(void)
{
	step_drain();
	for (unsigned o = AREA_ORDER + 1; o-- > 0;)
		while (!step_failed() && take_awake(o))
			;
}

/* Wake area after area until no more than so many frames sleep; all that is awake is taken. */
static void leave_asleep(uint64_t frames)
{
	take_all_awake();
	for (unsigned i = 0; i < 64 && asleep() > frames; i++) {
		keep(script_take_quietly(GFP_ATOMIC, AREA_ORDER), AREA_ORDER);
		take_all_awake();
	}
}

/* Nothing so large is to be had: what is woken for it in smaller blocks is left in the tree. */
void script_wake_larger(void)
{
	leave_asleep(5u << AREA_ORDER);
	script_unfill();
	script_give(script_take(GFP_ATOMIC, AREA_ORDER + 2), AREA_ORDER + 2);
}

/* The last area of a node: nothing of it is free but what sleeps. */
static void count_asleep(void)
{
	struct zone_stats s;

	keep(script_take_quietly(GFP_ATOMIC, 0), 0);
	STEPPED(0, zone_stats(ZONE_DMA32, &s));
}

/* Of the last area one wakes the one part, and another meanwhile the other. */
void script_wake_met(void)
{
	leave_asleep(3u << AREA_ORDER);
	count_asleep();
	leave_asleep(1u << AREA_ORDER);
	step_meeting.sleeping = true;
	step_meeting.waking = GROUP_ORDER;
	keep(script_take(GFP_ATOMIC, 0), 0);
	take_all_awake();
	keep(script_take(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	step_meeting.sleeping = false;
	step_meeting.waking = 0;
	script_unfill();
}

/*
 * Who wakes the first group of all was stopped before he said so: what others wake is beyond a gap,
 * and not for the caches.  And somebody begins to watch what is freed when it is too late to leave
 * the caches alone for that.  Who comes in only asks.
 */
void script_wake_beyond(void)
{
	atom64_t *awake = &mm.awake[mm.hot.first >> GROUP_ORDER >> 6];
	const uint64_t first = (uint64_t)1 << (mm.hot.first >> GROUP_ORDER) % 64;
	void *page = NULL;

	leave_asleep(3u << AREA_ORDER);
	step_meeting.still = true;
	atom_add(awake, -first);
	atom_store(&mm.hot.frames, 0);
	atom_add(&mm.watched, 1);
	step_begin(64);
	page = allocpage(GFP_ATOMIC, me());
	atom_add(&mm.watched, (uint64_t)-1);
	atom_add(awake, first);
	hot_grow();
	step_end();
	step_meeting.still = false;
	book_take(page, 0, me(), GFP_ATOMIC);
	keep(page, 0);
	script_unfill();
}

/* A page was reported that is in that part. */
void script_wake_part_damaged(void)
{
	leave_asleep(1u << AREA_ORDER);
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	keep(script_take_quietly(GFP_ATOMIC, 0), 0);
	report(first_asleep());
	take_all_awake();
	keep(script_take(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	script_unfill();
}
