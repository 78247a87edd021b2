/* SPDX-License-Identifier: MIT */
/* Conformance: flags, zone limits, the zone walk, and watermarks. */
#include "conform.h"

void conform_contradictory_flags_are_refused(struct conform *c)
{
	static const gfp_t bad[] = {
		0, GFP_ZERO, GFP_DMA, GFP_ATOMIC | GFP_NOWAIT, GFP_ATOMIC | GFP_KERNEL,
		GFP_NOWAIT | GFP_KERNEL, GFP_BEHAVIOUR, GFP_ATOMIC | GFP_DMA | GFP_DMA32,
		GFP_ATOMIC | 0x8000u, GFP_ATOMIC | 0x80000000u,
	};
	struct zone_walk walk;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT(frame_is_none(c->a->alloc(bad[i], 0, c->owner[0], NULL)));
		EXPECT(frame_is_none(c->a->alloc(bad[i], 0, c->owner[0], &walk)));
		EXPECT(walk.bad_flags);
		EXPECT_EQ(c->a->alloc_bulk(bad[i], 1, &(frame_t){ 0 }, c->owner[0]), 0);
	}
	for (unsigned k = ORDER_COUNT; k < 200; k++) {
		EXPECT(frame_is_none(c->a->alloc(GFP_ATOMIC, k, c->owner[0], &walk)));
		EXPECT(walk.bad_flags);
	}
}

/* How far up a request may go. */
static uint32_t limit_of(gfp_t where)
{
	return where == GFP_DMA ? ZONE_DMA_END : where == GFP_DMA32 ? ZONE_DMA32_END : UINT32_MAX;
}

/* I4: lies below the limit, with its last frame too; and there is no other reason for NULL. */
void conform_zone_limits_hold(struct conform *c)
{
	static const gfp_t where[] = { GFP_DMA, GFP_DMA32, 0 };
	struct zone_stats s;

	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k <= 6; k += 3) {
			size_t n = c->n;

			while (c->n < n + 50 && conform_take(c, GFP_ATOMIC | where[i], k))
				EXPECT_CMP(c->log[c->n - 1].f.n + (1u << k), <=,
					   limit_of(where[i]));
		}
		conform_check_log(c);
	}
	conform_give_all(c, 0);

	/* All of the lowest zone can be had by those who need it, and nothing more. */
	c->a->zone(ZONE_DMA, &s);
	uint64_t free = s.free;
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (conform_take(c, GFP_ATOMIC | GFP_DMA, k))
			continue;
	EXPECT_EQ(conform_logged(c), free);
	c->a->zone(ZONE_DMA, &s);
	EXPECT_EQ(s.free, 0);
}

/* Is there a free block of at least this order in the zone? */
static bool fits(const struct zone_stats *s, unsigned order)
{
	for (unsigned k = order; k < ORDER_COUNT; k++)
		if (s->blocks[k] > 0)
			return true;
	return false;
}

/* Low memory is scarce: who does not need it gets it only when nothing above fits. */
static bool take_from_the_highest(struct conform *c, unsigned order)
{
	struct zone_stats dma32, normal;

	c->a->zone(ZONE_DMA32, &dma32);
	c->a->zone(ZONE_NORMAL, &normal);
	if (!conform_take(c, GFP_ATOMIC, order))
		return false;
	if (fits(&normal, order))
		EXPECT_CMP(c->log[c->n - 1].f.n, >=, ZONE_DMA32_END);
	else if (fits(&dma32, order))
		EXPECT_CMP(c->log[c->n - 1].f.n, >=, ZONE_DMA_END);
	return true;
}

void conform_high_memory_goes_first(struct conform *c)
{
	unsigned top = conform_may_take(conform_free(c)) ? ORDER_MAX : 9;

	/* Downwards to single pages, of which the zones have enough of their own. */
	for (unsigned k = top + 1; k-- > 1;)
		for (unsigned i = 0; i < 50 && take_from_the_highest(c, k); i++)
			continue;
	conform_give_all(c, 0);
	take_from_the_highest(c, 0);
}

/* Every zone of a walk has its answer: excluded above the limit, served at most once. */
static void check_walk(const struct conform *c, gfp_t where, unsigned order)
{
	unsigned top = where == GFP_DMA ? ZONE_DMA : where == GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
	struct zone_stats s[ZONE_COUNT];
	struct zone_walk walk;
	bool served = false;

	for (unsigned z = 0; z < ZONE_COUNT; z++)
		c->a->zone(z, &s[z]);
	frame_t f = c->a->alloc(GFP_ATOMIC | where, order, c->owner[0], &walk);
	EXPECT(!walk.bad_flags && !walk.bad_owner);
	for (unsigned z = ZONE_COUNT; z-- > 0;) {
		EXPECT_EQ(walk.zone[z] == ZONE_NOT_TRIED, served && z <= top);
		EXPECT_EQ(walk.zone[z] == ZONE_EXCLUDED, z > top);
		if (!served && z <= top)
			EXPECT_EQ(walk.zone[z] == ZONE_EMPTY, s[z].total == 0);
		if (walk.zone[z] == ZONE_SERVED) {
			EXPECT(!served);
			EXPECT_EQ(walk.free[z], s[z].free);
			served = true;
		}
	}
	EXPECT_EQ(served, !frame_is_none(f));
	if (served)
		EXPECT_EQ(c->a->free(f, order, c->owner[0]), PAGE_OK);
}

void conform_the_walk_tells_what_happened(struct conform *c)
{
	static const gfp_t where[] = { 0, GFP_DMA32, GFP_DMA };

	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			check_walk(c, where[i], k);
}

/* NOWAIT stops at the watermark of each zone and says so; ATOMIC goes on to the end. */
void conform_nowait_leaves_the_reserve(struct conform *c)
{
	uint64_t start[ZONE_COUNT], reserve = 0;
	struct zone_walk walk;
	struct zone_stats s;

	conform_confine(c);
	for (unsigned z = 0; z <= conform_top(c); z++) {
		c->a->zone(z, &s);
		start[z] = s.free;
	}
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (conform_take(c, GFP_NOWAIT, k))
			continue;
	EXPECT(frame_is_none(c->a->alloc(GFP_NOWAIT | c->where, 0, c->owner[0], &walk)));
	for (unsigned z = 0; z <= conform_top(c); z++) {
		c->a->zone(z, &s);
		reserve += s.free;
		EXPECT_EQ(s.free, start[z] < s.min ? start[z] : s.min);
		EXPECT_EQ(walk.zone[z], s.total == 0 ? ZONE_EMPTY :
			  s.free > 0 ? ZONE_BELOW_WATERMARK : ZONE_EXHAUSTED);
	}
	EXPECT_CMP(reserve, >, 0);

	uint64_t before = conform_logged(c);
	conform_take_all(c, 0, c->room);
	EXPECT_EQ(conform_logged(c), before + reserve);
}
