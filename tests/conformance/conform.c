/* SPDX-License-Identifier: MIT */
/* What the conformance tests have in common: taking, giving back, and checking. */
#include "conform.h"

/* --- around each test */

static void report(const char *what)
{
	test_note("audit: %s", what);
}

static void check_zones(const struct conform *c, const struct zone_stats before[ZONE_COUNT])
{
	struct zone_stats after;

	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		c->a->zone(z, &after);
		EXPECT_EQ(after.total, before[z].total);
		EXPECT_EQ(after.free, before[z].free);
		EXPECT_EQ(after.held, before[z].held);
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			EXPECT_EQ(after.blocks[k], before[z].blocks[k]);
	}
}

static void read_zones(const struct conform *c, struct zone_stats out[ZONE_COUNT])
{
	c->a->drain();
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		c->a->zone(z, &out[z]);
}

static void run_between(struct conform *c, void (*test)(struct conform *c))
{
	static struct zone_stats before[ZONE_COUNT];	/* large for a kernel stack */

	read_zones(c, before);
	test(c);
	conform_give_all(c, 0);
	c->a->drain();
	for (unsigned i = 0; i < CONFORM_OWNERS; i++)
		EXPECT_EQ(c->a->held(c->owner[i]), 0);
	check_zones(c, before);
	EXPECT_EQ(c->a->audit(report), 0);
}

void conform_run(const struct allocator_ops *a, enum conform_machine machine,
		 void (*test)(struct conform *c))
{
	static const char *const name[CONFORM_OWNERS] = { "ariadne", "daedalus", "theseus" };
	struct conform c = { .a = a };

	ASSERT_EQ(conform_start(a, machine, 1), 0);
	c.room = conform_log_get(&c.log);
	EXPECT(c.room > 0);
	for (unsigned i = 0; i < CONFORM_OWNERS; i++) {
		c.owner[i] = a->owner(name[i]);
		EXPECT(c.owner[i].id != OWNER_NONE.id);
	}
	if (c.room > 0)
		run_between(&c, test);
	for (unsigned i = CONFORM_OWNERS; i-- > 0;)
		EXPECT_EQ(a->forget(c.owner[i]), 0);
	conform_log_put(c.log);
	a->stop();
}

/* --- taking and giving back */

void conform_confine(struct conform *c)
{
	c->where = conform_may_take(conform_free(c)) ? 0 : GFP_DMA;
}

unsigned conform_top(const struct conform *c)
{
	return c->where == GFP_DMA ? ZONE_DMA : ZONE_NORMAL;
}

bool conform_take(struct conform *c, gfp_t gfp, unsigned order)
{
	if (c->n == c->room)
		return false;

	frame_t f = c->a->alloc(gfp | c->where, order, c->owner[0], NULL);
	if (frame_is_none(f))
		return false;
	c->log[c->n++] = (struct block){ .f = f, .order = (uint8_t)order };
	return true;
}

size_t conform_take_all(struct conform *c, unsigned order, size_t max)
{
	size_t n = 0;

	while (n < max && conform_take(c, GFP_ATOMIC, order))
		n++;
	return n;
}

void conform_squeeze(struct conform *c, uint64_t spare)
{
	uint64_t left = conform_free(c);

	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (left >= spare + (1u << k) && conform_take(c, GFP_ATOMIC, k))
			left -= 1u << k;
}

void conform_give(struct conform *c, size_t i)
{
	struct block b = c->log[i];

	for (; b.refs > 0; b.refs--)
		EXPECT_EQ(c->a->unshare(b.f, c->owner[b.owner]), PAGE_OK);
	EXPECT_EQ(c->a->free(b.f, b.order, c->owner[b.owner]), PAGE_OK);
	c->log[i] = c->log[--c->n];
}

void conform_give_all(struct conform *c, size_t from)
{
	while (c->n > from)
		conform_give(c, from + test_random_below(c->n - from));
}

/* --- checking */

uint64_t conform_free(const struct conform *c)
{
	struct zone_stats s;
	uint64_t sum = 0;

	for (unsigned z = 0; z <= conform_top(c); z++) {
		c->a->zone(z, &s);
		sum += s.free;
	}
	return sum;
}

uint64_t conform_logged(const struct conform *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += 1u << c->log[i].order;
	return sum;
}

/* Heapsort (Williams, Algorithm 232, CACM 7(6), 1964): in place, and without a library. */
static void sift_down(struct block *b, size_t i, size_t n)
{
	for (size_t child = 2 * i + 1; child < n; i = child, child = 2 * i + 1) {
		if (child + 1 < n && b[child + 1].f.n > b[child].f.n)
			child++;
		if (b[i].f.n >= b[child].f.n)
			return;
		struct block t = b[i];
		b[i] = b[child];
		b[child] = t;
	}
}

static void sort_log(struct conform *c)
{
	for (size_t i = c->n / 2; i-- > 0;)
		sift_down(c->log, i, c->n);
	for (size_t n = c->n; n > 1;) {
		struct block last = c->log[--n];

		c->log[n] = c->log[0];
		c->log[0] = last;
		sift_down(c->log, 0, n);
	}
}

/* What the allocator says about a block, against what the test knows. */
static void check_block(const struct conform *c, const struct block *b)
{
	struct page_info info, first;

	c->a->query(b->f, &first);
	c->a->query((frame_t){ b->f.n + (1u << b->order) - 1 }, &info);
	EXPECT_EQ(info.head.n, b->f.n);
	EXPECT_EQ(info.order, b->order);
	EXPECT_EQ(info.owner.id, c->owner[b->owner].id);
	EXPECT(info.in_zone && first.in_zone);
	EXPECT_EQ(first.zone, info.zone);
	EXPECT(info.state == PAGE_HELD || info.state == PAGE_SHARED ||
	       info.state == PAGE_EXCLUSIVE);
}

void conform_check_log(struct conform *c)
{
	uint64_t frames[CONFORM_OWNERS] = { 0 };

	sort_log(c);
	for (size_t i = 0; i < c->n; i++) {
		const struct block *b = &c->log[i];

		EXPECT_EQ(b->f.n % (1u << b->order), 0);
		if (i + 1 < c->n)
			EXPECT_CMP(b->f.n + (1u << b->order), <=, b[1].f.n);
		check_block(c, b);
		frames[b->owner] += 1u << b->order;
	}
	for (unsigned i = 0; i < CONFORM_OWNERS; i++)
		EXPECT_EQ(c->a->held(c->owner[i]), frames[i]);
}

void conform_snapshot(const struct conform *c, frame_t f, struct conform_snapshot *out)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		c->a->zone(z, &out->zone[z]);
	for (unsigned i = 0; i < CONFORM_OWNERS; i++)
		out->held[i] = c->a->held(c->owner[i]);
	out->info = (struct page_info){ .frame = f };
	c->a->query(f, &out->info);
}

void conform_unchanged(const struct conform *c, const struct conform_snapshot *before)
{
	struct page_info now = { .frame = before->info.frame };

	check_zones(c, before->zone);
	for (unsigned i = 0; i < CONFORM_OWNERS; i++)
		EXPECT_EQ(c->a->held(c->owner[i]), before->held[i]);
	c->a->query(now.frame, &now);
	EXPECT_EQ(now.head.n, before->info.head.n);
	EXPECT_EQ(now.state, before->info.state);
	EXPECT_EQ(now.order, before->info.order);
	EXPECT_EQ(now.owner.id, before->info.owner.id);
	EXPECT_EQ(now.generation, before->info.generation);
	EXPECT_EQ(now.refs, before->info.refs);
}
