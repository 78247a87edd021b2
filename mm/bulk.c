/* SPDX-License-Identifier: MIT */
/* Batches: one trip to the cache for up to 32 pages, the rest is a store a page. */
#include "cache.h"
#include "owner_count.h"
#include "slow.h"
#include "word.h"

#define EIGHT 8u

/* The lowest @n of @bits. */
static uint32_t lowest(uint32_t bits, size_t n)
{
	uint32_t rest = bits;

	if (n >= CACHE_FRAMES)
		return bits;
	for (; n > 0 && rest; n--)
		rest &= rest - 1;
	return bits ^ rest;
}

/* Take up to @n frames out of the current word at once. */
static uint32_t take_current(size_t n, uint32_t *first)
{
	uint64_t w = local_load(LOCAL_CURRENT);
	uint32_t bits;

	do {
		bits = lowest((uint32_t)w, n);
		*first = (uint32_t)(w >> 32);
	} while (bits && !local_cas(LOCAL_CURRENT, &w, w ^ bits));
	return bits;
}

/* From second, or out of the tree; what is more than @n is current from then on. */
static uint32_t take_more(size_t n, uint32_t *first)
{
	uint32_t all = cache_take_second(first), bits;

	if (!all)
		all = cache_refill(first);
	if (!all)
		return 0;
	bits = lowest(all, n);
	cache_install(*first, all ^ bits);
	return bits;
}

/*
 * @n neighbouring frames, all the caller's (W1: so their words are peeked at, and
 * stored; the store pairs with whoever reads the owner).  Eight at a time: what is
 * above the generation in any of eight words stays in the sum of their ones.
 */
static __attribute__((noinline)) void hand_out_run(atom64_t *word, size_t n, uint64_t held,
						   unsigned char *page, void *pages[])
{
	for (uint64_t w[EIGHT], any = 0; n >= EIGHT; n -= EIGHT) {
#pragma GCC unroll 8
		for (unsigned i = 0; i < EIGHT; i++)
			any |= w[i] = atom_peek(&word[i]);
		if (!word_is_free(any))
			break;			/* below we learn which */
#pragma GCC unroll 8
		for (unsigned i = 0; i < EIGHT; i++, page += PAGE_SIZE) {
			atom_store(word++, w[i] | held);
			*pages++ = page;
		}
	}
	for (; n > 0; n--, page += PAGE_SIZE) {
		uint64_t w = atom_peek(word);

		if (!word_is_free(w))
			slow_not_free(page_to_frame(page).n, w);
		atom_store(word++, w | held);
		*pages++ = page;
	}
}

static size_t hand_out(uint32_t first, uint64_t bits, void *pages[], owner_t owner)
{
	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	size_t n = 0;

	while (bits) {
		unsigned skip = (unsigned)__builtin_ctzll(bits);
		unsigned run = (unsigned)__builtin_ctzll(~(bits >> skip));

		hand_out_run(mm.hot.words + first + skip, run, held,
			     mm.hot.base + ((size_t)(first + skip) << PAGE_SHIFT), pages + n);
		n += run;
		bits = bits >> skip >> run << run << skip;
	}
	owner_count(owner, (int64_t)n);
	owner_note(owner, 0);
	return n;
}

size_t allocpages_bulk(gfp_t gfp, size_t n, void *pages[], owner_t owner)
{
	bool plain = gfp == GFP_ATOMIC || gfp == GFP_NOWAIT || gfp == GFP_KERNEL;
	size_t done = 0;

	slow_may_sleep(gfp, 0, owner);
	while (done < n && plain && owner_live(owner)) {
		uint32_t first, bits = take_current(n - done, &first);

		if (!bits)
			bits = take_more(n - done, &first);
		if (!bits)
			break;
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

/*
 * Free the pages at the head of the list, at most @n, as long as they are neighbours:
 * the first is @page, whose word is @word.  Return: how many.
 */
static size_t free_run(void *const pages[], size_t n, atom64_t *word, const unsigned char *page,
		       uint64_t held)
{
	size_t i;

#pragma GCC unroll 8
	for (i = 0; i < n; i++) {
		uint64_t w = atom_peek(&word[i]), generation = w - held;

		/* The last generation goes the longer way: here it need not wrap. */
		if (pages[i] != page + (i << PAGE_SHIFT) || generation >= WORD_GEN_MASK)
			break;
		/* Pairs with a racing free or transfer: one of them succeeds. */
		if (!atom_cas(&word[i], &w, generation + 1))
			break;
	}
	return i;
}

size_t freepages_bulk(size_t n, void *pages[], owner_t owner)
{
	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	/* Relaxed: who was handed a page there has met its waking. */
	const uint64_t window = atom_peek(&mm.hot.frames);
	size_t done = 0, quick = 0;
	uint32_t first = 0, bits = 0;

	for (size_t i = 0, run; i < n; i += run) {
		uint64_t f = hot_number(pages[i]), room = CACHE_FRAMES - f % CACHE_FRAMES;

		run = f < window ? free_run(pages + i, n - i < room ? n - i : room,
					    mm.hot.words + f, pages[i], held) : 0;
		if (run == 0) {
			done += slow_free(pages[i], 0, owner) == PAGE_OK;
			run = 1;
			continue;
		}
		if ((uint32_t)f - first >= CACHE_FRAMES) {
			if (bits)
				cache_put_bits(first, bits, owner);
			first = (uint32_t)f & ~(CACHE_FRAMES - 1);
			bits = 0;
		}
		bits |= UINT32_MAX >> (CACHE_FRAMES - run) << f % CACHE_FRAMES;
		quick += run;
	}
	if (bits)
		cache_put_bits(first, bits, owner);
	owner_count(owner, -(int64_t)quick);
	return done + quick;
}
