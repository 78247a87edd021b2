/* SPDX-License-Identifier: MIT */
/* Conformance: blocks change hands, are shared, and the names of the gone go stale. */
#include "conform.h"

void conform_transfer_changes_the_owner(struct conform *c)
{
	for (unsigned k = 0; k <= 9; k++) {
		if (!conform_take(c, GFP_ATOMIC, k))
			break;
		frame_t f = c->log[0].f;
		page_handle_t before = c->a->handle(f);

		EXPECT_EQ(c->a->transfer(f, k, c->owner[0], c->owner[1]), PAGE_OK);
		c->log[0].owner = 1;
		conform_check_log(c);			/* I7 for both of them */
		EXPECT(!c->a->handle_valid(before));
		EXPECT(c->a->handle_valid(c->a->handle(f)));
		EXPECT_EQ(c->a->free(f, k, c->owner[0]), PAGE_WRONG_OWNER);
		conform_give(c, 0);
	}
}

static void transfer_refused(struct conform *c, frame_t f, unsigned order, owner_t from,
			     owner_t to, enum page_error why)
{
	struct conform_snapshot before;

	conform_snapshot(c, f, &before);
	EXPECT_EQ(c->a->transfer(f, order, from, to), why);
	conform_unchanged(c, &before);
}

void conform_wrong_transfer_is_refused(struct conform *c)
{
	owner_t me = c->owner[0], you = c->owner[1], third = c->owner[2];

	ASSERT(conform_take(c, GFP_ATOMIC, 3));
	frame_t f = c->log[0].f, inside = { f.n + 2 };
	transfer_refused(c, f, 3, you, third, PAGE_WRONG_OWNER);
	transfer_refused(c, f, 2, me, you, PAGE_WRONG_ORDER);
	transfer_refused(c, inside, 1, me, you, PAGE_INSIDE_BLOCK);
	transfer_refused(c, inside, 3, me, you, PAGE_MISALIGNED);
	transfer_refused(c, f, 3, me, OWNER_NONE, PAGE_BAD_OWNER);
	transfer_refused(c, f, 3, OWNER_NONE, you, PAGE_BAD_OWNER);
	conform_give(c, 0);
	transfer_refused(c, f, 3, me, you, PAGE_DOUBLE_FREE);
}

/* While there are references, the block can neither be freed nor change hands. */
void conform_shared_blocks_stay(struct conform *c)
{
	struct page_info info;

	for (unsigned k = 0; k <= 3; k++) {
		if (!conform_take(c, GFP_ATOMIC, k))
			break;
		frame_t f = c->log[0].f;

		EXPECT_EQ(c->a->unshare(f, c->owner[0]), PAGE_WRONG_STATE);
		for (unsigned refs = 1; refs <= 20; refs++) {
			EXPECT_EQ(c->a->share(f, c->owner[0]), PAGE_OK);
			c->a->query(f, &info);
			EXPECT_EQ(info.state, PAGE_SHARED);
			EXPECT_EQ(info.refs, refs);
		}
		EXPECT_EQ(c->a->free(f, k, c->owner[0]), PAGE_WRONG_STATE);
		transfer_refused(c, f, k, c->owner[0], c->owner[1], PAGE_WRONG_STATE);
		for (unsigned refs = 20; refs > 0; refs--)
			EXPECT_EQ(c->a->unshare(f, c->owner[0]), PAGE_OK);
		EXPECT_EQ(c->a->unshare(f, c->owner[0]), PAGE_WRONG_STATE);
		c->a->query(f, &info);
		EXPECT_EQ(info.state, PAGE_HELD);
		conform_give(c, 0);
		EXPECT_EQ(c->a->share(f, c->owner[0]), PAGE_DOUBLE_FREE);
	}
}

void conform_exclusive_blocks_are_never_shared(struct conform *c)
{
	struct page_info info;

	for (unsigned k = 0; k <= 3; k++) {
		if (!conform_take(c, GFP_ATOMIC | GFP_EXCL, k))
			break;
		frame_t f = c->log[0].f;

		c->a->query(f, &info);
		EXPECT_EQ(info.state, PAGE_EXCLUSIVE);
		EXPECT_EQ(c->a->share(f, c->owner[0]), PAGE_WRONG_STATE);
		EXPECT_EQ(c->a->transfer(f, k, c->owner[0], c->owner[2]), PAGE_OK);
		c->log[0].owner = 2;
		c->a->query(f, &info);
		EXPECT_EQ(info.state, PAGE_EXCLUSIVE);	/* it is what the page is, not who */
		EXPECT_EQ(c->a->share(f, c->owner[2]), PAGE_WRONG_STATE);
		conform_check_log(c);
		conform_give(c, 0);
	}
}

/* A handle outlives its page, and knows it: also when the frame is somebody's again. */
void conform_handles_go_stale(struct conform *c)
{
	conform_confine(c);
	conform_squeeze(c, 16);
	size_t first = c->n;
	conform_take_all(c, 0, c->room);
	ASSERT(c->n > first);
	frame_t f = c->log[first].f;
	page_handle_t old = c->a->handle(f);

	EXPECT(c->a->handle_valid(old));
	for (unsigned i = 0; i < 100; i++) {
		conform_give(c, first);
		EXPECT(!c->a->handle_valid(old));
		ASSERT(conform_take(c, GFP_ATOMIC, 0));
		EXPECT_EQ(c->log[c->n - 1].f.n, f.n);	/* the only one left */
		EXPECT(!c->a->handle_valid(old));
		EXPECT(c->a->handle_valid(c->a->handle(f)));
		struct block b = c->log[c->n - 1];
		c->log[c->n - 1] = c->log[first];
		c->log[first] = b;
	}
}
