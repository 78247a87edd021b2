/* SPDX-License-Identifier: MIT */
/*
 * The hot path: one page out, one page back.
 *
 * Out: a bit leaves this CPU's cache, then the frame's word goes from FREE to
 * HELD by a plain store, because nobody else may touch it (W1).  Back: the word
 * goes from HELD to FREE by the one locked compare-and-swap that refuses a
 * racing double free, then the bit enters the cache.  Everything else is out of
 * line.
 *
 * Each CAS here pairs with a racing free or transfer of the same block, each
 * store of a word with whoever reads the owner.  What is peeked at is the
 * taker's alone (W1), or decided by the CAS behind; hot.frames because who was
 * handed a page there has met its waking.
 */
#include <labyrinth/page.h>

#include "block.h"
#include "cache.h"
#include "event.h"
#include "owner_count.h"
#include "slow.h"
#include "word.h"

#define unlikely(e) __builtin_expect(!!(e), 0)

void *frame_to_page(frame_t f)
{
	return directmap_of(frame_to_phys(f));
}

frame_t page_to_frame(const void *page)
{
	return directmap_contains(page) ? phys_to_frame(directmap_phys(page)) : FRAME_NONE;
}

/*
 * The other behaviour of no further consequence, on its own: asked together with the first,
 * gcc makes one dearer question of both.  GFP_KERNEL is asked first whether it may sleep.
 */
static inline bool plain_too(gfp_t gfp)
{
	__asm__("" : "+r"(gfp));
	return gfp == GFP_NOWAIT;
}

void *allocpage(gfp_t gfp, owner_t owner)
{
	uint32_t f;

	if ((unlikely(gfp != GFP_ATOMIC) && !plain_too(gfp)) ||
	    unlikely(!owner_live(owner)) || unlikely(!cache_take_from(LOCAL_CURRENT, &f)))
		return slow_allocpage(gfp, owner);

	uint64_t w = atom_peek(&mm.hot.words[f]);
	if (unlikely(!word_is_free(w)))
		slow_not_free(f + mm.hot.first, w);
	/* Release: whoever reads the owner also sees what was done to the frame before. */
	atom_store(&mm.hot.words[f], w | word_held(PAGE_HELD, 0, owner));
	owner_count(owner, 1);
	return mm.hot.base + ((size_t)f << PAGE_SHIFT);
}

enum page_error freepage(void *page, owner_t owner)
{
	uint64_t f = hot_number(page);

	if (unlikely(!atom_exceeds(&mm.hot.frames, f)))
		return slow_free(page, 0, owner);

	uint64_t w = atom_peek(&mm.hot.words[f]);
	if (unlikely(!word_is(w, word_held(PAGE_HELD, 0, owner))) ||
	    unlikely(!atom_cas(&mm.hot.words[f], &w, word_freed(w))))
		return slow_free(page, 0, owner);
	owner_count(owner, -1);
	if (unlikely(!cache_put_into(LOCAL_CURRENT, (uint32_t)f)))
		cache_put_elsewhere((uint32_t)f, owner);
	return PAGE_OK;
}

/* --- blocks: up to order 5 they are runs of bits in the same caches */

#define CACHED_ORDERS 5u

static inline __attribute__((always_inline)) void *hand_out(uint32_t f, unsigned order,
							    owner_t owner)
{
	uint64_t w = atom_peek(word_at(f));

	if (unlikely(!word_is_free(w)))
		slow_not_free(f, w);
	atom_store(word_at(f), w | word_held(PAGE_HELD, order, owner));
	owner_count(owner, (int64_t)1 << order);
	return frame_to_page((frame_t){ f });
}

static inline bool plain(gfp_t gfp, owner_t owner)
{
	return (gfp == GFP_ATOMIC || gfp == GFP_NOWAIT) && owner_live(owner);
}

/* Of a block that the caches have no run for. */
static INLINE void *alloc_from_tree(gfp_t gfp, unsigned order, owner_t owner)
{
	struct zone *z = mm.top_zone;
	uint32_t f;

	if (unlikely(!plain(gfp, owner)) || unlikely(order > ORDER_MAX) ||
	    unlikely(!zone_has(z, z->min + ((uint64_t)1 << order))) ||
	    unlikely(!zone_take_plain(z, order, &f)))
		return slow_alloc(gfp, order, owner, NULL);
	event_note(MM_ALLOC, order, 0, owner, OWNER_NONE, (frame_t){ f });
	owner_note(owner, order);
	return hand_out(f, order, owner);
}

/* 2 MiB, what large mappings are made of: with all that depends on the order known. */
static __attribute__((noinline)) void *alloc_area(gfp_t gfp, owner_t owner)
{
	return alloc_from_tree(gfp, AREA_ORDER, owner);
}

/* A group, for what needs some hundred KiB: likewise. */
static __attribute__((noinline)) void *alloc_group(gfp_t gfp, owner_t owner)
{
	return alloc_from_tree(gfp, GROUP_ORDER, owner);
}

static __attribute__((noinline)) void *alloc_any(gfp_t gfp, unsigned order, owner_t owner)
{
	return alloc_from_tree(gfp, order, owner);
}

static __attribute__((noinline)) void *alloc_run(gfp_t gfp, unsigned order, owner_t owner)
{
	uint32_t f;

	if (unlikely(!plain(gfp, owner)))
		return slow_alloc(gfp, order, owner, NULL);
	if (cache_take_run(LOCAL_SECOND, order, &f) || cache_take_run(LOCAL_CURRENT, order, &f))
		return hand_out(f + mm.hot.first, order, owner);
	return alloc_any(gfp, order, owner);
}

/* Four ways, each of which saves only the registers that it needs. */
void *allocpages(gfp_t gfp, unsigned order, owner_t owner)
{
	if (order == 0)
		return allocpage(gfp, owner);
	if (order == AREA_ORDER)
		return alloc_area(gfp, owner);
	if (order == GROUP_ORDER)
		return alloc_group(gfp, owner);
	return order > CACHED_ORDERS ? alloc_any(gfp, order, owner)
				     : alloc_run(gfp, order, owner);
}

/* The word of a block in the window becomes free.  Return: false: ask slow_free(). */
static INLINE bool take_back(const void *page, unsigned order, owner_t owner, uint32_t *f)
{
	uint64_t n = hot_number(page);

	if (unlikely(order > ORDER_MAX || n >= atom_peek(&mm.hot.frames)))
		return false;

	/* Who holds a block of this order here holds it at an aligned place (I4). */
	uint64_t w = atom_peek(&mm.hot.words[n]);
	if (unlikely(!word_is(w, word_held(PAGE_HELD, order, owner))) ||
	    unlikely(!atom_cas(&mm.hot.words[n], &w, word_freed(w))))
		return false;
	owner_count(owner, -((int64_t)1 << order));
	*f = (uint32_t)n;
	return true;
}

static INLINE enum page_error free_to_tree(void *page, unsigned order, owner_t owner)
{
	uint32_t f;

	if (unlikely(!take_back(page, order, owner, &f)))
		return slow_free(page, order, owner);
	f += mm.hot.first;
	event_note(MM_FREE, order, 0, owner, OWNER_NONE, (frame_t){ f });
	zone_give(mm.hot_zone, f, order);
	owner_note(owner, order);
	return PAGE_OK;
}

static __attribute__((noinline)) enum page_error free_area(void *page, owner_t owner)
{
	return free_to_tree(page, AREA_ORDER, owner);
}

static __attribute__((noinline)) enum page_error free_group(void *page, owner_t owner)
{
	return free_to_tree(page, GROUP_ORDER, owner);
}

static __attribute__((noinline)) enum page_error free_any(void *page, unsigned order, owner_t owner)
{
	return free_to_tree(page, order, owner);
}

static __attribute__((noinline)) enum page_error free_run(void *page, unsigned order,
							  owner_t owner)
{
	uint32_t f;

	if (unlikely(!take_back(page, order, owner, &f)))
		return slow_free(page, order, owner);
	cache_put_bits(f & ~(CACHE_FRAMES - 1), (uint32_t)run_mask(f % CACHE_FRAMES, order),
		       owner);
	return PAGE_OK;
}

enum page_error freepages(void *page, unsigned order, owner_t owner)
{
	if (order == 0)
		return freepage(page, owner);
	if (order == AREA_ORDER)
		return free_area(page, owner);
	if (order == GROUP_ORDER)
		return free_group(page, owner);
	return order > CACHED_ORDERS ? free_any(page, order, owner)
				     : free_run(page, order, owner);
}

void *allocpages_walk(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	return slow_alloc(gfp, order, owner, walk);
}
