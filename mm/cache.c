/* SPDX-License-Identifier: MIT */
/* The slow side of the per-CPU caches: overflow, refill, drain; cache.h has the rules. */
#include "cache.h"

#include "block.h"
#include "retry.h"

/* Frames that no cache names any more return to the tree. */
static void flush(uint64_t w)
{
	if ((uint32_t)w)
		zone_give_half(mm.hot_zone, (uint32_t)(w >> 32) + mm.hot.first, (uint32_t)w);
}

/* Frames join those of their own half.  Return: false if the word names another. */
static bool join(size_t off, uint32_t first, uint32_t bits)
{
	uint64_t w = local_load(off);

	while (w >> 32 == first)
		if (local_cas(off, &w, w | bits))
			return true;
	return false;
}

/* An empty word takes the frames as they are.  Return: false if it is not empty. */
static bool fill_empty(size_t off, uint32_t first, uint32_t bits)
{
	uint64_t w = local_load(off);

	while ((uint32_t)w == 0)
		if (local_cas(off, &w, cache_word(first, bits)))
			return true;
	return false;
}

static void put_bits(uint32_t first, uint32_t bits)
{
	if (!zone_has(mm.hot_zone, mm.hot_zone->low)) {
		flush(cache_word(first, bits));
		return;
	}
	if (join(LOCAL_CURRENT, first, bits) || fill_empty(LOCAL_CURRENT, first, bits))
		return;

	uint64_t old = local_load(LOCAL_SECOND), new;
	do {
		new = cache_word(first, bits);
		if (old >> 32 == first)
			new |= old;
	} while (!local_cas(LOCAL_SECOND, &old, new));
	if (old >> 32 != first)
		flush(old);
}

void cache_put_bits(uint32_t first, uint32_t bits, owner_t owner)
{
	put_bits(first, bits);
	retry_note(owner);
}

void cache_put_elsewhere(uint32_t frame, owner_t owner)
{
	if (!cache_put_into(LOCAL_SECOND, frame))
		cache_put_bits(frame & ~(CACHE_FRAMES - 1), 1u << frame % CACHE_FRAMES, owner);
}

uint32_t cache_take_second(uint32_t *first)
{
	uint64_t w = local_load(LOCAL_SECOND);

	while ((uint32_t)w)
		if (local_cas(LOCAL_SECOND, &w, 0)) {
			*first = (uint32_t)(w >> 32);
			return (uint32_t)w;
		}
	return 0;
}

/* Beyond a gap that is still asleep frames are not for the caches. */
static uint32_t give_beyond(uint32_t first, uint64_t bits)
{
	if ((uint32_t)bits)
		zone_give_half(mm.hot_zone, first, (uint32_t)bits);
	if (bits >> 32)
		zone_give_half(mm.hot_zone, first + CACHE_FRAMES, (uint32_t)(bits >> 32));
	return 0;
}

uint32_t cache_refill(uint32_t *first)
{
	uint32_t upper;
	uint64_t bits;

	/* C3, even if they are 64. */
	if (!zone_has(mm.hot_zone, mm.hot_zone->low + 2 * CACHE_FRAMES))
		return 0;
	bits = zone_take_some(mm.hot_zone, first);
	/* Pairs with the CAS in hot_grow(). */
	if (bits && *first + CACHE_FRAMES > mm.hot.first + atom_load(&mm.hot.frames))
		return give_beyond(*first, bits);
	*first -= mm.hot.first;
	upper = (uint32_t)(bits >> 32);
	if (!upper)
		return (uint32_t)bits;
	if (!(uint32_t)bits) {
		*first += CACHE_FRAMES;
		return upper;
	}
	/* Second is empty, or else an interrupt has refilled meanwhile. */
	if (!fill_empty(LOCAL_SECOND, *first + CACHE_FRAMES, upper))
		flush(cache_word(*first + CACHE_FRAMES, upper));
	return (uint32_t)bits;
}

void cache_install(uint32_t first, uint32_t bits)
{
	/* If an interrupt has refilled meanwhile, they are second, or go back. */
	if (!fill_empty(LOCAL_CURRENT, first, bits) && bits)
		put_bits(first, bits);
}

void cache_drain(void)
{
	static const size_t words[] = { LOCAL_CURRENT, LOCAL_SECOND };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t w = local_load(words[i]);

		while (w != CACHE_NOWHERE && !local_cas(words[i], &w, CACHE_NOWHERE))
			;
		flush(w);
	}
}
