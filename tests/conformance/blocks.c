/* SPDX-License-Identifier: MIT */
/* Conformance: blocks are aligned, disjoint, counted, and come back whole. */
#include "conform.h"

/* I4, I7: aligned, wholly its owner's, counted; and back to what it was when freed. */
static void one_of_order(struct conform *c, unsigned order)
{
	uint64_t size = 1u << order, free = conform_free(c);

	if (!conform_take(c, GFP_ATOMIC, order))
		return;
	conform_check_log(c);
	EXPECT_EQ(conform_free(c), free - size);
	EXPECT_EQ(c->a->held(c->owner[0]), size);
	conform_give(c, 0);
	EXPECT_EQ(conform_free(c), free);
}

void conform_every_order_is_aligned(struct conform *c)
{
	for (unsigned k = 0; k < ORDER_COUNT; k++)
		one_of_order(c, k);
}

void conform_the_largest_orders_too(struct conform *c)
{
	struct zone_stats s;

	for (unsigned k = 10; k < ORDER_COUNT; k++)
		one_of_order(c, k);
	c->a->zone(ZONE_NORMAL, &s);
	if (s.blocks[ORDER_MAX] == 0)
		test_note("no free block of order %u in this machine", ORDER_MAX);
}

/* I2, with all orders mixed: small ones more often, as in life. */
void conform_blocks_are_disjoint(struct conform *c)
{
	for (unsigned i = 0; i < 500; i++)
		conform_take(c, GFP_ATOMIC, (unsigned)test_random_below(test_random_below(8) + 1));
	conform_check_log(c);
	/* The holes that freed blocks leave are filled again. */
	for (unsigned round = 0; round < 500; round++) {
		if (c->n > 0 && test_random_below(2))
			conform_give(c, test_random_below(c->n));
		else
			conform_take(c, GFP_ATOMIC, (unsigned)test_random_below(6));
	}
	conform_check_log(c);
}

/* I3 in every zone, while blocks come and go. */
static void check_sums(const struct conform *c)
{
	struct zone_stats s;

	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		uint64_t in_blocks = 0;

		c->a->zone(z, &s);
		EXPECT_EQ(s.free + s.held + s.quarantined, s.total);
		EXPECT_CMP(s.cached, <=, s.free);
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			in_blocks += s.blocks[k] << k;
		EXPECT_EQ(in_blocks, s.free);
	}
}

void conform_frames_add_up(struct conform *c)
{
	uint64_t free = conform_free(c);

	for (unsigned i = 0; i < 40; i++) {
		conform_take(c, GFP_ATOMIC, i % 7);
		if (i % 3 == 2)
			conform_give(c, test_random_below(c->n));
		check_sums(c);
		EXPECT_EQ(conform_free(c) + conform_logged(c), free);
		EXPECT_EQ(c->a->held(c->owner[0]), conform_logged(c));
	}
}

/* I8; conform_run() compares the blocks by order with those before. */
void conform_split_and_merge_lose_nothing(struct conform *c)
{
	for (unsigned k = 0; k <= 9; k++) {
		conform_take_all(c, k, 600);
		conform_check_log(c);
		conform_give_all(c, 0);
	}
	EXPECT_EQ(c->a->audit(NULL), 0);
}

/* Split a block of the highest order down to single pages, and have it back. */
void conform_large_blocks_come_back(struct conform *c)
{
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned k = ORDER_COUNT; k-- > 0;)
			conform_take(c, GFP_ATOMIC, k);
		conform_check_log(c);
		conform_give_all(c, 0);
	}
}

void conform_batches_are_like_single_pages(struct conform *c)
{
	static frame_t f[300];		/* more than any cache or group holds */

	for (size_t want = 1; want <= 300; want += 1 + want / 2) {
		size_t n = c->a->alloc_bulk(GFP_ATOMIC, want, f, c->owner[0]);

		EXPECT_EQ(n, want);
		for (size_t i = 0; i < n; i++)
			c->log[c->n++] = (struct block){ .f = f[i] };
		conform_check_log(c);
		c->n = 0;
		/* Half goes back as a batch, half one by one: it makes no difference. */
		EXPECT_EQ(c->a->free_bulk(n / 2, f, c->owner[0]), n / 2);
		for (size_t i = n / 2; i < n; i++)
			EXPECT_EQ(c->a->free(f[i], 0, c->owner[0]), PAGE_OK);
		EXPECT_EQ(c->a->held(c->owner[0]), 0);
	}
	EXPECT_EQ(c->a->alloc_bulk(GFP_ATOMIC, 0, f, c->owner[0]), 0);
}

/* A word that tells in which place of which block it was written. */
static uint64_t pattern(frame_t f, size_t word)
{
	return ((uint64_t)f.n << 20 | word) * 0x9e3779b97f4a7c15u;
}

#define WORDS (PAGE_SIZE / sizeof(uint64_t))

static void fill(const struct conform *c, const struct block *b)
{
	uint64_t *w = (void *)c->a->bytes(b->f);

	for (size_t i = 0; i < WORDS << b->order; i++)
		w[i] = pattern(b->f, i);
}

static size_t count_broken(const struct conform *c, const struct block *b)
{
	const uint64_t *w = (void *)c->a->bytes(b->f);
	size_t broken = 0;

	for (size_t i = 0; i < WORDS << b->order; i++)
		broken += w[i] != pattern(b->f, i);
	return broken;
}

/* I9: also when the page has just been somebody's and is full of their data. */
void conform_zeroed_pages_are_zero(struct conform *c)
{
	for (unsigned i = 0; i < 40; i++) {
		bool zero = i % 2 == 1;

		if (!conform_take(c, zero ? GFP_ATOMIC | GFP_ZERO : GFP_ATOMIC, i / 2 % 4))
			break;

		const uint64_t *w = (void *)c->a->bytes(c->log[0].f);
		size_t dirty = 0;
		for (size_t k = 0; zero && k < WORDS << c->log[0].order; k++)
			dirty += w[k] != 0;
		EXPECT_EQ(dirty, 0);
		fill(c, &c->log[0]);
		conform_give(c, 0);
	}
}

/* I4: nothing else changed, and so not the contents of what others hold. */
void conform_contents_stay_as_they_are(struct conform *c)
{
	for (unsigned i = 0; i < 12; i++)
		if (conform_take(c, GFP_ATOMIC, i % 4))
			fill(c, &c->log[i]);

	size_t kept = c->n;
	for (unsigned i = 0; i < 100; i++) {
		conform_take(c, i % 2 ? GFP_ATOMIC | GFP_ZERO : GFP_ATOMIC, i % 3);
		if (c->n > kept && i % 3 == 0)
			conform_give(c, kept + test_random_below(c->n - kept));
	}
	for (size_t i = 0; i < kept; i++)
		EXPECT_EQ(count_broken(c, &c->log[i]), 0);
}
