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
	/* That nothing is left the root knows, without a sum over CPUs. */
	uint64_t free = zone_spent(z) ? 0 : zone_free(z), aside = atom_peek(&z->contracted);
	uint64_t size = (uint64_t)1 << order;

	if (free < size && free + aside >= size)
		return ZONE_RESERVED;
	return free == 0 ? ZONE_EXHAUSTED : free < size ? ZONE_TOO_FULL
	     : ZONE_FRAGMENTED;
}

/* Atomic requests below the watermark are counted. */
static inline void note_reserve(struct zone *z, uint64_t size, owner_t owner)
{
	if (zone_has(z, z->min))
		return;
	atom_add(&owner_reserve[owner.id], size);
	atom_add(&z->reserve, size);
}

/* The zone is large enough, and has something. */
static __attribute__((noinline)) enum zone_refusal take_from_zone(struct zone *z, gfp_t gfp,
								  unsigned order, owner_t owner,
								  uint32_t *frame)
{
	uint64_t size = (uint64_t)1 << order;

	if (!(gfp & GFP_ATOMIC) && !zone_has(z, z->min + size))
		return zone_free(z) < size ? refusal(z, order) : ZONE_BELOW_WATERMARK;
	if (!zone_take(z, order, frame))
		return refusal(z, order);
	if (gfp & GFP_ATOMIC)
		note_reserve(z, size, owner);
	return ZONE_SERVED;
}

/* What can be answered at once: a failing request costs little, however many zones. */
static inline enum zone_refusal try_zone(struct zone *z, gfp_t gfp, unsigned order, owner_t owner,
					 uint32_t *frame)
{
	uint64_t size = (uint64_t)1 << order;

	if (z->total < size)
		return z->total ? ZONE_TOO_SMALL : ZONE_EMPTY;
	if (zone_spent(z))
		return atom_peek(&z->contracted) >= size ? ZONE_RESERVED : ZONE_EXHAUSTED;
	return take_from_zone(z, gfp, order, owner, frame);
}

/* Zones from @top down, in line.  Return: did one serve? */
static inline __attribute__((always_inline)) bool walk_zones(enum zone_id top, gfp_t gfp,
							     unsigned order, owner_t owner,
							     struct zone_walk *walk,
							     uint32_t *frame)
{
	int i;

	for (i = ZONE_COUNT - 1; i > (int)top; i--)
		walk->zone[i] = ZONE_EXCLUDED;
	for (struct zone *z = &mm.zone[i]; i >= 0; i--, z--) {
		walk->zone[i] = try_zone(z, gfp, order, owner, frame);
		if (walk->zone[i] != ZONE_SERVED)
			continue;
		while (i-- > 0)
			walk->zone[i] = ZONE_NOT_TRIED;
		return true;
	}
	return false;
}

/* Single pages of no particular zone come by way of the cache. */
static inline __attribute__((always_inline)) bool take_cached(gfp_t gfp, uint32_t *frame)
{
	uint32_t first, bits;

	/* A spent zone's last frames, in the cache, come out when the walk drains it. */
	if (highest_zone(gfp) < zone_id(mm.hot_zone) || zone_spent(mm.hot_zone))
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

static void drain(void)
{
	cache_drain();
	tree_leave_homes();
}

/* In line: two calls less for who fails, or gets one of the last frames. */
static inline __attribute__((always_inline)) bool take_by_walk(gfp_t gfp, unsigned order,
							       owner_t owner,
							       struct zone_walk *walk,
							       uint32_t *frame)
{
	if (__builtin_expect(mm.failing, 0) && fail_now(gfp, walk))
		return false;
	const enum zone_id top = highest_zone(gfp);

	for (;;) {
		/*
		 * What this CPU holds back may be just what is missing.  That it held nothing
		 * must have been so before the walk and still be so: an interrupt can free into
		 * the tree behind the walk's back and take what was in the cache (I12).
		 */
		bool closed = cache_closed();

		if (walk_zones(top, gfp, order, owner, walk, frame))
			return true;
		if (closed && cache_closed())
			return false;
		drain();
	}
}

bool slow_take(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk, uint32_t *frame)
{
	return take_by_walk(gfp, order, owner, walk, frame);
}

static void *failed(unsigned order, owner_t owner, const struct zone_walk *walk)
{
	enum zone_refusal last = ZONE_EMPTY;

	/* The answer of the highest zone that has memory says it best. */
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		enum zone_refusal said = walk->zone[z];

		if (said != ZONE_EMPTY && said != ZONE_EXCLUDED)
			last = said;
		atom_add(&mm.zone[z].failures[said], 1);
	}
	atom_add(&owner_failures[owner.id][last], 1);
	retry_note(owner);
	event_note(MM_FAIL, order, (unsigned)last, owner, OWNER_NONE, FRAME_NONE);
	return NULL;
}

static __attribute__((cold, noinline)) void *bad_request(gfp_t gfp, unsigned order, owner_t owner,
					       struct zone_walk *walk)
{
	struct zone_walk unread;

	if (!walk)
		walk = &unread;
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

/* The story of a request that has one begins with what was free. */
static __attribute__((cold)) void start_walk(struct zone_walk *walk)
{
	*walk = (struct zone_walk){ .bad_flags = false };
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (mm.zone[z].total)
			walk->free[z] = zone_free(&mm.zone[z]) + zone_cached(&mm.zone[z]);
}

static inline __attribute__((always_inline)) void *hand_out(uint32_t f, unsigned order,
							    owner_t owner, gfp_t gfp,
							    uint64_t mark)
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

/* In line, too.  Return: NULL when nothing fits, and @walk says so. */
static inline __attribute__((always_inline)) void *attempt(gfp_t gfp, unsigned order,
							   owner_t owner,
							   struct zone_walk *walk)
{
	uint64_t mark = 0;
	uint32_t frame;

	if (!take_by_walk(gfp, order, owner, walk, &frame)) {
		mark = take_promised(gfp, order, owner, walk, &frame);
		if (!mark)
			return NULL;
	}
	return slow_hand_out(frame, order, owner, gfp, mark);
}

void *mm_try(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	return attempt(gfp & ~(gfp_t)GFP_ZERO, order, owner, walk);
}

/* What take_plain() could not serve, with every question asked. */
static __attribute__((noinline)) void *alloc_with_care(gfp_t gfp, unsigned order, owner_t owner,
						       struct zone_walk *walk)
{
	struct zone_walk unread;
	void *page;

	if (!walk)
		walk = &unread;
	page = gfp & GFP_KERNEL && mm_sleeper ? mm_sleeper->alloc(gfp, order, owner, walk)
	     : attempt(gfp, order, owner, walk);
	return page ? page : failed(order, owner, walk);
}

/* The highest zone that has something, or NULL. */
static inline struct zone *zone_not_spent(void)
{
	for (unsigned i = ZONE_COUNT; i-- > 0;) {
		struct zone *z = &mm.zone[i];

		if (z->total && !zone_spent(z))
			return z;
	}
	return NULL;
}

/*
 * The same for an atomic page without a walk: what its kind answers is not asked, and no
 * refusal written down as long as the highest zone that has something gives it.
 */
static __attribute__((noinline)) void *atomic_page_with_care(owner_t owner)
{
	struct zone *z = zone_not_spent();
	struct zone_walk walk;
	uint32_t frame;

	if (z && !mm.failing && zone_take_frame(z, &frame)) {
		note_reserve(z, 1, owner);
		return hand_out(frame, 0, owner, GFP_ATOMIC, 0);
	}
	void *page = attempt(GFP_ATOMIC, 0, owner, &walk);
	return page ? page : failed(0, owner, &walk);
}

static __attribute__((noinline)) void *atomic_page(owner_t owner)
{
	uint32_t frame;

	if (take_cached(GFP_ATOMIC, &frame))
		return hand_out(frame, 0, owner, GFP_ATOMIC, 0);
	return atomic_page_with_care(owner);
}

void *slow_alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	uint32_t frame;

	slow_may_sleep(gfp, order, owner);
	if (walk)
		start_walk(walk);
	if (!good_request(gfp, order) || !owner_live(owner))
		return bad_request(gfp, order, owner, walk);
	/* Who wants the story gets a walk from the start. */
	if (!walk && take_plain(gfp, order, &frame))
		return slow_hand_out(frame, order, owner, gfp, 0);
	return alloc_with_care(gfp, order, owner, walk);
}

void *slow_allocpage(gfp_t gfp, owner_t owner)
{
	if (gfp != GFP_ATOMIC || !owner_live(owner))
		return slow_alloc(gfp, 0, owner, NULL);
	return zone_spent(mm.hot_zone) ? atomic_page_with_care(owner) : atomic_page(owner);
}

void *slow_hand_out(uint32_t f, unsigned order, owner_t owner, gfp_t gfp, uint64_t mark)
{
	return hand_out(f, order, owner, gfp, mark);
}

void slow_not_free(uint32_t f, uint64_t w)
{
	panic("frame 0x%x was to be handed out, but its word says %s, order %u, owner %s", f,
	      page_state_name(word_state(w)), word_order(w), owner_name(word_owner(w)));
}

void page_drain(void)
{
	drain();
	retry_note(OWNER_KERNEL);
}
