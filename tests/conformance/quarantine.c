/* SPDX-License-Identifier: MIT */
/* Damaged pages are never handed out again, their owners are told, and the sums hold (I3). */
#define SUITE "quarantine"
#include "conform.h"

#include <labyrinth/damage.h>
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

#define QUARANTINE_TEST(name)                                                 \
	static void name(struct conform *c);                                  \
	TEST(name) { conform_run(&labyrinth_ops, CONFORM_SMALL, name); }      \
	static void name(struct conform *c)

static struct page_info info_of(frame_t f)
{
	struct page_info info;

	page_query(f, &info);
	return info;
}

static uint64_t quarantined(void)
{
	struct zone_stats s;
	uint64_t n = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		n += s.quarantined;
	}
	return n;
}

static void note_finding(const char *what) { test_note("audit: %s", what); }

/* It is there, alone, the sums know of it, and nobody can do anything with it. */
static void expect_quarantined(struct conform *c, frame_t f)
{
	struct page_info info = info_of(f);
	page_handle_t h = page_handle(frame_to_page(f));
	void *page = frame_to_page(f);

	EXPECT_EQ(info.state, PAGE_QUARANTINED);
	EXPECT_EQ(info.order, 0);
	EXPECT_EQ(info.head.n, f.n);
	EXPECT_EQ(info.owner.id, OWNER_NONE.id);
	EXPECT(!page_handle_valid(h));
	EXPECT_EQ(freepage(page, c->owner[0]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_transfer(page, 0, c->owner[0], c->owner[1]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_share(page, c->owner[0]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_lend(page, 0, c->owner[0]), PAGE_WRONG_STATE);
	EXPECT_EQ(page_damaged(f), DAMAGE_QUARANTINED);
	EXPECT_EQ(c->a->audit(note_finding), 0);
}

static void pardon(frame_t f)
{
	uint64_t before = quarantined();

	EXPECT(page_pardon(f));
	EXPECT_EQ(quarantined(), before - 1);
	EXPECT_EQ(info_of(f).state, PAGE_FREE);
	EXPECT(!page_pardon(f));
}

/* A free block of @order somewhere, wholly in the tree.  Return: its first frame. */
static frame_t free_block(struct conform *c, unsigned order)
{
	frame_t f = FRAME_NONE;

	if (conform_take(c, GFP_ATOMIC, order)) {
		f = c->log[c->n - 1].f;
		conform_give(c, c->n - 1);
	}
	page_drain();
	return f;
}

QUARANTINE_TEST(a_free_page_is_taken_out_of_its_block)
{
	for (unsigned order = 0; order <= 10; order++) {
		frame_t f = free_block(c, order);

		if (frame_is_none(f))
			break;
		f.n += (uint32_t)test_random_below((uint64_t)1 << order);
		EXPECT_EQ(page_damaged(f), DAMAGE_QUARANTINED);
		EXPECT_EQ(quarantined(), 1);
		expect_quarantined(c, f);
		pardon(f);
	}
}

/* Whoever takes all there is does not get it, and gets all the rest. */
QUARANTINE_TEST(it_is_never_handed_out)
{
	frame_t f = free_block(c, 4);
	uint64_t frames = 0, total = 0;
	struct zone_stats s;

	ASSERT(!frame_is_none(f));
	f.n += 7;
	conform_confine(c);
	EXPECT_EQ(page_damaged(f), DAMAGE_QUARANTINED);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		total += c->where && z != ZONE_DMA ? 0 : s.free;
	}
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (c->n < c->room && conform_take(c, GFP_ATOMIC, k)) {
			const struct block *b = &c->log[c->n - 1];

			frames += (uint64_t)1 << k;
			EXPECT(f.n < b->f.n || f.n - b->f.n >= 1u << k);
		}
	EXPECT_EQ(frames, total);
	conform_give_all(c, 0);
	expect_quarantined(c, f);
	pardon(f);
}

/* --- held pages */

static struct { unsigned times, order; owner_t owner; void *block, *page; } told;

static void hear(owner_t owner, void *block, unsigned order, void *page)
{
	told.times++;
	told.order = order;
	told.owner = owner;
	told.block = block;
	told.page = page;
}

static void begin_hearing(owner_t owner)
{
	told.times = 0;
	page_on_damage(owner, hear);
}

QUARANTINE_TEST(a_held_block_is_marked_and_its_owner_told)
{
	owner_t me = c->owner[0];

	for (unsigned order = 0; order <= 9; order++) {
		void *block = allocpages(GFP_ATOMIC, order, me);

		if (!block)
			break;
		frame_t head = page_to_frame(block), f = head;
		f.n += (uint32_t)test_random_below((uint64_t)1 << order);
		page_handle_t h = page_handle(block);

		begin_hearing(me);
		EXPECT_EQ(page_damaged(f), DAMAGE_HELD);
		EXPECT_EQ(page_damaged(f), DAMAGE_HELD);
		EXPECT_EQ(told.times, 1);
		EXPECT(told.owner.id == me.id && told.block == block && told.order == order);
		EXPECT(told.page == frame_to_page(f));
		EXPECT(info_of(f).damaged && info_of(f).owner.id == me.id);
		EXPECT(page_handle_valid(h));
		EXPECT_EQ(c->a->audit(note_finding), 0);
		EXPECT_EQ(page_transfer(block, order, me, c->owner[1]), PAGE_WRONG_STATE);
		EXPECT_EQ(page_lend(block, order, me), PAGE_WRONG_STATE);
		EXPECT_EQ(freepages(block, order, c->owner[1]), PAGE_WRONG_OWNER);
		EXPECT_EQ(quarantined(), 0);
		EXPECT_EQ(freepages(block, order, me), PAGE_OK);
		EXPECT_EQ(quarantined(), 1);
		expect_quarantined(c, f);
		pardon(f);
	}
}

QUARANTINE_TEST(shared_lent_and_exclusive_pages_too)
{
	owner_t me = c->owner[0];
	void *shared = allocpage(GFP_ATOMIC, me), *lent = allocpage(GFP_ATOMIC, me);
	void *only = allocpage(GFP_ATOMIC | GFP_EXCL, me);

	ASSERT(shared && lent && only);
	EXPECT_EQ(page_share(shared, me), PAGE_OK);
	EXPECT_EQ(page_lend(lent, 0, me), PAGE_OK);
	EXPECT_EQ(page_damaged(page_to_frame(shared)), DAMAGE_HELD);
	EXPECT_EQ(page_damaged(page_to_frame(lent)), DAMAGE_HELD);
	EXPECT_EQ(page_damaged(page_to_frame(only)), DAMAGE_HELD);
	EXPECT_EQ(freepage(shared, me), PAGE_WRONG_STATE);
	EXPECT_EQ(page_unshare(shared, me), PAGE_OK);
	EXPECT_EQ(page_reclaim(lent, 0, me), PAGE_OK);
	EXPECT_EQ(freepage(shared, me), PAGE_OK);
	EXPECT_EQ(freepage(lent, me), PAGE_OK);
	EXPECT_EQ(freepage(only, me), PAGE_OK);
	EXPECT_EQ(quarantined(), 3);
	pardon(page_to_frame(shared));
	pardon(page_to_frame(lent));
	pardon(page_to_frame(only));
}

QUARANTINE_TEST(two_damaged_pages_of_one_block)
{
	void *block = allocpages(GFP_ATOMIC, 7, c->owner[0]);
	frame_t a = page_to_frame(block), b = a;

	ASSERT(block);
	a.n += 5;
	b.n += 100;
	EXPECT_EQ(page_damaged(a), DAMAGE_HELD);
	EXPECT_EQ(page_damaged(b), DAMAGE_HELD);
	EXPECT_EQ(freepages(block, 7, c->owner[0]), PAGE_OK);
	EXPECT_EQ(quarantined(), 2);
	expect_quarantined(c, a);
	expect_quarantined(c, b);
	pardon(a);
	pardon(b);
}

QUARANTINE_TEST(a_batch_may_have_one_in_it)
{
	void *page[40];
	size_t n = allocpages_bulk(GFP_ATOMIC, 40, page, c->owner[0]);

	ASSERT_EQ(n, 40);
	EXPECT_EQ(page_damaged(page_to_frame(page[17])), DAMAGE_HELD);
	EXPECT_EQ(freepages_bulk(40, page, c->owner[0]), 40);
	EXPECT_EQ(quarantined(), 1);
	pardon(page_to_frame(page[17]));
}

QUARANTINE_TEST(a_pool_does_not_take_it_back)
{
	struct pool *p = pool_create(c->owner[0], GFP_NOWAIT, 4, 16);
	struct pool_stats before, after;
	void *page = p ? pool_take(p) : NULL;

	ASSERT(page);
	EXPECT_EQ(page_damaged(page_to_frame(page)), DAMAGE_HELD);
	pool_stats(p, &before);
	EXPECT_EQ(pool_give(p, page), PAGE_OK);
	pool_stats(p, &after);
	EXPECT_EQ(after.level, before.level);
	EXPECT_EQ(after.passed_on, before.passed_on + 1);
	EXPECT_EQ(quarantined(), 1);
	pool_destroy(p);
	pardon(page_to_frame(page));
}

QUARANTINE_TEST(what_is_no_memory_of_ours_is_reserved)
{
	EXPECT_EQ(page_damaged((frame_t){ UINT32_MAX - 1 }), DAMAGE_RESERVED);
	EXPECT_EQ(page_damaged((frame_t){ 0 }), DAMAGE_RESERVED);
	EXPECT_EQ(page_damaged_retry(), 0);
	EXPECT(!page_pardon((frame_t){ UINT32_MAX - 1 }));
	EXPECT(!page_pardon((frame_t){ 0 }));
	(void)c;
}

QUARANTINE_TEST(no_more_are_remembered_than_there_is_room_for)
{
	static void *page[DAMAGED_MAX + 1];

	for (unsigned i = 0; i <= DAMAGED_MAX; i++) {
		page[i] = allocpage(GFP_ATOMIC, c->owner[0]);
		ASSERT(page[i]);
	}
	for (unsigned i = 0; i < DAMAGED_MAX; i++)
		EXPECT_EQ(page_damaged(page_to_frame(page[i])), DAMAGE_HELD);
	EXPECT_EQ(page_damaged(page_to_frame(page[DAMAGED_MAX])), DAMAGE_TOO_MANY);
	for (unsigned i = 0; i <= DAMAGED_MAX; i++)
		EXPECT_EQ(freepage(page[i], c->owner[0]), PAGE_OK);
	EXPECT_EQ(quarantined(), DAMAGED_MAX);
	for (unsigned i = 0; i < DAMAGED_MAX; i++)
		pardon(page_to_frame(page[i]));
	EXPECT(!page_pardon(page_to_frame(page[DAMAGED_MAX])));
}

/* Room is made by each that goes into quarantine. */
QUARANTINE_TEST(quarantine_itself_has_room_for_all)
{
	void *page[2];
	frame_t f[2 * DAMAGED_MAX];

	for (unsigned i = 0; i < 2 * DAMAGED_MAX; i++) {
		page[0] = allocpage(GFP_ATOMIC, c->owner[0]);
		ASSERT(page[0]);
		f[i] = page_to_frame(page[0]);
		EXPECT_EQ(page_damaged(f[i]), DAMAGE_HELD);
		EXPECT_EQ(freepage(page[0], c->owner[0]), PAGE_OK);
	}
	EXPECT_EQ(quarantined(), 2 * DAMAGED_MAX);
	for (unsigned i = 0; i < 2 * DAMAGED_MAX; i++)
		pardon(f[i]);
}

QUARANTINE_TEST(a_new_owner_hears_nothing_of_the_old_ones)
{
	owner_t old = owner_register("minos"), new;
	void *page;

	begin_hearing(old);
	EXPECT_EQ(owner_unregister(old), 0);
	new = owner_register("aegeus");
	EXPECT_EQ(new.id, old.id);
	page = allocpage(GFP_ATOMIC, new);
	ASSERT(page);
	EXPECT_EQ(page_damaged(page_to_frame(page)), DAMAGE_HELD);
	EXPECT_EQ(told.times, 0);
	EXPECT_EQ(freepage(page, new), PAGE_OK);
	EXPECT_EQ(owner_unregister(new), 0);
	pardon(page_to_frame(page));
	(void)c;
}
