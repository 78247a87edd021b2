/* SPDX-License-Identifier: MIT */
/*
 * The whole of an allocation: check the request, walk the zones from the
 * highest allowed down, say why each refused.
 */
#include <labyrinth/string.h>

#include <labyrinth/panic.h>

#include "block.h"
#include "cache.h"
#include "contract.h"
#include "event.h"
#include "owner_count.h"
#include "report.h"
#include "slow.h"
#include "word.h"

static bool one_bit(gfp_t g) { return g && !(g & (g - 1)); }

static bool good_request(gfp_t gfp, unsigned order)
{
	return one_bit(gfp & GFP_BEHAVIOUR) && (gfp & GFP_WHERE) != GFP_WHERE &&
	       !(gfp & ~GFP_ALL) && order <= ORDER_MAX;
}

static enum zone_refusal refusal(const struct zone *z, unsigned order)
{
	uint64_t free = zone_free(z), aside = atom_peek(&z->contracted);
	uint64_t size = (uint64_t)1 << order;

	if (free < size && free + aside >= size)
		return ZONE_RESERVED;
	return free == 0 ? ZONE_EXHAUSTED : free < size ? ZONE_TOO_FULL
	     : ZONE_FRAGMENTED;
}

static enum zone_refusal try_zone(enum zone_id id, gfp_t gfp, unsigned order, owner_t owner,
				  uint32_t *frame)
{
	struct zone *z = &mm.zone[id];
	uint64_t size = (uint64_t)1 << order;

	if (z->total == 0)
		return ZONE_EMPTY;
	if (z->total < size)
		return ZONE_TOO_SMALL;

	if (!(gfp & GFP_ATOMIC) && !zone_has(z, z->min + size))
		return zone_free(z) < size ? refusal(z, order) : ZONE_BELOW_WATERMARK;
	if (!zone_take(z, order, frame))
		return refusal(z, order);
	if (gfp & GFP_ATOMIC && !zone_has(z, z->min)) {
		atom_add(&owner_reserve[owner.id], size);
		atom_add(&z->reserve, size);
	}
	return ZONE_SERVED;
}

static bool walk_zones(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk,
		       uint32_t *frame)
{
	for (unsigned z = ZONE_COUNT; z-- > 0;)
		walk->zone[z] = z > highest_zone(gfp) ? ZONE_EXCLUDED : ZONE_NOT_TRIED;
	for (unsigned z = highest_zone(gfp) + 1u; z-- > 0;) {
		walk->zone[z] = try_zone((enum zone_id)z, gfp, order, owner, frame);
		if (walk->zone[z] == ZONE_SERVED)
			return true;
	}
	return false;
}

/* Single pages of no particular zone come by way of the cache. */
static bool take_cached(gfp_t gfp, uint32_t *frame)
{
	uint32_t first, bits;

	if (highest_zone(gfp) < zone_id(mm.hot_zone))
		return false;
	/* A small zone above the hot one goes first, page by page. */
	if (mm.top_zone != mm.hot_zone && !(gfp & GFP_WHERE) &&
	    zone_has(mm.top_zone, mm.top_zone->min + 1))
		return false;
	if (!cache_take_from(LOCAL_CURRENT, frame)) {
		bits = cache_take_second(&first);
		if (!bits)
			bits = cache_refill(&first);
		if (!bits)
			return false;
		*frame = first + (uint32_t)__builtin_ctz(bits);
		cache_install(first, bits & (bits - 1));
	}
	*frame += mm.hot.first;
	return true;
}

/*
 * A block with no story to tell and memory in plenty: what nearly every request
 * of a higher order is.
 */
static bool take_plain(gfp_t gfp, unsigned order, uint32_t *frame)
{
	struct zone *z = mm.hot_zone;

	if (order == 0)
		return take_cached(gfp, frame);
	return highest_zone(gfp) >= zone_id(z) && mm.top_zone == z &&
	       zone_has(z, z->min + ((uint64_t)1 << order)) && zone_take(z, order, frame);
}

bool slow_take(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk, uint32_t *frame)
{
	if (__builtin_expect(mm.failing, 0) && fail_now(gfp, walk))
		return false;
	for (;;) {
		/*
		 * What this CPU holds back may be just what is missing.  That it held nothing
		 * must have been so before the walk and still be so: an interrupt can free into
		 * the tree behind the walk's back and take what was in the cache (I12).
		 */
		bool closed = cache_closed();

		if (walk_zones(gfp, order, owner, walk, frame))
			return true;
		if (closed && cache_closed())
			return false;
		page_drain();
	}
}

static void *failed(gfp_t gfp, unsigned order, owner_t owner, const struct zone_walk *walk)
{
	enum zone_refusal last = ZONE_EMPTY;

	/* The answer of the highest zone that has memory says it best. */
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		if (z <= highest_zone(gfp) && walk->zone[z] != ZONE_EMPTY)
			last = walk->zone[z];
		atom_add(&mm.zone[z].failures[walk->zone[z]], 1);
	}
	atom_add(&owner_failures[owner.id][last], 1);
	event_note(MM_FAIL, order, (unsigned)last, owner, OWNER_NONE, FRAME_NONE);
	return NULL;
}

static void *bad_request(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	walk->bad_flags = !good_request(gfp, order);
	walk->bad_owner = !owner_live(owner);
	report_refusal("allocation of order %u with gfp 0x%x for %s: %s", order, gfp,
		owner_name(owner), walk->bad_flags
		? "flags must be one behaviour and at most one zone, order at most 18"
		: "register the owner first");
	event_note(MM_REFUSED, order, PAGE_BAD_OWNER, owner, OWNER_NONE, FRAME_NONE);
	return NULL;
}

/* What no zone will give, a contract may have promised. */
static uint64_t take_promised(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk,
			      uint32_t *frame)
{
	uint64_t mark = 0;

	/* Pairs with the addition in contract_declare(), which comes before ctl says LIVE. */
	if (atom_load(&contract_count) != 0)
		mark = contract_take(highest_zone(gfp), order, owner, frame);
	if (mark)
		walk->zone[zone_id_of(*frame)] = ZONE_SERVED;
	return mark;
}

/* What take_plain() could not serve, with every question asked. */
static __attribute__((noinline)) void *alloc_with_care(gfp_t gfp, unsigned order, owner_t owner,
						       struct zone_walk *walk)
{
	uint64_t mark = 0;
	uint32_t frame;

	if (!good_request(gfp, order) || !owner_live(owner))
		return bad_request(gfp, order, owner, walk);
	if (!slow_take(gfp, order, owner, walk, &frame)) {
		mark = take_promised(gfp, order, owner, walk, &frame);
		if (!mark)
			return failed(gfp, order, owner, walk);
	}
	return slow_hand_out(frame, order, owner, gfp, mark);
}

void *slow_alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	struct zone_walk unread;
	uint32_t frame;

	/* Who wants the story gets a walk from the start. */
	if (!walk && good_request(gfp, order) && owner_live(owner) &&
	    take_plain(gfp, order, &frame))
		return slow_hand_out(frame, order, owner, gfp, 0);
	if (!walk)
		return alloc_with_care(gfp, order, owner, &unread);
	*walk = (struct zone_walk){ .bad_flags = false };
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (mm.zone[z].total)
			walk->free[z] = zone_free(&mm.zone[z]) + zone_cached(&mm.zone[z]);
	return alloc_with_care(gfp, order, owner, walk);
}

void *slow_allocpage(gfp_t gfp, owner_t owner)
{
	return slow_alloc(gfp, 0, owner, NULL);
}

void *slow_hand_out(uint32_t f, unsigned order, owner_t owner, gfp_t gfp, uint64_t mark)
{
	uint64_t w = atom_peek(word_at(f));	/* relaxed: ours alone (W1) */
	void *page = frame_to_page((frame_t){ f });

	if (!word_is_free(w))
		slow_not_free(f, w);
	if (gfp & GFP_ZERO)
		memset(page, 0, PAGE_SIZE << order);
	/* Pairs with whoever reads the owner: he sees the zeroes too. */
	atom_store(word_at(f), w | mark | word_held(gfp & GFP_EXCL ? PAGE_EXCLUSIVE : PAGE_HELD,
						     order, owner));
	owner_count(owner, (int64_t)1 << order);
	owner_note(owner, order);
	if (order)
		event_note(MM_ALLOC, order, 0, owner, OWNER_NONE, (frame_t){ f });
	return page;
}

void slow_not_free(uint32_t f, uint64_t w)
{
	panic("frame 0x%x was to be handed out, but its word says %s, order %u, owner %s", f,
	      page_state_name(word_state(w)), word_order(w), owner_name(word_owner(w)));
}

void page_drain(void)
{
	cache_drain();
	tree_leave_homes();
}
