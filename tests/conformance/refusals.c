/* SPDX-License-Identifier: MIT */
/* Conformance: a wrong free is refused for the right reason, and changes nothing (I5). */
#include "conform.h"

/* Free @f and see it refused. */
static void refused(struct conform *c, frame_t f, unsigned order, owner_t owner,
		    enum page_error why)
{
	struct conform_snapshot before;

	conform_snapshot(c, f, &before);
	EXPECT_EQ(c->a->free(f, order, owner), why);
	conform_unchanged(c, &before);
}

void conform_double_free_is_refused(struct conform *c)
{
	for (unsigned k = 0; k <= 10; k++) {
		/* Two, so that the first one's buddy may well be held when it is freed. */
		if (!conform_take(c, GFP_ATOMIC, k) || !conform_take(c, GFP_ATOMIC, k))
			break;
		frame_t f = c->log[0].f;

		conform_give(c, 0);
		refused(c, f, k, c->owner[0], PAGE_DOUBLE_FREE);
		c->a->drain();
		refused(c, f, k, c->owner[0], PAGE_DOUBLE_FREE);
		refused(c, f, k, c->owner[1], PAGE_DOUBLE_FREE);
		conform_give_all(c, 0);
		/* Merged into something larger by now. */
		refused(c, f, k, c->owner[0], PAGE_DOUBLE_FREE);
	}
}

void conform_foreign_free_is_refused(struct conform *c)
{
	for (unsigned k = 0; k <= 10; k++) {
		if (!conform_take(c, GFP_ATOMIC, k))
			break;
		refused(c, c->log[0].f, k, c->owner[1], PAGE_WRONG_OWNER);
		conform_give(c, 0);
	}
}

void conform_wrong_order_is_refused(struct conform *c)
{
	for (unsigned k = 0; k <= 10; k++) {
		if (!conform_take(c, GFP_ATOMIC, k))
			break;
		frame_t f = c->log[0].f;

		for (unsigned wrong = 0; wrong <= ORDER_MAX; wrong++)
			if (wrong != k)
				refused(c, f, wrong, c->owner[0], f.n % (1u << wrong) == 0 ?
					PAGE_WRONG_ORDER : PAGE_MISALIGNED);
		EXPECT(c->a->free(f, ORDER_COUNT, c->owner[0]) != PAGE_OK);
		EXPECT(c->a->free(f, 64, c->owner[0]) != PAGE_OK);
		EXPECT(c->a->free(f, UINT32_MAX, c->owner[0]) != PAGE_OK);
		conform_give(c, 0);
	}
}

/* Two blocks side by side, both the caller's, are not one block of twice the size. */
void conform_misaligned_free_is_refused(struct conform *c)
{
	conform_confine(c);
	conform_squeeze(c, 64);
	size_t first = c->n;
	conform_take_all(c, 0, c->room);
	for (size_t i = first; i < c->n; i++) {
		frame_t f = c->log[i].f;

		if (f.n % 2 != 0)
			refused(c, f, 1, c->owner[0], PAGE_MISALIGNED);
		else
			refused(c, f, 1, c->owner[0], PAGE_WRONG_ORDER);
	}
}

void conform_free_inside_a_block_is_refused(struct conform *c)
{
	for (unsigned k = 1; k <= 10; k++) {
		if (!conform_take(c, GFP_ATOMIC, k))
			break;
		uint32_t f = c->log[0].f.n, size = 1u << k;

		refused(c, (frame_t){ f + 1 }, 0, c->owner[0], PAGE_INSIDE_BLOCK);
		refused(c, (frame_t){ f + size / 2 }, k - 1, c->owner[0], PAGE_INSIDE_BLOCK);
		refused(c, (frame_t){ f + size - 1 }, 0, c->owner[0], PAGE_INSIDE_BLOCK);
		conform_give(c, 0);
	}
}

/* Never handed out at all, inside a large free block. */
void conform_free_of_a_free_page_is_refused(struct conform *c)
{
	struct page_info info;

	ASSERT(conform_take(c, GFP_ATOMIC, 10) || conform_take(c, GFP_ATOMIC, 4));
	struct block b = c->log[0];
	conform_give(c, 0);
	c->a->drain();
	for (uint32_t i = 0; i < 1u << b.order; i += 1 + i) {
		frame_t f = { b.f.n + i };

		c->a->query(f, &info);
		EXPECT_EQ(info.state, PAGE_FREE);
		refused(c, f, 0, c->owner[0], PAGE_DOUBLE_FREE);
	}
}

/* A dead end, a hole, and numbers that are no frames at all. */
void conform_free_outside_memory_is_refused(struct conform *c)
{
	static const uint32_t nowhere[] = { 0, UINT32_MAX / 2, UINT32_MAX - 1 };
	struct page_info info;

	for (unsigned i = 0; i < 3; i++) {
		c->a->query((frame_t){ nowhere[i] }, &info);
		EXPECT_EQ(info.state, PAGE_RESERVED);
		refused(c, (frame_t){ nowhere[i] }, 0, c->owner[0], PAGE_NOT_RAM);
		EXPECT(c->a->transfer((frame_t){ nowhere[i] }, 0, c->owner[0], c->owner[1]) ==
		       PAGE_NOT_RAM);
	}
}

void conform_nobody_is_refused(struct conform *c)
{
	owner_t stranger = { OWNER_COUNT - 1 }, beyond = { OWNER_COUNT }, far = { UINT8_MAX };
	owner_t bad[] = { OWNER_NONE, stranger, beyond, far };
	struct zone_walk walk;

	ASSERT(conform_take(c, GFP_ATOMIC, 0));
	for (unsigned i = 0; i < 4; i++) {
		EXPECT(frame_is_none(c->a->alloc(GFP_ATOMIC, 0, bad[i], NULL)));
		EXPECT(frame_is_none(c->a->alloc(GFP_ATOMIC, 3, bad[i], &walk)));
		EXPECT(walk.bad_owner);
		EXPECT_EQ(c->a->alloc_bulk(GFP_ATOMIC, 1, &(frame_t){ 0 }, bad[i]), 0);
		refused(c, c->log[0].f, 0, bad[i], PAGE_BAD_OWNER);
		EXPECT_EQ(c->a->transfer(c->log[0].f, 0, c->owner[0], bad[i]), PAGE_BAD_OWNER);
	}
	EXPECT(c->a->forget(c->owner[0]) != 0);		/* it holds a page */
	EXPECT_EQ(c->a->held(c->owner[0]), 1);
}

/* The right ones of a batch are freed all the same; one twice in it counts once. */
void conform_batch_frees_skip_the_wrong_ones(struct conform *c)
{
	frame_t f[6];

	ASSERT_EQ(c->a->alloc_bulk(GFP_ATOMIC, 3, f, c->owner[0]), 3);
	f[3] = f[1];
	f[4] = c->a->alloc(GFP_ATOMIC, 0, c->owner[1], NULL);
	f[5] = c->a->alloc(GFP_ATOMIC, 2, c->owner[0], NULL);
	EXPECT(!frame_is_none(f[4]) && !frame_is_none(f[5]));
	EXPECT_EQ(c->a->free_bulk(6, f, c->owner[0]), 3);
	EXPECT_EQ(c->a->held(c->owner[0]), 4);
	EXPECT_EQ(c->a->held(c->owner[1]), 1);
	EXPECT_EQ(c->a->free(f[4], 0, c->owner[1]), PAGE_OK);
	EXPECT_EQ(c->a->free(f[5], 2, c->owner[0]), PAGE_OK);
}
