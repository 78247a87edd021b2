/* SPDX-License-Identifier: MIT */
/* Reserve contracts while several CPUs fight over the rest. */
#define SUITE "threads.contract"
#include <stdatomic.h>

#include <labyrinth/contract.h>
#include <labyrinth/mm.h>

#include "../../test.h"
#include "crew.h"

#define BLOCKS 8u

struct promise {
	contract_t k;
	owner_t owner;
};

static struct promise promise[CREW_MAX];
static _Atomic unsigned drawing;

/* --- a hog that wants everything, and others who are sure of a little */

static void hog(struct hand *h)
{
	if (h->n == sizeof(h->log) / sizeof(*h->log) || !hand_take(h, GFP_ATOMIC, 0))
		for (unsigned i = 0; i < 20 && h->n > 0; i++)
			hand_give(h, hand_random(h, h->n));
}

static void mark(struct hand *h, void *page, unsigned order, int expected, int now)
{
	hand_mark(h, &(struct block){ .f = page_to_frame(page), .order = (uint8_t)order },
		  expected, now);
}

/* Up to BLOCKS at once, which never fails, and back in any order. */
static void draw(struct hand *h, const struct promise *p, unsigned order)
{
	void *page[BLOCKS];
	unsigned n = 1 + (unsigned)hand_random(h, BLOCKS);
	int me = (int)h->cpu + 1;

	for (unsigned i = 0; i < n; i++) {
		page[i] = allocpages(GFP_NOWAIT, order, p->owner);
		hand_expect(h, page[i] != NULL);
		if (page[i])
			mark(h, page[i], order, 0, me);
	}
	while (n-- > 0)
		if (page[n]) {
			mark(h, page[n], order, me, 0);
			hand_expect(h, freepages(page[n], order, p->owner) == PAGE_OK);
		}
}

static void work(struct hand *h)
{
	unsigned order = *(unsigned *)h->crew->shared;

	while (h->cpu == 0 && atomic_load(&drawing) > 0)
		hog(h);
	for (unsigned i = 0; h->cpu > 0 && i < crew_rounds(3000); i++)
		draw(h, &promise[h->cpu], order);
	if (h->cpu > 0)
		atomic_fetch_sub(&drawing, 1);
}

static void declare_all(struct crew *c)
{
	unsigned order = *(unsigned *)c->shared;

	atomic_store(&drawing, c->hands - 1);
	for (unsigned i = 1; i < c->hands; i++) {
		promise[i].owner = owner_register("sure of it");
		promise[i].k = contract_declare(promise[i].owner, 0, order, BLOCKS, NULL);
		EXPECT(promise[i].k.v != CONTRACT_NONE.v);
	}
	crew_leave_blocks(c, 6, c->hands == 2 ? 0 : 2);
}

static void release_all(struct crew *c)
{
	struct contract_stats s;

	for (unsigned i = 1; i < c->hands; i++) {
		EXPECT(contract_stats(promise[i].k, &s));
		EXPECT_EQ(s.aside, BLOCKS);
		EXPECT_EQ(contract_release(promise[i].k), CONTRACT_OK);
		EXPECT_EQ(owner_unregister(promise[i].owner), 0);
	}
	crew_give_rest_back(c);
}

TEST(kept_while_others_take_all)
{
	static unsigned order;

	for (order = 0; order <= 6; order += 3)
		for (unsigned hands = 2; hands <= 3; hands++)
			crew_run(&labyrinth_ops, CONFORM_SMALL, hands, declare_all, work,
				 release_all, &order);
}

/* --- one contract, all CPUs: the books are shared, and each may have its part */

static void work_together(struct hand *h)
{
	struct promise mine = promise[0];
	void *page[4];

	for (unsigned i = 0; i < crew_rounds(4000); i++) {
		unsigned n = 1 + (unsigned)hand_random(h, 4);

		for (unsigned k = 0; k < n; k++) {
			page[k] = allocpage(GFP_NOWAIT, mine.owner);
			hand_expect(h, page[k] != NULL);
			if (page[k])
				mark(h, page[k], 0, 0, (int)h->cpu + 1);
		}
		while (n-- > 0)
			if (page[n]) {
				mark(h, page[n], 0, (int)h->cpu + 1, 0);
				hand_expect(h, freepage(page[n], mine.owner) == PAGE_OK);
			}
	}
}

static void declare_one(struct crew *c)
{
	promise[0].owner = owner_register("all of us");
	promise[0].k = contract_declare(promise[0].owner, 0, 0, 4 * c->hands, NULL);
	crew_leave_blocks(c, 10, 0);
}

static void release_one(struct crew *c)
{
	struct contract_stats s;

	EXPECT(contract_stats(promise[0].k, &s));
	EXPECT_EQ(s.aside, 4 * c->hands);
	EXPECT_EQ(contract_release(promise[0].k), CONTRACT_OK);
	EXPECT_EQ(owner_unregister(promise[0].owner), 0);
	crew_give_rest_back(c);
}

TEST(one_for_all_cpus)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, declare_one, work_together,
			 release_one, NULL);
}

/* --- declared, drawn on, released with blocks outstanding, all at once */

/* What one declares, all hold together: it fits, beside the others and above the reserve. */
static void all_fit(struct hand *h)
{
	owner_t me = h->crew->owner[0];
	contract_t k;

	h->crew->a->drain();		/* so that what is free is free for all */
	hand_meet(h);
	k = contract_declare(me, 0, 0, BLOCKS, NULL);
	hand_expect(h, k.v != CONTRACT_NONE.v);
	hand_meet(h);
	hand_expect(h, contract_release(k) == CONTRACT_OK);
	hand_meet(h);
}

/* What one declares, nobody can have. */
static void none_fits(struct hand *h)
{
	struct contract_answer why;
	contract_t k = contract_declare(h->crew->owner[0], 0, 6, CONTRACT_BLOCKS_MAX, &why);

	hand_expect(h, k.v == CONTRACT_NONE.v && why.error == CONTRACT_SHORT && why.missing > 0);
}

static void come_and_go(struct hand *h)
{
	owner_t me = h->crew->owner[0];
	void *page[BLOCKS];

	for (unsigned i = 0; i < crew_rounds(1500) && !h->crew->late; i++) {
		unsigned order = (unsigned)hand_random(h, 4), n = 0;
		contract_t k;

		if (i % 50 == 0) {
			all_fit(h);
			none_fits(h);
		}
		/* Admitted or not: that is for the others, who may hold everything, to decide. */
		k = contract_declare(me, 0, order, 1 + hand_random(h, BLOCKS), NULL);
		while (n < BLOCKS && (page[n] = allocpages(GFP_ATOMIC, order, me)))
			mark(h, page[n++], order, 0, (int)h->cpu + 1);
		if (k.v != CONTRACT_NONE.v)
			hand_expect(h, contract_release(k) == CONTRACT_OK);
		while (n-- > 0) {
			mark(h, page[n], order, (int)h->cpu + 1, 0);
			hand_expect(h, freepages(page[n], order, me) == PAGE_OK);
		}
	}
}

/* Two blocks, besides what no contract may take. */
static void leave_little(struct crew *c)
{
	uint64_t frames = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone_stats s;

		zone_stats(z, &s);
		frames += s.min;
	}
	crew_leave_blocks(c, 6, 2 + (unsigned)(frames >> 6));
}

TEST(declared_and_released_at_once)
{
	for (unsigned hands = 2; hands <= 3; hands++)
		crew_run(&labyrinth_ops, CONFORM_SMALL, hands, leave_little, come_and_go,
			 crew_give_rest_back, NULL);
}
