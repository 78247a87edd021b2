/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU caches of single frames: two words a CPU.
 *
 *      63               32 31               0
 *     +-------------------+------------------+
 *     |    first frame    |   a bit a frame  |
 *     +-------------------+------------------+
 *
 * A word holds free frames of one half: 32 frames from "first frame", a
 * multiple of 32, counted from the start of the hot window.  "current" serves
 * requests, then "second"; frees go to the word that names their half, or else
 * to an empty one, or else replace second, whose frames return to the tree.
 * A block of order 1 to 5 is a run of bits, and is cached likewise.
 *
 * C1  A frame whose bit is set here is free (its frame word says so), is not in
 *     the tree, and is in no other cache.
 * C2  The words change only by local_cas: one instruction without the lock
 *     prefix.  An interrupt cannot come into the middle of it, and other CPUs
 *     never write here, they only look.  A value that comes back (A, B, A) means
 *     the same frames as before, so nothing needs a version.
 * C3  At most 64 frames a CPU.  Once a zone runs low, nothing new is cached, and
 *     what is there goes back at the CPU's next refill, overflow or drain.
 *
 * The hot window is the part of the highest large zone that is awake without a gap.
 * Only its frames are cached, so that one comparison checks an address.
 */
#pragma once

#include "mm_state.h"

#define CACHE_FRAMES 32u	/* a word's */

/* No frames, and no half: what is freed does not come here. */
#define CACHE_NOWHERE ((uint64_t)(UINT32_MAX - (CACHE_FRAMES - 1)) << 32)

static inline uint64_t cache_word(uint32_t first, uint32_t bits)
{
	return (uint64_t)first << 32 | bits;
}

/* Does this CPU hold nothing back, nor what it is given while its zone is low? */
static inline bool cache_closed(void)
{
	return local_load(LOCAL_CURRENT) == CACHE_NOWHERE &&
	       local_load(LOCAL_SECOND) == CACHE_NOWHERE;
}

/* Take a frame out of the word at @off.  Return: false if it has none. */
static inline bool cache_take_from(size_t off, uint32_t *frame)
{
	uint64_t w = local_load(off);

	if (__builtin_expect((uint32_t)w == 0, 0))
		return false;
	while (__builtin_expect(!local_cas(off, &w, w & (w - 1)), 0))
		if ((uint32_t)w == 0)
			return false;
	*frame = (uint32_t)(w >> 32) + (uint32_t)__builtin_ctz((uint32_t)w);
	return true;
}

/* Take an aligned run of 2^@order frames, 1..5, out of the word at @off. */
static inline bool cache_take_run(size_t off, unsigned order, uint32_t *frame)
{
	uint64_t w = local_load(off);
	int run;

	do {
		run = bits_run((uint32_t)w, order);
		if (run < 0)
			return false;
	} while (!local_cas(off, &w, w & ~run_mask((unsigned)run, order)));
	*frame = (uint32_t)(w >> 32) + (uint32_t)run;
	return true;
}

/* Put a free frame into the word at @off.  Return: false if it names another half. */
static inline bool cache_put_into(size_t off, uint32_t frame)
{
	uint64_t w = local_load(off);
	uint32_t bit = (uint32_t)(w >> 32) ^ frame;

	if (__builtin_expect(bit >= CACHE_FRAMES, 0))
		return false;
	while (__builtin_expect(!local_cas(off, &w, w | (uint64_t)1 << bit), 0)) {
		bit = (uint32_t)(w >> 32) ^ frame;
		if (bit >= CACHE_FRAMES)
			return false;
	}
	return true;
}

/* How many pages behind @base @page stands; huge if it is before or misaligned. */
static inline uint64_t page_number(const void *page, const unsigned char *base)
{
	uint64_t off = (uint64_t)((uintptr_t)page - (uintptr_t)base);

	return off >> PAGE_SHIFT | off << (64 - PAGE_SHIFT);
}

/* The number of a page within the hot window; huge if it is outside. */
static inline uint64_t hot_number(const void *page) { return page_number(page, mm.hot.base); }

/* Free frames of one half find a place: a word that names it, an empty one, or the tree. */
void cache_put_bits(uint32_t first, uint32_t bits, owner_t owner);

/* A free frame of the window that current has no place for. */
void cache_put_elsewhere(uint32_t frame, owner_t owner);

/**
 * cache_refill() - frames of the hot zone for this CPU, out of the tree or asleep until now
 * @first: receives which 32 frames
 * Of 64 that were asleep the upper ones become second, or go back if that is not empty.
 * Context: any.
 * Return:  a bit for each frame, all the caller's; 0 when the zone is low or empty, or what
 *          there was lies beyond the hot window: then it is in the tree.
 */
uint32_t cache_refill(uint32_t *first);

/* All of second for the caller, as cache_refill().  Context: any. */
uint32_t cache_take_second(uint32_t *first);

/*
 * The caller's frames, of a half that has just been taken from, become current,
 * even if none are left: their neighbours will come back.  If current is not
 * empty they go elsewhere.
 */
void cache_install(uint32_t first, uint32_t bits);

/* Everything back to the tree.  Context: any. */
void cache_drain(void);
