/* SPDX-License-Identifier: MIT */
/* Batches: one trip to the cache for up to 32 pages, the rest is a store a page. */
#include "cache.h"
#include "owner_count.h"
#include "slow.h"
#include "word.h"

/* Take up to @n frames out of the current word at once, the lowest first. */
static uint32_t take_current(size_t n, uint32_t *first)
{
	uint64_t w = local_load(LOCAL_CURRENT);
	uint32_t left;

	do {
		left = (uint32_t)w;
		if (n < CACHE_FRAMES)
			for (size_t i = 0; left && i < n; i++)
				left &= left - 1;
		else
			left = 0;
		*first = (uint32_t)(w >> 32);
	} while ((uint32_t)w && !local_cas(LOCAL_CURRENT, &w, cache_word(*first, left)));
	return (uint32_t)w ^ left;
}

static size_t hand_out(uint32_t first, uint32_t bits, void *pages[], owner_t owner)
{
	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	atom64_t *words = mm.hot.words + first;
	unsigned char *base = mm.hot.base + ((size_t)first << PAGE_SHIFT);
	size_t n = 0;

	for (; bits; bits &= bits - 1) {
		unsigned i = (unsigned)__builtin_ctz(bits);
		uint64_t w = atom_peek(&words[i]);	/* relaxed: ours alone (W1) */

		if (!word_is_free(w))
			slow_not_free(first + i + mm.hot.first, w);
		atom_store(&words[i], w | held);	/* pairs with whoever reads the owner */
		pages[n++] = base + ((size_t)i << PAGE_SHIFT);
	}
	owner_count(owner, (int64_t)n);
	owner_note(owner, 0);
	return n;
}

size_t allocpages_bulk(gfp_t gfp, size_t n, void *pages[], owner_t owner)
{
	bool plain = gfp == GFP_ATOMIC || gfp == GFP_NOWAIT || gfp == GFP_KERNEL;
	size_t done = 0;

	while (done < n && plain && owner_live(owner)) {
		uint32_t first, bits = take_current(n - done, &first);

		if (!bits) {
			bits = cache_take_second(&first);
			if (!bits)
				bits = cache_refill(&first);
			if (!bits)
				break;
			cache_install(first, bits);
			continue;
		}
		done += hand_out(first, bits, pages + done, owner);
	}
	/* What the cache cannot serve goes page by page, with every check. */
	for (; done < n; done++) {
		pages[done] = slow_alloc(gfp, 0, owner, NULL);
		if (!pages[done])
			break;
	}
	return done;
}

size_t freepages_bulk(size_t n, void *pages[], owner_t owner)
{
	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	/* Relaxed: who was handed a page there has met its waking. */
	const uint64_t window = atom_peek(&mm.hot.frames);
	uint32_t first = 0, bits = 0;
	size_t done = 0, quick = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t f = hot_number(pages[i]), w;

		/* Pairs with a racing free or transfer: one of them succeeds. */
		if (f >= window || !word_is(w = atom_peek(&mm.hot.words[f]), held) ||
		    !atom_cas(&mm.hot.words[f], &w, word_freed(w))) {
			done += slow_free(pages[i], 0, owner) == PAGE_OK;
			continue;
		}
		if ((uint32_t)f - first >= CACHE_FRAMES) {
			if (bits)
				cache_put_bits(first, bits);
			first = (uint32_t)f & ~(CACHE_FRAMES - 1);
			bits = 0;
		}
		bits |= 1u << f % CACHE_FRAMES;
		quick++;
	}
	if (bits)
		cache_put_bits(first, bits);
	owner_count(owner, -(int64_t)quick);
	return done + quick;
}
