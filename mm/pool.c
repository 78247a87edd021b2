/* SPDX-License-Identifier: MIT */
/*
 * A pool is one page: two stacks of slots, those with a page and those without.
 *
 *   top     63              18 17   9 8      0      slot   47  32 31      0
 *          +------------------+------+--------+           +------+---------+
 *          |     version      |level |slot + 1|           | next | frame   |
 *          +------------------+------+--------+           +------+---------+
 *
 * P1  A slot is on one of the stacks, or in the hands of the one traveller who
 *     popped it; only he writes it.  The version grows with each push and pop, so
 *     that a compare-and-swap prepared before another's cannot succeed after it.
 * P2  The word of a page in the pool says held by the pool's owner, and POOLED:
 *     no operation but pool_take() accepts that.  Giving sets the mark by
 *     compare-and-swap, so that of two who give the same page one is refused.
 *     Who popped the page alone may write its word, and takes the mark off.
 * P3  Pushes and pops follow from version and level, so counting takes and gives
 *     costs nothing.
 */
#include <labyrinth/pool.h>

#include <labyrinth/string.h>

#include "mm_state.h"
#include "slow.h"
#include "word.h"

#define SLOT_BITS 9u
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define SPARE     16u		/* slots for those who are between the two stacks */

struct pool {
	_Alignas(64) atom64_t full;
	_Alignas(64) atom64_t empty;
	_Alignas(64) atom64_t least, passed_on, refills, bought, misses;
	owner_t owner;
	gfp_t gfp;
	unsigned low, high;
	atom64_t slot[POOL_PAGES_MAX + SPARE];
};

_Static_assert(sizeof(struct pool) <= PAGE_SIZE, "a pool is one page");
_Static_assert(POOL_PAGES_MAX + SPARE < SLOT_MASK, "slot + 1 fits its field");

static unsigned top_slot(uint64_t top)     { return (unsigned)top & SLOT_MASK; }
static unsigned top_level(uint64_t top)    { return (unsigned)(top >> SLOT_BITS) & SLOT_MASK; }
static uint64_t top_version(uint64_t top)  { return top >> 2 * SLOT_BITS; }

static uint64_t top_next(uint64_t top, unsigned level, uint64_t slot)
{
	return (top_version(top) + 1) << 2 * SLOT_BITS | (uint64_t)level << SLOT_BITS | slot;
}

/* Return: the slot's number + 1, 0 if there is none; *frame is its page, *left the level then. */
static unsigned pop(struct pool *p, atom64_t *stack, uint32_t *frame, unsigned *left)
{
	uint64_t top = atom_load(stack), slot;	/* pairs with the CAS of push() */

	do {
		if (top_slot(top) == 0)
			return 0;
		/* Another may have popped and rewritten it: then the version has grown. */
		slot = atom_peek(&p->slot[top_slot(top) - 1]);
		*left = top_level(top) - 1;
		/* Pairs with push(): what was written before it is ours to read. */
	} while (!atom_cas(stack, &top, top_next(top, *left, slot >> 32)));
	*frame = (uint32_t)slot;
	return top_slot(top);
}

static void push(struct pool *p, atom64_t *stack, unsigned n, uint32_t frame)
{
	uint64_t top = atom_load(stack);	/* pairs with every CAS on the stack */

	do {
		/* Relaxed: published by the CAS. */
		atom_poke(&p->slot[n - 1], (uint64_t)top_slot(top) << 32 | frame);
		/* Pairs with the CAS of pop(). */
	} while (!atom_cas(stack, &top, top_next(top, top_level(top) + 1, n)));
}

/* A page whose word says POOLED goes in.  Return: false if there is no slot for it. */
static bool put_in(struct pool *p, uint32_t frame)
{
	uint32_t none;
	unsigned left, n = pop(p, &p->empty, &none, &left);

	if (n)
		push(p, &p->full, n, frame);
	return n != 0;
}

/* A page comes out.  Return: false if there is none. */
static bool take_out(struct pool *p, uint32_t *frame, unsigned *left)
{
	unsigned n = pop(p, &p->full, frame, left);

	if (n == 0)
		return false;
	push(p, &p->empty, n, 0);
	/* Ours alone (P2); pairs, as each such store, with the CAS that frees the page. */
	atom_store(word_at(*frame), atom_peek(word_at(*frame)) & ~WORD_POOLED);
	return true;
}

/* Not for the pool: it is the owner's, and goes where his other pages go. */
static void pass_on(struct pool *p, uint32_t frame)
{
	atom_store(word_at(frame), atom_peek(word_at(frame)) & ~WORD_POOLED);
	freepage(frame_to_page((frame_t){ frame }), p->owner);
}

/* Return: pages bought, at most POOL_BATCH. */
static unsigned buy_batch(struct pool *p)
{
	unsigned level = top_level(atom_load(&p->full)), kept = 0;	/* a hint */
	unsigned want = level < p->high ? p->high - level : 0;
	void *pages[POOL_BATCH];

	want = want < POOL_BATCH ? want : POOL_BATCH;
	unsigned got = (unsigned)allocpages_bulk(p->gfp, want, pages, p->owner);

	for (unsigned i = 0; i < got; i++) {
		uint32_t f = page_to_frame(pages[i]).n;

		atom_store(word_at(f), atom_peek(word_at(f)) | WORD_POOLED);
		if (put_in(p, f))
			kept++;
		else
			pass_on(p, f);
	}
	if (kept) {
		atom_add(&p->refills, 1);
		atom_add(&p->bought, kept);
	}
	return kept;
}

static void note_level(struct pool *p, unsigned left)
{
	uint64_t least = atom_peek(&p->least);

	/* Pairs with itself: a minimum. */
	while (left < least && !atom_cas(&p->least, &least, left))
		;
}

void *pool_take(struct pool *p)
{
	unsigned left;
	uint32_t f;

	while (!take_out(p, &f, &left))
		if (buy_batch(p) == 0) {
			atom_add(&p->misses, 1);
			return NULL;
		}
	note_level(p, left);
	if (left < p->low)
		buy_batch(p);
	return frame_to_page((frame_t){ f });
}

enum page_error pool_give(struct pool *p, void *page)
{
	uint32_t f;
	enum page_error e = slow_find(page, 0, &f);

	if (e != PAGE_OK)
		return slow_refuse("give", page, 0, p->owner, e);

	uint64_t w = atom_load(word_at(f));	/* pairs with every CAS on the word */
	do {
		if (!word_is(w & ~(WORD_CONTRACT | WORD_DAMAGED),
			     word_held(PAGE_HELD, 0, p->owner)))
			return slow_refuse("give", page, 0, p->owner,
					   slow_diagnose(f, w, 0, p->owner));
		/* Pairs with a racing gift, free or transfer: one of them succeeds. */
	} while (!atom_cas(word_at(f), &w, word_freed(w) | (w & ~WORD_GEN_MASK) | WORD_POOLED));
	if ((w & (WORD_CONTRACT | WORD_DAMAGED)) || top_level(atom_load(&p->full)) >= p->high ||
	    !put_in(p, f)) {
		atom_add(&p->passed_on, 1);
		pass_on(p, f);
	}
	return PAGE_OK;
}

unsigned pool_refill(struct pool *p)
{
	unsigned n, sum = 0;

	while ((n = buy_batch(p)) > 0)
		sum += n;
	return sum;
}

struct pool *pool_create(owner_t owner, gfp_t gfp, unsigned low, unsigned high)
{
	if (low >= high || high > POOL_PAGES_MAX || (gfp & ~(GFP_BEHAVIOUR | GFP_WHERE)))
		return NULL;

	struct pool *p = allocpages(gfp | GFP_ZERO, 0, owner);
	if (!p)
		return NULL;
	p->owner = owner;
	p->gfp = gfp;
	p->low = low;
	p->high = high;
	atom_poke(&p->least, high);
	for (unsigned n = high + SPARE; n > 0; n--)
		push(p, &p->empty, n, 0);
	pool_refill(p);
	return p;
}

void pool_stats(const struct pool *p, struct pool_stats *out)
{
	uint64_t top = atom_load(&p->full);	/* a snapshot: pairs with nothing */
	unsigned level = top_level(top);

	*out = (struct pool_stats){
		.level = level, .low = p->low, .high = p->high,
		.least = (unsigned)atom_peek(&p->least),
		.passed_on = atom_peek(&p->passed_on),
		.refills = atom_peek(&p->refills),
		.bought = atom_peek(&p->bought),
		.misses = atom_peek(&p->misses),
	};
	out->takes = (top_version(top) - level) / 2;			/* P3 */
	out->gives = (top_version(top) + level) / 2 - out->bought + out->passed_on;
}

unsigned pool_destroy(struct pool *p)
{
	unsigned left, n = 0;
	uint32_t f;

	for (; take_out(p, &f, &left); n++)
		freepage(frame_to_page((frame_t){ f }), p->owner);
	freepage(p, p->owner);
	return n;
}
