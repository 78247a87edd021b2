/* SPDX-License-Identifier: MIT */
/* Several CPUs at one block: parts of it given back together, and calls that exclude each other. */
#include "threads.h"

#include <stdatomic.h>

#include "crew.h"

/* --- parts of one larger block come back at the same time: all succeed, and all merge */

#define PARTS_ORDER 10u

struct parts {
	frame_t whole;
	unsigned part_order;
	_Atomic unsigned next;
};

/* Only one block of PARTS_ORDER is left, so that is where the parts come from. */
static frame_t only_block(struct hand *h)
{
	frame_t f = h->crew->a->alloc(GFP_ATOMIC, PARTS_ORDER, h->crew->owner[0], NULL);

	hand_expect(h, !frame_is_none(f));
	if (!frame_is_none(f))
		hand_expect(h, h->crew->a->free(f, PARTS_ORDER, h->crew->owner[0]) == PAGE_OK);
	h->crew->a->drain();
	return f;
}

static void cut_up(struct hand *h)
{
	struct parts *p = h->crew->shared;

	p->whole = only_block(h);
	p->part_order = (unsigned)hand_random(h, PARTS_ORDER);
	for (unsigned i = 0; i < 1u << (PARTS_ORDER - p->part_order); i++) {
		frame_t f = h->crew->a->alloc(GFP_ATOMIC, p->part_order, h->crew->owner[0], NULL);

		hand_expect(h, f.n >= p->whole.n && f.n < p->whole.n + (1u << PARTS_ORDER));
	}
	atomic_store(&p->next, 0);
}

static void free_parts(struct hand *h)
{
	struct parts *p = h->crew->shared;

	for (unsigned round = 0; round < crew_rounds(60) && !h->crew->late; round++) {
		if (h->cpu == 0)
			cut_up(h);
		hand_meet(h);
		unsigned parts = 1u << (PARTS_ORDER - p->part_order), i;
		while ((i = atomic_fetch_add(&p->next, 1)) < parts) {
			/* Odd multiplier: every part once, in an order that mixes the words. */
			frame_t f = { p->whole.n + ((i * 37 % parts) << p->part_order) };

			hand_expect(h, h->crew->a->free(f, p->part_order, h->crew->owner[0]) ==
				       PAGE_OK);
		}
		h->crew->a->drain();
		hand_meet(h);
	}
}

static void leave_one_block(struct crew *c)
{
	crew_leave_blocks(c, PARTS_ORDER, 1);
}

void threads_parts_of_one_block(const struct allocator_ops *a)
{
	static struct parts p;

	crew_run(a, CONFORM_SMALL, 2, leave_one_block, free_parts, crew_give_rest_back, &p);
	crew_run(a, CONFORM_SMALL, 4, leave_one_block, free_parts, crew_give_rest_back, &p);
}

/* --- the same block, at the same time: one of them is right */

/* More threads than cores wait for each other most of the time. */
static unsigned rounds(const struct hand *h)
{
	return crew_rounds(h->crew->hands == 2 ? 15000 : 1000);
}

struct race {
	frame_t f;
	unsigned order;
	_Atomic unsigned wins;
};

static void race_start(struct hand *h)
{
	struct race *r = h->crew->shared;

	if (h->cpu == 0) {
		r->order = hand_random(h, 2) ? 0 : (unsigned)hand_random(h, 10);
		r->f = h->crew->a->alloc(GFP_ATOMIC, r->order, h->crew->owner[0], NULL);
		hand_expect(h, !frame_is_none(r->f));
		atomic_store(&r->wins, 0);
	}
	hand_meet(h);
	hand_dawdle(h);
}

static void race_frees(struct hand *h)
{
	struct race *r = h->crew->shared;

	for (unsigned round = 0; round < rounds(h) && !h->crew->late; round++) {
		race_start(h);
		enum page_error e = h->crew->a->free(r->f, r->order, h->crew->owner[0]);
		hand_expect(h, e == PAGE_OK || e == PAGE_DOUBLE_FREE);
		atomic_fetch_add(&r->wins, e == PAGE_OK);
		hand_meet(h);
		hand_expect(h, atomic_load(&r->wins) == 1);
		hand_meet(h);
	}
}

/* A free against a transfer: the loser is told who has it, or that nobody has. */
static void race_free_and_transfer(struct hand *h)
{
	struct race *r = h->crew->shared;
	const struct allocator_ops *a = h->crew->a;
	owner_t me = h->crew->owner[0], you = h->crew->owner[1];

	for (unsigned round = 0; round < rounds(h) && !h->crew->late; round++) {
		race_start(h);
		enum page_error e = h->cpu % 2 ? a->free(r->f, r->order, me) :
						 a->transfer(r->f, r->order, me, you);
		hand_expect(h, e == PAGE_OK || e == PAGE_DOUBLE_FREE || e == PAGE_WRONG_OWNER);
		atomic_fetch_add(&r->wins, e == PAGE_OK);
		hand_meet(h);
		hand_expect(h, atomic_load(&r->wins) == 1);
		if (h->cpu == 0 && a->held(you) != 0)
			hand_expect(h, a->free(r->f, r->order, you) == PAGE_OK);
		hand_meet(h);
	}
}

/* Shared first, or free first: never freed while shared, never shared while free. */
static void race_free_and_share(struct hand *h)
{
	struct race *r = h->crew->shared;
	const struct allocator_ops *a = h->crew->a;
	owner_t me = h->crew->owner[0];

	for (unsigned round = 0; round < rounds(h) && !h->crew->late; round++) {
		race_start(h);
		enum page_error e = h->cpu % 2 ? a->free(r->f, r->order, me) : a->share(r->f, me);
		hand_expect(h, e == PAGE_OK || e == PAGE_DOUBLE_FREE || e == PAGE_WRONG_STATE);
		atomic_fetch_add(&r->wins, e == PAGE_OK);
		hand_meet(h);
		hand_expect(h, atomic_load(&r->wins) == 1);
		if (h->cpu == 0 && e == PAGE_OK) {
			hand_expect(h, a->unshare(r->f, me) == PAGE_OK);
			hand_expect(h, a->free(r->f, r->order, me) == PAGE_OK);
		}
		hand_meet(h);
	}
}

void threads_racing_frees(const struct allocator_ops *a)
{
	static struct race r;

	crew_run(a, CONFORM_SMALL, 2, NULL, race_frees, NULL, &r);
	crew_run(a, CONFORM_SMALL, 4, NULL, race_frees, NULL, &r);
}

void threads_free_against_transfer(const struct allocator_ops *a)
{
	static struct race r;

	crew_run(a, CONFORM_SMALL, 2, NULL, race_free_and_transfer, NULL, &r);
}

void threads_free_against_share(const struct allocator_ops *a)
{
	static struct race r;

	crew_run(a, CONFORM_SMALL, 2, NULL, race_free_and_share, NULL, &r);
}
