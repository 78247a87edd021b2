/* SPDX-License-Identifier: MIT */
/* Conformance: NULL only when nothing fits (I12), and everything that is free can be had. */
#include "conform.h"

/* Nothing is free: every order fails, for that reason, and changes nothing. */
static void check_nothing_left(struct conform *c)
{
	struct zone_walk walk;
	struct zone_stats s;

	EXPECT_EQ(conform_free(c), 0);
	for (unsigned k = 0; k < ORDER_COUNT; k++) {
		EXPECT(frame_is_none(c->a->alloc(GFP_ATOMIC | c->where, k, c->owner[0], &walk)));
		for (unsigned z = 0; z <= conform_top(c); z++) {
			c->a->zone(z, &s);
			EXPECT_EQ(walk.free[z], 0);
			EXPECT_EQ(walk.zone[z], s.total == 0 ? ZONE_EMPTY :
				  s.total < 1u << k ? ZONE_TOO_SMALL : ZONE_EXHAUSTED);
		}
	}
	EXPECT_EQ(c->a->alloc_bulk(GFP_ATOMIC | c->where, 1, &(frame_t){ 0 }, c->owner[0]), 0);
}

/* One page at a time until NULL: it comes after the very last frame, not before. */
void conform_every_frame_can_be_had(struct conform *c)
{
	conform_confine(c);
	uint64_t free = conform_free(c);
	if (free > c->room / 2)
		conform_squeeze(c, c->room / 2);
	conform_take_all(c, 0, c->room);
	EXPECT_EQ(conform_logged(c), free);
	check_nothing_left(c);
	conform_check_log(c);
	conform_give_all(c, 0);
	EXPECT_EQ(conform_free(c), free);
}

void conform_every_frame_can_be_had_in_a_tiny_machine(struct conform *c)
{
	conform_every_frame_can_be_had(c);
}

/* The largest blocks first; whatever is left over is had by the smaller orders. */
void conform_large_memory_can_be_had_whole(struct conform *c)
{
	conform_confine(c);
	uint64_t free = conform_free(c);
	conform_squeeze(c, 0);
	EXPECT_EQ(conform_logged(c), free);
	check_nothing_left(c);
	conform_check_log(c);
}

/* With one block of an order free, that order can be had and the next one cannot. */
static void one_block_left(struct conform *c, size_t i)
{
	struct block b = c->log[i];

	conform_give(c, i);
	if (b.order < ORDER_MAX)
		EXPECT(!conform_take(c, GFP_ATOMIC, b.order + 1u));
	EXPECT(conform_take(c, GFP_ATOMIC, b.order));
	EXPECT_EQ(c->log[c->n - 1].f.n, b.f.n);
	EXPECT(!conform_take(c, GFP_ATOMIC, 0));
	EXPECT_EQ(c->a->held(c->owner[0]), conform_logged(c));
}

void conform_the_last_block_of_each_order(struct conform *c)
{
	unsigned tried = 0;

	conform_confine(c);
	conform_squeeze(c, 0);
	for (size_t i = 0; i < c->n; i++) {
		if ((tried & 1u << c->log[i].order) != 0)
			continue;
		tried |= 1u << c->log[i].order;
		one_block_left(c, i);
		i = (size_t)-1;			/* the log has another order now */
	}
	EXPECT(tried != 0);
}

/* Wherever it lies, and in whatever order frames come back. */
void conform_a_single_freed_frame_is_found(struct conform *c)
{
	conform_confine(c);
	conform_squeeze(c, 1000);
	size_t first = c->n;
	conform_take_all(c, 0, c->room);
	ASSERT(c->n > first);
	for (unsigned i = 0; i < 300; i++) {
		size_t k = first + test_random_below(c->n - first);
		uint32_t f = c->log[k].f.n;

		conform_give(c, k);
		ASSERT(conform_take(c, GFP_ATOMIC, 0));
		EXPECT_EQ(c->log[c->n - 1].f.n, f);
	}
}

/* Every second frame free: half of the memory, and no two pages together. */
void conform_fragmented_memory_says_so(struct conform *c)
{
	struct zone_walk walk;
	size_t first;

	conform_confine(c);
	conform_squeeze(c, 600);
	first = c->n;
	conform_take_all(c, 0, c->room);
	for (size_t i = c->n; i-- > first;)
		if (c->log[i].f.n % 2 == 0)
			conform_give(c, i);
	EXPECT_CMP(conform_free(c), >=, 200);

	EXPECT(frame_is_none(c->a->alloc(GFP_ATOMIC | c->where, 1, c->owner[0], &walk)));
	for (unsigned z = 0; z <= conform_top(c); z++)
		if (walk.free[z] >= 2)
			EXPECT_EQ(walk.zone[z], ZONE_FRAGMENTED);
	EXPECT(conform_take(c, GFP_ATOMIC, 0));
}
