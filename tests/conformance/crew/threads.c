/* SPDX-License-Identifier: MIT */
/* Several CPUs in one allocator: what a single one cannot get wrong. */
#include "threads.h"

#include <stdatomic.h>

#include "crew.h"

/* --- mixed orders, each thread for itself */

static void batch(struct hand *h)
{
	frame_t f[64];
	size_t want = hand_random(h, 64);
	size_t n = h->crew->a->alloc_bulk(GFP_ATOMIC, want, f, h->crew->owner[0]);

	for (size_t i = 0; i < n; i++)
		hand_mark(h, &(struct block){ .f = f[i] }, 0, (int)h->cpu + 1);
	for (size_t i = 0; i < n; i++)
		hand_mark(h, &(struct block){ .f = f[i] }, (int)h->cpu + 1, 0);
	hand_expect(h, h->crew->a->free_bulk(n, f, h->crew->owner[0]) == n);
}

static void mixed_orders(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(8000); i++) {
		if (hand_random(h, 64) == 0)
			batch(h);
		if (h->n > 0 && hand_random(h, 16) < h->n / 8)
			hand_give(h, hand_random(h, h->n));
		else
			hand_take(h, GFP_ATOMIC,
				  (unsigned)hand_random(h, hand_random(h, 11) + 1));
		if (hand_random(h, 500) == 0)
			h->crew->a->drain();
	}
}

void threads_mixed_orders(const struct allocator_ops *a)
{
	for (unsigned hands = 2; hands <= CREW_MAX; hands++)
		crew_run(a, CONFORM_SMALL, hands, NULL, mixed_orders, NULL, NULL);
}

/* Blocks of many words of whatever the allocator keeps its books in. */
static void large_orders(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(3000); i++) {
		if (h->n > 0 && hand_random(h, 3) == 0)
			hand_give(h, hand_random(h, h->n));
		else
			hand_take(h, GFP_ATOMIC, 9 + (unsigned)hand_random(h, 10));
	}
}

static void coarse(struct crew *c)
{
	c->stride = 1u << 9;
}

void threads_large_orders(const struct allocator_ops *a)
{
	crew_run(a, CONFORM_LARGE, 2, coarse, large_orders, NULL, NULL);
	crew_run(a, CONFORM_LARGE, 4, coarse, large_orders, NULL, NULL);
}

/* --- one allocates, another frees */

#define SLOTS 64u

struct mailbox {
	_Atomic uint64_t slot[SLOTS];		/* a frame and an order, plus one; 0 is empty */
};

static void pass_on(struct hand *h)
{
	struct mailbox *m = h->crew->shared;

	for (unsigned i = 0; i < crew_rounds(12000); i++) {
		uint64_t mine = 0, theirs;

		if (hand_random(h, 2) && hand_take(h, GFP_ATOMIC, (unsigned)hand_random(h, 5))) {
			struct block b = h->log[--h->n];

			hand_mark(h, &b, (int)h->cpu + 1, -1);
			mine = ((uint64_t)b.f.n << 8 | b.order) + 1;
		}
		/* Acquire and release: what the finder does to the block comes after. */
		theirs = atomic_exchange_explicit(&m->slot[hand_random(h, SLOTS)], mine,
						  memory_order_acq_rel);
		if (theirs != 0) {
			struct block b = { .f = { (uint32_t)((theirs - 1) >> 8) },
					   .order = (uint8_t)(theirs - 1) };

			hand_mark(h, &b, -1, 0);
			hand_expect(h, h->crew->a->free(b.f, b.order, h->crew->owner[0]) ==
				       PAGE_OK);
		}
	}
}

static void empty_mailbox(struct crew *c)
{
	struct mailbox *m = c->shared;

	for (unsigned i = 0; i < SLOTS; i++) {
		uint64_t v = atomic_exchange(&m->slot[i], 0);

		if (v != 0)
			EXPECT_EQ(c->a->free((frame_t){ (uint32_t)((v - 1) >> 8) },
					     (unsigned)(v - 1) & 0xff, c->owner[0]), PAGE_OK);
	}
}

void threads_one_allocates_another_frees(const struct allocator_ops *a)
{
	static struct mailbox m;

	crew_run(a, CONFORM_SMALL, 2, NULL, pass_on, empty_mailbox, &m);
	crew_run(a, CONFORM_SMALL, 4, NULL, pass_on, empty_mailbox, &m);
}

/* --- wrong calls never succeed, whatever the others are doing */

static void work_or_vandalise(struct hand *h)
{
	const struct allocator_ops *a = h->crew->a;
	owner_t stranger = h->crew->owner[1];

	if (h->cpu > 0) {
		mixed_orders(h);
		return;
	}
	for (unsigned i = 0; i < crew_rounds(8000); i++) {
		frame_t f = { 0x100 + (uint32_t)hand_random(h, 0x2f00) };
		unsigned order = (unsigned)hand_random(h, 10);

		hand_expect(h, a->free(f, order, stranger) != PAGE_OK);
		hand_expect(h, a->transfer(f, order, stranger, h->crew->owner[0]) != PAGE_OK);
		hand_expect(h, a->share(f, stranger) != PAGE_OK);
	}
}

void threads_wrong_calls_change_nothing(const struct allocator_ops *a)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(a, CONFORM_SMALL, hands, NULL, work_or_vandalise, NULL, NULL);
}
