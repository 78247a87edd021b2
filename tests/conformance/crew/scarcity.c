/* SPDX-License-Identifier: MIT */
/* Several CPUs when memory is short: NULL only when there is nothing (I12). */
#include "threads.h"

#include <stdatomic.h>

#include "crew.h"

/* --- as many blocks as threads: one that holds none always finds one (I12) */

static void leave_a_block_for_each(struct crew *c)
{
	crew_leave_blocks(c, *(unsigned *)c->shared, c->hands);
}

/* Somebody's block comes back here while another is looked for there: no reason for NULL. */
static void hold_at_most_one(struct hand *h)
{
	unsigned order = *(unsigned *)h->crew->shared;

	for (unsigned i = 0; i < crew_rounds(4000); i++) {
		hand_take(h, GFP_ATOMIC, order);
		if (h->n > 0)
			hand_give(h, 0);
	}
	hand_expect(h, h->nulls == 0);
}

void threads_a_block_for_each(const struct allocator_ops *a)
{
	static unsigned order;			/* above what any cache may hold back */

	for (order = 7; order <= 10; order += 3)
		for (unsigned hands = 2; hands <= CREW_MAX; hands++)
			crew_run(a, CONFORM_SMALL, hands, leave_a_block_for_each,
				 hold_at_most_one, crew_give_rest_back, &order);
}

/* --- all of them in a few blocks: groups split and merge under everybody's hands */

static void leave_little(struct crew *c)
{
	crew_leave_blocks(c, *(unsigned *)c->shared, 1);
}

static void crowd(struct hand *h)
{
	unsigned order = *(unsigned *)h->crew->shared;

	for (unsigned i = 0; i < crew_rounds(12000); i++) {
		if (h->n > 0 && hand_random(h, 3) > 0)
			hand_give(h, hand_random(h, h->n));
		else
			hand_take(h, GFP_ATOMIC, (unsigned)hand_random(h, order + 1));
		if (hand_random(h, 16) == 0)
			h->crew->a->drain();
	}
}

void threads_crowded(const struct allocator_ops *a)
{
	static unsigned order;

	for (order = 6; order <= 10; order += 2)
		for (unsigned hands = 2; hands <= CREW_MAX; hands++)
			crew_run(a, CONFORM_SMALL, hands, leave_little, crowd,
				 crew_give_rest_back, &order);
}

/* --- no spurious failure of single pages: as many pages as there are, but for what others cache */

#define CACHED_MAX 64u			/* frames a CPU may hold back: CONTRACT, section 3 */
#define EACH       200u			/* pages that each thread holds at most */

static void leave_just_enough(struct crew *c)
{
	uint64_t want = c->hands * EACH + (c->hands - 1) * CACHED_MAX;

	crew_leave_blocks(c, 10, 1);
	for (uint64_t n = 1u << 10; n > want; n--)
		EXPECT(crew_hold(c, 0));
	c->a->drain();
}

static void up_to_the_last_page(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(20000); i++) {
		if (h->n < EACH && hand_random(h, EACH) >= h->n / 2)
			hand_take(h, GFP_ATOMIC, 0);
		else
			hand_give(h, hand_random(h, h->n));
	}
	hand_expect(h, h->nulls == 0);
}

void threads_no_spurious_failure(const struct allocator_ops *a)
{
	crew_run(a, CONFORM_SMALL, 2, leave_just_enough, up_to_the_last_page,
		 crew_give_rest_back, NULL);
	crew_run(a, CONFORM_SMALL, 3, leave_just_enough, up_to_the_last_page,
		 crew_give_rest_back, NULL);
}

/* --- all of memory, by all of them together */

struct drained { _Atomic uint64_t frames, free; };

static void take_everything(struct hand *h)
{
	struct drained *d = h->crew->shared;
	frame_t first = FRAME_NONE, f;
	unsigned order = 4;
	uint64_t n = 0;

	/* A list through the pages themselves: what is held costs no other memory. */
	for (;;) {
		f = h->crew->a->alloc(GFP_ATOMIC, order, h->crew->owner[0], NULL);
		if (frame_is_none(f) && order-- == 0)
			break;
		if (frame_is_none(f))
			continue;
		struct block b = { .f = f, .order = (uint8_t)order };
		hand_mark(h, &b, 0, (int)h->cpu + 1);
		*(struct block *)(void *)h->crew->a->bytes(f) =
			(struct block){ .f = first, .order = b.order };
		first = f;
		n += 1u << order;
	}
	atomic_fetch_add(&d->frames, n);
	h->crew->a->drain();
	hand_meet(h);
	/* Whatever one of them cached when another got NULL is bounded. */
	hand_expect(h, atomic_load(&d->frames) + (h->crew->hands - 1) * CACHED_MAX >=
		       atomic_load(&d->free));
	hand_meet(h);
	/* With all caches drained, one of them gets the rest, to the last page. */
	while (h->cpu == 0 && hand_take(h, GFP_ATOMIC, 0))
		atomic_fetch_add(&d->frames, 1);
	hand_meet(h);
	hand_expect(h, atomic_load(&d->frames) == atomic_load(&d->free));
	while (!frame_is_none(first)) {
		struct block b = *(struct block *)(void *)h->crew->a->bytes(first);
		struct block mine = { .f = first, .order = b.order };

		first = b.f;
		hand_mark(h, &mine, (int)h->cpu + 1, 0);
		hand_expect(h, h->crew->a->free(mine.f, mine.order, h->crew->owner[0]) == PAGE_OK);
	}
}

static void count_free(struct crew *c)
{
	struct drained *d = c->shared;
	struct zone_stats s;

	atomic_store(&d->frames, 0);
	atomic_store(&d->free, 0);
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		c->a->zone(z, &s);
		atomic_fetch_add(&d->free, s.free);
	}
}

void threads_take_everything(const struct allocator_ops *a)
{
	static struct drained d;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned hands = 2; hands <= CREW_MAX; hands++)
			crew_run(a, CONFORM_SMALL, hands, count_free, take_everything, NULL, &d);
}
