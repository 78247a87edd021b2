/* SPDX-License-Identifier: MIT */
/*
 * Conformance: long random sequences of right and wrong calls.  The log of what
 * is held is the model: every answer of the allocator is checked against it.
 */
#include "conform.h"

#define STEPS 3000u
#define LIVE  200u				/* blocks held at once, at most */

/* I2, without trusting the allocator: the new block meets none of those held. */
static void check_disjoint(const struct conform *c, const struct block *b)
{
	uint32_t end = b->f.n + (1u << b->order);

	for (size_t i = 0; i < c->n; i++) {
		const struct block *o = &c->log[i];

		EXPECT(end <= o->f.n || o->f.n + (1u << o->order) <= b->f.n);
	}
}

static unsigned top_zone(gfp_t gfp)
{
	return gfp & GFP_DMA ? ZONE_DMA : gfp & GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* I12: NULL, so no allowed zone has a block that this caller is entitled to. */
static void check_nothing_fits(const struct conform *c, gfp_t gfp, unsigned order)
{
	uint64_t size = 1u << order;
	struct zone_stats s;

	for (unsigned z = 0; z <= top_zone(gfp); z++) {
		bool fits = false;

		c->a->zone(z, &s);
		for (unsigned k = order; k < ORDER_COUNT; k++)
			fits |= s.blocks[k] > 0;
		if (gfp & GFP_NOWAIT && s.free < s.min + size)
			fits = false;
		EXPECT(!fits);
	}
}

static gfp_t random_gfp(unsigned order)
{
	static const gfp_t where[] = { 0, 0, GFP_DMA, GFP_DMA32 };
	gfp_t gfp = test_random_below(4) ? GFP_ATOMIC : GFP_NOWAIT;

	gfp |= where[test_random_below(4)];
	if (test_random_below(8) == 0)
		gfp |= GFP_EXCL;
	if (order <= 3 && test_random_below(8) == 0)
		gfp |= GFP_ZERO;
	return gfp;
}

static void step_alloc(struct conform *c)
{
	unsigned order = (unsigned)test_random_below(test_random_below(12) + 1);
	uint8_t who = (uint8_t)test_random_below(CONFORM_OWNERS);
	gfp_t gfp = random_gfp(order);

	if (c->n >= LIVE || c->n == c->room)
		return;
	if (c->where)
		gfp = (gfp & ~GFP_WHERE) | c->where;
	frame_t f = c->a->alloc(gfp, order, c->owner[who], NULL);
	if (frame_is_none(f)) {
		check_nothing_fits(c, gfp, order);
		return;
	}

	struct block b = { .f = f, .order = (uint8_t)order, .owner = who,
			   .excl = (gfp & GFP_EXCL) != 0 };
	EXPECT_EQ(f.n % (1u << order), 0);
	if (gfp & GFP_DMA)
		EXPECT_CMP(f.n + (1u << order), <=, ZONE_DMA_END);
	if (gfp & GFP_DMA32)
		EXPECT_CMP(f.n + (1u << order), <=, ZONE_DMA32_END);
	check_disjoint(c, &b);
	c->log[c->n++] = b;
}

static void step_wrong_free(struct conform *c, const struct block *b)
{
	owner_t me = c->owner[b->owner], other = c->owner[(b->owner + 1) % CONFORM_OWNERS];
	unsigned wrong = (unsigned)test_random_below(ORDER_COUNT);

	EXPECT_EQ(c->a->free(b->f, b->order, other), PAGE_WRONG_OWNER);
	EXPECT_EQ(c->a->free(b->f, b->order, OWNER_NONE), PAGE_BAD_OWNER);
	if (wrong != b->order)
		EXPECT_EQ(c->a->free(b->f, wrong, me), b->f.n % (1u << wrong) ?
			  PAGE_MISALIGNED : PAGE_WRONG_ORDER);
	if (b->order > 0)
		EXPECT_EQ(c->a->free((frame_t){ b->f.n + 1 }, 0, me), PAGE_INSIDE_BLOCK);
	if (b->refs > 0)
		EXPECT_EQ(c->a->free(b->f, b->order, me), PAGE_WRONG_STATE);
}

static void step_transfer(struct conform *c, struct block *b)
{
	uint8_t to = (uint8_t)test_random_below(CONFORM_OWNERS);
	page_handle_t h = c->a->handle(b->f);

	EXPECT(c->a->handle_valid(h));
	enum page_error e = c->a->transfer(b->f, b->order, c->owner[b->owner], c->owner[to]);
	EXPECT_EQ(e, b->refs > 0 ? PAGE_WRONG_STATE : PAGE_OK);
	EXPECT_EQ(c->a->handle_valid(h), e != PAGE_OK);
	if (e == PAGE_OK)
		b->owner = to;
}

static void step_share(struct conform *c, struct block *b)
{
	owner_t me = c->owner[b->owner];

	if (test_random_below(2) == 0) {
		EXPECT_EQ(c->a->unshare(b->f, me), b->refs > 0 ? PAGE_OK : PAGE_WRONG_STATE);
		b->refs = (uint8_t)(b->refs > 0 ? b->refs - 1 : 0);
	} else if (b->refs < 5) {
		EXPECT_EQ(c->a->share(b->f, me), b->excl ? PAGE_WRONG_STATE : PAGE_OK);
		b->refs = (uint8_t)(b->refs + !b->excl);
	}
}

static void step_free(struct conform *c, size_t i)
{
	struct block b = c->log[i];
	page_handle_t h = c->a->handle(b.f);

	conform_give(c, i);
	EXPECT(!c->a->handle_valid(h));
	EXPECT_EQ(c->a->free(b.f, b.order, c->owner[b.owner]), PAGE_DOUBLE_FREE);
}

static void step_batch(struct conform *c)
{
	frame_t f[40];
	size_t want = test_random_below(40), n = c->a->alloc_bulk(GFP_ATOMIC | c->where, want, f,
							   c->owner[0]);

	if (n < want)
		check_nothing_fits(c, GFP_ATOMIC | c->where, 0);
	for (size_t i = 0; i < n; i++)
		check_disjoint(c, &(struct block){ .f = f[i] });
	EXPECT_EQ(c->a->free_bulk(n, f, c->owner[0]), n);
}

static void step(struct conform *c)
{
	unsigned what = (unsigned)test_random_below(20);
	size_t i = c->n > 0 ? test_random_below(c->n) : 0;

	if (what < 8 || c->n == 0)
		step_alloc(c);
	else if (what < 14)
		step_free(c, i);
	else if (what < 15)
		step_wrong_free(c, &c->log[i]);
	else if (what < 16)
		step_transfer(c, &c->log[i]);
	else if (what < 18)
		step_share(c, &c->log[i]);
	else if (what < 19)
		step_batch(c);
	else
		c->a->drain();
}

void conform_random_calls(struct conform *c)
{
	for (unsigned i = 1; i <= STEPS; i++) {
		step(c);
		if (i % (STEPS / 4) == 0) {
			conform_check_log(c);
			EXPECT_EQ(c->a->audit(NULL), 0);
		}
	}
}

void conform_random_calls_in_a_tiny_machine(struct conform *c)
{
	conform_random_calls(c);
}

/* Most of memory is the test's for good: the rest is always short. */
void conform_random_calls_with_little_left(struct conform *c)
{
	struct block *log = c->log;
	size_t n, room = c->room;

	conform_confine(c);
	conform_squeeze(c, 300);
	/* The log proper starts behind what was squeezed out. */
	n = c->n;
	c->log += n;
	c->room -= n;
	c->n = 0;
	for (unsigned i = 0; i < STEPS; i++)
		step(c);
	conform_give_all(c, 0);
	c->log = log;
	c->room = room;
	c->n = n;
	EXPECT_EQ(c->a->audit(NULL), 0);
}
