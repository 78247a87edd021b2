/* SPDX-License-Identifier: MIT */
/* What the hot path calls when the case is not common.  Private to mm/. */
#pragma once

#include <labyrinth/mm_sleep.h>
#include <labyrinth/page.h>

/* A single page that current could not serve: second, a refill, then all the rest. */
void *slow_allocpage(gfp_t gfp, owner_t owner);

/* All of allocpages_walk(). */
void *slow_alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk);

/* All of freepages(), checks first. */
enum page_error slow_free(void *page, unsigned order, owner_t owner);

/* A frame came out of a cache or the tree whose word @w is not FREE: memory is corrupt. */
_Noreturn void slow_not_free(uint32_t f, uint64_t w) __attribute__((cold));

/* A block out of general memory, not by way of the cache; @walk is filled in. */
bool slow_take(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk, uint32_t *frame);

/* mm_fail_nth(): must this request fail?  Then @walk says so.  Context: any. */
bool fail_now(gfp_t gfp, struct zone_walk *walk) __attribute__((cold));

/* Who can put GFP_KERNEL to sleep; NULL: nobody. */
extern const struct mm_sleeper *mm_sleeper;

/* GFP_KERNEL where nothing may sleep is found out here, whether or not it would have to. */
static inline void slow_may_sleep(gfp_t gfp, unsigned order, owner_t owner)
{
	if (gfp & GFP_KERNEL && mm_sleeper)
		mm_sleeper->check(order, owner);
}

static inline enum zone_id highest_zone(gfp_t gfp)
{
	return gfp & GFP_DMA ? ZONE_DMA : gfp & GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* Mark a block just taken out of the tree, or of the contract that @mark names, as held. */
void *slow_hand_out(uint32_t f, unsigned order, owner_t owner, gfp_t gfp, uint64_t mark);

/**
 * slow_find() - the word of the block that a caller's operation means
 * @f: receives its first frame
 *
 * Checks the address: in RAM, page and block aligned, awake.
 * Return: PAGE_OK or why not.
 */
enum page_error slow_find(const void *page, unsigned order, uint32_t *f);

/*
 * Of a frame that was not awake: is it memory?  Then it sleeps, or is being woken: who has
 * claimed it may be stopped, so that the cursor alone does not tell.
 */
bool slow_frame_sleeps(uint32_t f);

/* The first frame of the held block that covers @f, or @f itself if none does. */
uint32_t slow_block_head(uint32_t f);

/* Why is word @w of frame @f, not what @owner's block of @order would have? */
enum page_error slow_diagnose(uint32_t f, uint64_t w, unsigned order, owner_t owner);

/* Report and count a refused operation.  Return: @e. */
enum page_error slow_refuse(const char *what, const void *page, unsigned order, owner_t owner,
			    enum page_error e) __attribute__((cold));
