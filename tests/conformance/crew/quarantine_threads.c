/* SPDX-License-Identifier: MIT */
/* One CPU reports damage and pardons it while others take and give back: nothing is lost. */
#define SUITE "threads.quarantine"
#include <labyrinth/damage.h>

#include "../../test.h"
#include "crew.h"

#define REPORTED_MAX 40u		/* fewer than DAMAGED_MAX: each is remembered */

static frame_t reported[REPORTED_MAX];
static unsigned nreported;
static _Atomic unsigned told;

static void hear(owner_t owner, void *block, unsigned order, void *page)
{
	(void)owner;
	(void)order;
	atomic_fetch_add(&told, (char *)page >= (char *)block);
}

/* In the kernel some frames are others' for good: those would stay out of quarantine. */
static bool is_a_strangers(struct hand *h, frame_t f)
{
	struct page_info info;

	page_query(f, &info);
	return info.state != PAGE_FREE && info.state != PAGE_RESERVED &&
	       info.state != PAGE_QUARANTINED && info.owner.id != h->crew->owner[0].id;
}

/* A frame that was ours a moment ago, or is somebody's, or lies beside one: anything goes. */
static void report_one(struct hand *h)
{
	frame_t f;

	if (nreported == REPORTED_MAX || !hand_take(h, GFP_ATOMIC, 0))
		return;
	f = h->log[h->n - 1].f;
	if (hand_random(h, 2))
		hand_give(h, h->n - 1);
	f.n ^= (uint32_t)hand_random(h, 64);
	if (is_a_strangers(h, f))
		return;
	switch (page_damaged(f)) {
	case DAMAGE_QUARANTINED: case DAMAGE_HELD: case DAMAGE_WAITING:
		for (unsigned i = 0; i < nreported; i++)
			if (reported[i].n == f.n)
				return;
		reported[nreported++] = f;
		break;
	case DAMAGE_RESERVED:
		break;
	default:
		hand_expect(h, false);
	}
}

static void pardon_some(struct hand *h)
{
	unsigned i = nreported ? (unsigned)hand_random(h, nreported) : 0;

	if (nreported && page_pardon(reported[i]))
		reported[i] = reported[--nreported];
	page_damaged_retry();
}

static void damage(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(3000); i++) {
		if (h->cpu == 0 && hand_random(h, 2))
			report_one(h);
		else if (h->cpu == 0)
			pardon_some(h);
		if (h->n > 0 && (h->n > 100 || hand_random(h, 2)))
			hand_give(h, hand_random(h, h->n));
		else
			hand_take(h, GFP_ATOMIC, (unsigned)hand_random(h, 8));
	}
}

static void begin(struct crew *c)
{
	nreported = 0;
	page_on_damage(c->owner[0], hear);
}

/* At rest each that is left can be found. */
static void pardon_all(struct crew *c)
{
	struct zone_stats s;
	uint64_t quarantined = 0;

	for (unsigned i = 0; i < c->hands; i++)
		while (c->hand[i].n > 0)
			hand_give(&c->hand[i], c->hand[i].n - 1);
	c->a->drain();
	EXPECT_EQ(page_damaged_retry(), 0);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		quarantined += s.quarantined;
	}
	EXPECT_EQ(quarantined, nreported);
	for (unsigned i = 0; i < nreported; i++)
		EXPECT(page_pardon(reported[i]));
}

TEST(reports_race_with_everything)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, begin, damage, pardon_all, NULL);
}
