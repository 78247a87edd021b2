/* SPDX-License-Identifier: MIT */
/*
 * Page allocation: the only memory interface the rest of the kernel may use.
 *
 * Whoever asks names an owner, and only that owner may give the page back.
 * Every change of hands is one compare-and-swap on the frame's word, so that a
 * wrong one is refused, changes nothing, and names both sides.
 */
#pragma once

#include <labyrinth/frame.h>
#include <labyrinth/gfp.h>
#include <labyrinth/owner.h>
#include <labyrinth/zone.h>

/* Why a page operation was refused.  Zero is success. */
enum page_error {
	PAGE_OK,
	PAGE_NOT_RAM,		/* outside every zone, or a dead end */
	PAGE_MISALIGNED,	/* not the first byte of a page, or of a block of this order */
	PAGE_DOUBLE_FREE,	/* the block is free already */
	PAGE_INSIDE_BLOCK,	/* in the middle of a larger block */
	PAGE_WRONG_OWNER,	/* somebody else's */
	PAGE_WRONG_ORDER,	/* the caller's, but of another size */
	PAGE_WRONG_STATE,	/* shared, lent, guard, quarantined: not for this operation */
	PAGE_BAD_OWNER,		/* the caller named nobody, or an owner not registered */
	PAGE_ERROR_COUNT
};

/* "double free", ...: a few plain words.  Context: any. */
const char *page_error_name(enum page_error e);

/* Why a zone could not serve a request. */
enum zone_refusal {
	ZONE_SERVED,		/* it did */
	ZONE_NOT_TRIED,		/* an earlier zone served */
	ZONE_EXCLUDED,		/* by the request's flags */
	ZONE_EMPTY,		/* no such memory in this machine */
	ZONE_TOO_SMALL,		/* all of it is smaller than the block asked for */
	ZONE_TOO_FULL,		/* fewer frames free than asked for */
	ZONE_BELOW_WATERMARK,	/* free frames, but not for this behaviour */
	ZONE_RESERVED,		/* what is free belongs to reserve contracts */
	ZONE_FRAGMENTED,	/* enough free frames, no block large enough */
	ZONE_EXHAUSTED,		/* nothing free */
	ZONE_INJECTED,		/* made to fail, to see what the caller does: mm_fail_nth() */
	ZONE_REFUSAL_COUNT
};

const char *zone_refusal_name(enum zone_refusal r);	/* Context: any. */

/* How a request walked the zones.  Belongs to the caller, so nothing races with it. */
struct zone_walk {
	bool bad_flags;				/* contradictory gfp, or order > ORDER_MAX */
	bool bad_owner;				/* nobody, or not registered */
	enum zone_refusal zone[ZONE_COUNT];
	uint64_t free[ZONE_COUNT];		/* frames free when the walk began */
};

/**
 * allocpages_walk() - take a block of 2^@order contiguous pages, and say how it went
 * @gfp:   one behaviour, at most one zone limit, options; see gfp.h
 * @order: log2 of the block's size in pages, 0..ORDER_MAX
 * @owner: a registered owner; the only one who may free the block
 * @walk:  filled with each zone's answer; may be NULL
 *
 * The block is aligned to its size and mapped in the direct map.  Its contents
 * are whatever was left there unless GFP_ZERO asks otherwise.
 *
 * Context: any, NMI and the middle of this function included, for GFP_ATOMIC
 *          and GFP_NOWAIT.  Takes no lock, masks no interrupt.  Threads that may sleep
 *          for GFP_KERNEL, which takes its turn as mm_wait.h says.
 * Return:  the first byte, or NULL when no allowed zone holds a large enough
 *          block that this behaviour is entitled to.
 * Panics:  for GFP_KERNEL where nothing may sleep, even if there is memory; and if a
 *          free frame's word is not FREE, because memory is corrupt.
 */
void *allocpages_walk(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk);

/* As allocpages_walk(), without the story.  Context: as above. */
void *allocpages(gfp_t gfp, unsigned order, owner_t owner);

/* One page: the common case, made fast.  Context: as above. */
void *allocpage(gfp_t gfp, owner_t owner);

/**
 * allocpages_bulk() - take up to @n single pages at once
 * @pages: receives the pages; room for @n
 *
 * Context: as allocpages_walk().
 * Return:  how many were taken; fewer than @n only when the rest did not fit.
 */
size_t allocpages_bulk(gfp_t gfp, size_t n, void *pages[], owner_t owner);

/**
 * freepages() - give a block back
 * @page:  what allocpages() returned
 * @order: the order it was asked for
 * @owner: who holds it
 *
 * A wrong free changes nothing, is reported with both owners, and counted (I5).
 *
 * Context: any, as allocpages_walk().
 * Return:  PAGE_OK, or why it was refused.
 */
enum page_error freepages(void *page, unsigned order, owner_t owner);

/* One page: the common case, made fast.  Context, Return: as above. */
enum page_error freepage(void *page, owner_t owner);

/*
 * Give @n single pages back.  Context: as above.
 * Return: how many were accepted; each wrong one is reported.
 */
size_t freepages_bulk(size_t n, void *pages[], owner_t owner);

/**
 * page_transfer() - a block changes hands in one step
 * @page:  the block, of order @order, held by @from
 *
 * There is no moment with two owners or none.  Handles to it go stale.
 *
 * Context: any.
 * Return:  PAGE_OK, or why not; then nothing has changed.
 */
enum page_error page_transfer(void *page, unsigned order, owner_t from, owner_t to);

/**
 * page_share() - one more reference to a held block
 * page_unshare() - one fewer; the last one makes it unshared again, not free
 *
 * A block with references cannot be freed or transferred.  GFP_EXCL blocks
 * refuse to be shared.
 *
 * Context: any.
 * Return:  PAGE_OK or why not.
 */
enum page_error page_share(void *page, owner_t owner);
enum page_error page_unshare(void *page, owner_t owner);

/**
 * page_lend() - a block is a device's for a while
 * page_reclaim() - and the CPU's again, in the state that it was in
 * @page: the block, of order @order, held by @owner and not shared
 *
 * While lent it cannot be freed, transferred, shared or lent again.  The frame
 * word alone says so: its mappings stay as they are.
 *
 * Context: any.
 * Return:  PAGE_OK, or why not; then nothing has changed.
 */
enum page_error page_lend(void *page, unsigned order, owner_t owner);
enum page_error page_reclaim(void *page, unsigned order, owner_t owner);

/* What a block is doing. */
enum page_state {
	PAGE_FREE,
	PAGE_RESERVED,		/* a dead end: firmware, holes, bad RAM, the kernel image */
	PAGE_HELD,		/* one owner, may be shared */
	PAGE_EXCLUSIVE,		/* one owner, never shared */
	PAGE_SHARED,		/* one owner and counted references */
	PAGE_LENT,		/* to a device */
	PAGE_GUARD,
	PAGE_QUARANTINED,
	PAGE_STATE_COUNT
};

const char *page_state_name(enum page_state s);		/* Context: any. */

/* All there is to say about one frame. */
struct page_info {
	frame_t frame;
	frame_t head;			/* first frame of its block */
	enum page_state state;
	unsigned order;			/* of the block; of the free block if free */
	owner_t owner;
	owner_t promised;		/* free, but set aside by a reserve contract of his */
	uint32_t generation;
	uint32_t refs;			/* extra references, PAGE_SHARED only */
	bool damaged;			/* held, and the hardware reported damage in the block */
	bool in_zone;			/* false: no zone covers it */
	enum zone_id zone;
};

/**
 * page_query() - what is this frame?
 * Context: any.  A snapshot: true when it was taken.
 */
void page_query(frame_t f, struct page_info *out);

/* A name that goes stale when its block is freed or transferred. */
typedef struct { frame_t frame; uint32_t generation; } page_handle_t;

page_handle_t page_handle(const void *page);		/* Context: any; O(1). */
bool page_handle_valid(page_handle_t h);		/* Context: any; O(1). */

/**
 * page_drain() - give back what this CPU's cache holds, merge what can be merged
 * Context: any; other CPUs keep theirs.
 */
void page_drain(void);

/* The direct map.  Context: any.  The port supplies the offset. */
void *frame_to_page(frame_t f);
frame_t page_to_frame(const void *page);		/* FRAME_NONE if not in the direct map */
