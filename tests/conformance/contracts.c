/* SPDX-License-Identifier: MIT */
/* Reserve contracts: what was promised is there, whatever the others do. */
#define SUITE "contract"
#include "conform.h"

#include <labyrinth/contract.h>
#include <labyrinth/mm.h>

#define MUCH 24u				/* blocks in most of these contracts */

static void *taken[CONTRACT_BLOCKS_MAX];

#define CONTRACT_TEST(name)                                                   \
	static void name(struct conform *c);                                  \
	TEST(name) { conform_run(&labyrinth_ops, CONFORM_SMALL, name); }      \
	static void name(struct conform *c)

/* owner[0] takes all there is, down to the last page. */
static void take_the_rest(struct conform *c)
{
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (conform_take(c, GFP_ATOMIC, k))
			continue;
	EXPECT_EQ(conform_free(c), 0);
}

static contract_t declare(struct conform *c, unsigned owner, unsigned order, size_t blocks)
{
	struct contract_answer answer;
	contract_t made = contract_declare(c->owner[owner], c->where, order, blocks, &answer);

	EXPECT_EQ(answer.error, CONTRACT_OK);
	EXPECT_EQ(answer.missing, 0);
	return made;
}

static uint64_t aside(contract_t k)
{
	struct contract_stats s;

	EXPECT(contract_stats(k, &s));
	return s.aside;
}

static uint64_t contracted(void)
{
	struct zone_stats s;
	uint64_t sum = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		EXPECT_EQ(s.free + s.held + s.contracted, s.total);	/* I3 */
		sum += s.contracted;
	}
	return sum;
}

/* All of a contract's blocks can be had, @n of them, and not one more. */
static void draw_all(struct conform *c, unsigned owner, unsigned order, size_t n, gfp_t how)
{
	for (size_t i = 0; i < n; i++) {
		taken[i] = allocpages(how | c->where, order, c->owner[owner]);
		EXPECT(taken[i]);
	}
	EXPECT(!allocpages(how | c->where, order, c->owner[owner]));
}

static void give_all(struct conform *c, unsigned owner, unsigned order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		EXPECT_EQ(freepages(taken[i], order, c->owner[owner]), PAGE_OK);
}

CONTRACT_TEST(is_kept_when_all_else_is_gone)
{
	static const gfp_t how[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_ATOMIC | GFP_EXCL };

	conform_confine(c);
	for (unsigned order = 0; order <= 6; order += 3) {
		size_t n = order == 0 ? MUCH : 5;
		contract_t k = declare(c, 1, order, n);

		EXPECT_EQ(contracted(), n << order);
		take_the_rest(c);
		for (unsigned i = 0; i < 3; i++) {
			draw_all(c, 1, order, n, how[i]);
			EXPECT_EQ(aside(k), 0);
			EXPECT_EQ(contracted(), 0);
			give_all(c, 1, order, n);
			EXPECT_EQ(aside(k), n);
			/* What came back is promised, and nobody else's. */
			EXPECT(!allocpages(GFP_ATOMIC | c->where, order, c->owner[0]));
		}
		EXPECT_EQ(mm_audit(NULL), 0);
		EXPECT_EQ(contract_release(k), CONTRACT_OK);
		conform_give_all(c, 0);
	}
}

CONTRACT_TEST(the_reason_is_that_it_is_promised)
{
	struct zone_walk walk;
	bool reserved = false;

	conform_confine(c);
	contract_t k = declare(c, 1, 0, MUCH);
	take_the_rest(c);
	EXPECT(!allocpages_walk(GFP_ATOMIC | c->where, 0, c->owner[2], &walk));
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		reserved |= walk.zone[z] == ZONE_RESERVED;
	EXPECT(reserved);
	EXPECT(!allocpages_walk(GFP_ATOMIC | c->where, 9, c->owner[2], &walk));
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		EXPECT(walk.zone[z] != ZONE_RESERVED);	/* not enough for that even so */

	/* Its owner is served, and the walk says by which zone's memory. */
	taken[0] = allocpages_walk(GFP_ATOMIC | c->where, 0, c->owner[1], &walk);
	ASSERT(taken[0]);
	struct page_info info;
	page_query(page_to_frame(taken[0]), &info);
	EXPECT_EQ(walk.zone[info.zone], ZONE_SERVED);
	EXPECT_EQ(info.owner.id, c->owner[1].id);
	give_all(c, 1, 0, 1);
	page_query(info.frame, &info);
	EXPECT_EQ(info.state, PAGE_FREE);
	EXPECT_EQ(info.promised.id, c->owner[1].id);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
	page_query(info.frame, &info);
	EXPECT_EQ(info.promised.id, OWNER_NONE.id);
}

CONTRACT_TEST(it_is_for_one_order_and_its_zones)
{
	c->where = GFP_DMA;
	contract_t low = declare(c, 1, 3, 2);
	contract_t any = contract_declare(c->owner[2], 0, 0, MUCH, NULL);

	EXPECT(any.v != CONTRACT_NONE.v);
	take_the_rest(c);
	EXPECT(!allocpages(GFP_ATOMIC | GFP_DMA, 0, c->owner[1]));
	EXPECT(!allocpages(GFP_ATOMIC | GFP_DMA, 2, c->owner[1]));
	EXPECT(!allocpages(GFP_ATOMIC | GFP_DMA, 4, c->owner[1]));
	/* Blocks from anywhere are no promise of low memory. */
	EXPECT(!allocpages(GFP_ATOMIC | GFP_DMA, 0, c->owner[2]));
	EXPECT_EQ(contract_release(any), CONTRACT_OK);
	EXPECT_EQ(contract_release(low), CONTRACT_OK);
}

CONTRACT_TEST(a_refusal_says_how_much_is_missing)
{
	struct contract_answer answer;

	conform_confine(c);
	conform_squeeze(c, 0);
	contract_t k = contract_declare(c->owner[1], c->where, 0, MUCH, &answer);
	EXPECT_EQ(k.v, CONTRACT_NONE.v);
	EXPECT_EQ(answer.error, CONTRACT_SHORT);
	EXPECT_EQ(answer.missing, MUCH);
	EXPECT_EQ(contracted(), 0);

	/* Above its zone's min mark, every frame that comes back counts, and no other. */
	for (uint64_t missing = MUCH; missing > 0 && c->n > 0; missing = answer.missing) {
		unsigned order = c->log[c->n - 1].order;

		conform_give(c, c->n - 1);
		k = contract_declare(c->owner[1], c->where, 0, MUCH, &answer);
		EXPECT_CMP(answer.missing, <=, missing);
		EXPECT_CMP(answer.missing + (1u << order), >=, missing);
	}
	EXPECT_EQ(answer.error, CONTRACT_OK);
	EXPECT_EQ(contracted(), MUCH);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

/* Enough frames, but not in blocks of this order: what was found is given back. */
CONTRACT_TEST(fragmented_memory_admits_what_it_can)
{
	struct contract_answer answer;
	struct zone_walk walk;
	uint64_t free;

	conform_confine(c);
	contract_t other = declare(c, 2, 6, 1);
	while (conform_take(c, GFP_ATOMIC, 1))
		continue;
	for (size_t i = 0; i < c->n; i++) {
		/* Each pair gives up its first page: no two buddies are free. */
		frame_t f = c->log[i].f;
		EXPECT_EQ(c->a->free(f, 1, c->owner[0]), PAGE_OK);
		c->log[i] = (struct block){ .f = c->a->alloc(GFP_ATOMIC | c->where, 0,
							     c->owner[0], NULL) };
	}
	free = conform_free(c);
	contract_t k = contract_declare(c->owner[1], c->where, 6, 2, &answer);
	if (k.v == CONTRACT_NONE.v) {
		EXPECT_EQ(answer.error, CONTRACT_SHORT);
		EXPECT(answer.missing >= 1 && answer.missing <= 2);
		EXPECT_EQ(conform_free(c), free);
		EXPECT_EQ(contracted(), 64);
		/* What is promised to others is not what it is for want of. */
		void *page = allocpages_walk(GFP_ATOMIC | c->where, 6, c->owner[1], &walk);
		if (page)
			EXPECT_EQ(freepages(page, 6, c->owner[1]), PAGE_OK);
		for (unsigned z = 0; z < ZONE_COUNT; z++)
			EXPECT(walk.zone[z] != ZONE_RESERVED);
	}
	contract_release(k);
	EXPECT_EQ(contract_release(other), CONTRACT_OK);
}

/* Two frames are free, apart from each other: a block of both cannot be, contract or no. */
CONTRACT_TEST(a_fragmented_zone_is_not_reserved)
{
	struct zone_walk walk;
	frame_t f[4];

	c->where = GFP_DMA;
	contract_t k = declare(c, 1, 0, MUCH);
	for (unsigned i = 0; i < 4; i++)
		f[i] = c->a->alloc(GFP_ATOMIC | GFP_DMA, 0, c->owner[2], NULL);
	take_the_rest(c);
	unsigned far = (f[0].n ^ f[1].n) == 1 ? 2 : 1;
	EXPECT_EQ(c->a->free(f[0], 0, c->owner[2]), PAGE_OK);
	EXPECT_EQ(c->a->free(f[far], 0, c->owner[2]), PAGE_OK);
	EXPECT(!allocpages_walk(GFP_ATOMIC | GFP_DMA, 1, c->owner[2], &walk));
	EXPECT_EQ(walk.zone[ZONE_DMA], ZONE_FRAGMENTED);
	EXPECT_EQ(c->a->free(f[3 - far], 0, c->owner[2]), PAGE_OK);
	EXPECT_EQ(c->a->free(f[3], 0, c->owner[2]), PAGE_OK);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

CONTRACT_TEST(bad_terms_are_refused)
{
	struct contract_answer answer;
	static const struct { gfp_t where; unsigned order; size_t blocks; } bad[] = {
		{ 0, 0, 0 }, { 0, 0, CONTRACT_BLOCKS_MAX + 1 }, { 0, ORDER_COUNT, 1 },
		{ GFP_DMA | GFP_DMA32, 0, 1 }, { GFP_ATOMIC, 0, 1 },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(contract_declare(c->owner[1], bad[i].where, bad[i].order, bad[i].blocks,
					   &answer).v, CONTRACT_NONE.v);
		EXPECT_EQ(answer.error, CONTRACT_BAD_TERMS);
	}
	EXPECT_EQ(contract_declare(OWNER_NONE, 0, 0, 1, &answer).v, CONTRACT_NONE.v);
	EXPECT_EQ(answer.error, CONTRACT_BAD_OWNER);
	EXPECT_EQ(contract_declare((owner_t){ OWNER_COUNT - 1 }, 0, 0, 1, NULL).v,
		  CONTRACT_NONE.v);
	EXPECT_EQ(contract_release(CONTRACT_NONE), CONTRACT_STALE);
	EXPECT_EQ(contract_release((contract_t){ UINT64_MAX }), CONTRACT_STALE);
}

CONTRACT_TEST(blocks_outstanding_at_the_release_go_home_later)
{
	conform_confine(c);
	uint64_t before = conform_free(c);
	contract_t k = declare(c, 1, 2, 4);

	take_the_rest(c);
	for (unsigned i = 0; i < 2; i++)
		taken[i] = allocpages(GFP_ATOMIC | c->where, 2, c->owner[1]);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
	EXPECT_EQ(contract_release(k), CONTRACT_STALE);
	EXPECT(!contract_stats(k, &(struct contract_stats){ 0 }));
	EXPECT_EQ(contracted(), 0);
	EXPECT_EQ(conform_free(c), 8);
	EXPECT_EQ(mm_audit(NULL), 0);
	give_all(c, 1, 2, 2);
	EXPECT_CMP(conform_free(c), >=, 16);
	EXPECT_CMP(conform_free(c), <=, 16 + 1);	/* the page of the book, if of that zone */
	conform_give_all(c, 0);
	EXPECT_EQ(conform_free(c), before);
}

CONTRACT_TEST(a_number_used_again_is_another_contract)
{
	contract_t first = declare(c, 1, 0, 2);
	EXPECT_EQ(contract_release(first), CONTRACT_OK);
	contract_t second = declare(c, 2, 0, 2);

	EXPECT(first.v != second.v);
	EXPECT_EQ((uint32_t)first.v, (uint32_t)second.v);
	EXPECT_EQ(contract_release(first), CONTRACT_STALE);
	EXPECT_EQ(aside(second), 2);
	EXPECT_EQ(contract_release(second), CONTRACT_OK);
}

CONTRACT_TEST(numbers_run_out_and_say_so)
{
	static contract_t k[CONTRACT_COUNT];
	struct contract_answer answer;
	unsigned n = 0;

	while (n < CONTRACT_COUNT &&
	       (k[n] = contract_declare(c->owner[1], 0, 0, 1, &answer)).v != CONTRACT_NONE.v)
		n++;
	EXPECT_EQ(n, CONTRACT_COUNT - 1);
	EXPECT_EQ(answer.error, CONTRACT_TABLE_FULL);
	EXPECT_EQ(owner_unregister(c->owner[1]), -1);	/* bound, though it holds nothing */
	while (n-- > 0)
		EXPECT_EQ(contract_release(k[n]), CONTRACT_OK);
}

CONTRACT_TEST(a_block_passed_on_comes_back_to_the_contract)
{
	conform_confine(c);
	contract_t k = declare(c, 1, 0, 1);

	take_the_rest(c);
	draw_all(c, 1, 0, 1, GFP_ATOMIC);
	EXPECT_EQ(page_share(taken[0], c->owner[1]), PAGE_OK);
	EXPECT_EQ(page_unshare(taken[0], c->owner[1]), PAGE_OK);
	EXPECT_EQ(page_transfer(taken[0], 0, c->owner[1], c->owner[2]), PAGE_OK);
	EXPECT_EQ(freepage(taken[0], c->owner[1]), PAGE_WRONG_OWNER);
	/* It is outstanding still. */
	EXPECT(!allocpages(GFP_ATOMIC | c->where, 0, c->owner[1]));
	EXPECT_EQ(mm_audit(NULL), 0);
	EXPECT_EQ(freepage(taken[0], c->owner[2]), PAGE_OK);
	EXPECT_EQ(freepage(taken[0], c->owner[2]), PAGE_DOUBLE_FREE);
	EXPECT_EQ(aside(k), 1);
	draw_all(c, 1, 0, 1, GFP_ATOMIC);
	give_all(c, 1, 0, 1);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

CONTRACT_TEST(batches_draw_on_it_too)
{
	conform_confine(c);
	contract_t k = declare(c, 1, 0, MUCH);

	take_the_rest(c);
	EXPECT_EQ(allocpages_bulk(GFP_ATOMIC | c->where, MUCH + 9, taken, c->owner[1]), MUCH);
	EXPECT_EQ(freepages_bulk(MUCH, taken, c->owner[1]), MUCH);
	EXPECT_EQ(aside(k), MUCH);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

CONTRACT_TEST(a_zone_limit_binds_the_contract)
{
	struct contract_answer answer;
	contract_t k = contract_declare(c->owner[1], GFP_DMA, 1, 8, &answer);
	struct zone_stats s;

	EXPECT_EQ(answer.error, CONTRACT_OK);
	zone_stats(ZONE_DMA, &s);
	EXPECT_EQ(s.contracted, 16);
	c->where = GFP_DMA;
	take_the_rest(c);
	draw_all(c, 1, 1, 8, GFP_ATOMIC);
	for (unsigned i = 0; i < 8; i++)
		EXPECT_CMP(page_to_frame(taken[i]).n, <, ZONE_DMA_END);
	give_all(c, 1, 1, 8);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

/* --- any sequence: no contract ever fails while it has something outstanding to give */

#define TERMS 3u

struct term { contract_t k; unsigned order, blocks, n; void *out[16]; };

static void step(struct conform *c, struct term *t)
{
	unsigned what = (unsigned)test_random_below(8);

	if (what < 3) {
		void *page = allocpages(GFP_NOWAIT | c->where, t->order, c->owner[1]);

		EXPECT(page || t->n >= t->blocks);
		if (page && t->n < 16)
			t->out[t->n++] = page;
		else if (page)
			EXPECT_EQ(freepages(page, t->order, c->owner[1]), PAGE_OK);
	} else if (what < 5 && t->n > 0) {
		EXPECT_EQ(freepages(t->out[--t->n], t->order, c->owner[1]), PAGE_OK);
	} else if (what < 7) {
		conform_take(c, GFP_ATOMIC, (unsigned)test_random_below(5));
	} else if (c->n > 0) {
		conform_give(c, test_random_below(c->n));
	}
}

CONTRACT_TEST(random_calls_never_break_one)
{
	static struct term t[TERMS];

	conform_confine(c);
	for (unsigned i = 0; i < TERMS; i++)
		t[i] = (struct term){ .k = declare(c, 1, i * 2, 12 - i * 4), .order = i * 2,
				      .blocks = 12 - i * 4 };
	take_the_rest(c);
	for (unsigned round = 0; round < 4000; round++)
		step(c, &t[test_random_below(TERMS)]);
	for (unsigned i = 0; i < TERMS; i++) {
		contract_release(t[i].k);
		while (t[i].n > 0)
			EXPECT_EQ(freepages(t[i].out[--t[i].n], t[i].order, c->owner[1]), PAGE_OK);
	}
	EXPECT_EQ(contracted(), 0);
}
