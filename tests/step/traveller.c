/* SPDX-License-Identifier: MIT */
/*
 * Who comes in between two instructions: he has a few blocks from before, does
 * one of the programs, and looks at all that he was given.
 */
#include <labyrinth/damage.h>

#include "../../mm/retry.h"
#include "traveller.h"

#define HELD_MAX   6u
#define FRAMES_MAX 600u		/* he keeps; more goes back at once */

struct block { void *page; unsigned order; owner_t owner; enum page_state state; };

static struct traveller {
	struct block held[HELD_MAX];	/* the oldest first */
	unsigned n, frames;
	struct pool *pool;
} traveller[STEP_DEPTHS];

static contract_t sure;			/* of one page, for STEP_SURE: its visits draw on it */
static uint64_t *random;

uint64_t below(uint64_t n)
{
	/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" */
	uint64_t x = *random | 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*random = x;
	return (x * 0x2545f4914f6cdd1du >> 32) % n;
}

void expect(enum page_error e, enum page_error wanted, const char *what)
{
	if (e != wanted)
		step_violation("I5", "a visitor's %s: %s, should be: %s", what,
			       page_error_name(e), page_error_name(wanted));
}

/* --- allocate, transfer, free */

static void forget(struct traveller *t, unsigned i)
{
	t->frames -= 1u << t->held[i].order;
	for (t->n--; i < t->n; i++)
		t->held[i] = t->held[i + 1];
}

static void release(struct traveller *t, unsigned i)
{
	struct block b = t->held[i];

	forget(t, i);
	book_check_word(b.page, b.order, b.owner, b.state);
	book_give(b.page, b.order, b.owner);
	expect(b.order ? freepages(b.page, b.order, b.owner) : freepage(b.page, b.owner), PAGE_OK,
	       "free");
}

static unsigned some_order(void)
{
	static const uint8_t orders[] = { 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 0, 7, 8, 9 };

	return orders[below(sizeof orders)];
}

static void allocate(struct traveller *t, unsigned order)
{
	unsigned odd = (unsigned)below(16);
	gfp_t gfp = GFP_ATOMIC | (odd == 0 ? GFP_ZERO : odd == 1 ? GFP_EXCL
				 : odd == 2 ? GFP_DMA : 0);
	owner_t owner = step_owner[below(2) ? STEP_VISITOR : STEP_HEIR];
	void *page;

	if (t->n == HELD_MAX || t->frames + (1u << order) > FRAMES_MAX)
		release(t, 0);
	page = order ? allocpages(gfp, order, owner) : allocpage(gfp, owner);
	if (!page) {
		if (order == 0)
			book_refused(gfp, step_flight());
		return;
	}
	book_take(page, order, owner, gfp);
	t->held[t->n] = (struct block){ page, order, owner,
					gfp & GFP_EXCL ? PAGE_EXCLUSIVE : PAGE_HELD };
	book_check_word(page, order, owner, t->held[t->n].state);
	t->frames += 1u << order;
	t->n++;
}

/* A block with a damaged page can be freed, but neither passed on nor lent. */
static bool is_damaged(const struct block *b)
{
	struct page_info info;

	if (step_meeting.ndamaged)
		page_query(page_to_frame(b->page), &info);
	return step_meeting.ndamaged && info.damaged;
}

/* Was it refused, because a visitor's own visitor has found damage there since he asked? */
static bool refused(const struct block *b, enum page_error e, const char *what)
{
	if (e == PAGE_WRONG_STATE && is_damaged(b))
		return true;
	expect(e, PAGE_OK, what);
	return false;
}

static void transfer(struct traveller *t)
{
	if (t->n == 0)
		return;

	struct block *b = &t->held[below(t->n)];
	if (is_damaged(b))
		return;

	owner_t to = step_owner[b->owner.id == step_owner[STEP_VISITOR].id ? STEP_HEIR
									    : STEP_VISITOR];
	page_handle_t old = page_handle(b->page);

	book_give(b->page, b->order, b->owner);
	if (refused(b, page_transfer(b->page, b->order, b->owner, to), "transfer")) {
		book_take(b->page, b->order, b->owner, GFP_ATOMIC);
		return;
	}
	book_take(b->page, b->order, to, GFP_ATOMIC);
	b->owner = to;
	book_check_word(b->page, b->order, to, b->state);
	if (page_handle_valid(old) || !page_handle_valid(page_handle(b->page)))
		step_violation("I7", "a handle tells the wrong thing after a transfer");
}

static void give_back(struct traveller *t)
{
	if (t->n)
		release(t, below(2) ? t->n - 1 : 0);
}

/* --- batches and pools */

static void batch(struct traveller *t)
{
	void *page[5];
	owner_t owner = step_owner[STEP_VISITOR];
	size_t want = 1 + below(5), got = allocpages_bulk(GFP_ATOMIC, want, page, owner);

	if (got < want)
		book_refused(GFP_ATOMIC, step_flight());
	for (size_t i = 0; i < got; i++)
		book_take(page[i], 0, owner, GFP_ATOMIC);
	if (below(2))
		allocate(t, 0);
	for (size_t i = 0; i < got; i++)
		book_give(page[i], 0, owner);
	if (freepages_bulk(got, page, owner) != got)
		step_violation("I5", "a visitor's batch was not taken back");
}

static void draw_from(struct pool *pool, gfp_t gfp, owner_t owner)
{
	void *page = pool_take(pool);

	if (!page) {
		book_refused(gfp, step_flight() + POOL_BATCH);
		return;
	}
	book_take(page, 0, owner, GFP_ATOMIC);
	book_check_word(page, 0, owner, PAGE_HELD);
	book_give(page, 0, owner);
	if (below(3))
		expect(pool_give(pool, page), PAGE_OK, "gift to a pool");
	else
		expect(freepage(page, owner), PAGE_OK, "free of a pool's page");
}

/* Two out and both back: the stack's top is the slot that it was, with the other page (P1). */
static void swap_two(struct pool *pool)
{
	owner_t owner = step_owner[STEP_THREAD];
	void *page[2];

	for (unsigned i = 0; i < 2; i++) {
		page[i] = pool_take(pool);
		book_take(page[i], 0, owner, GFP_ATOMIC);
	}
	for (unsigned i = 0; i < 2 && !step_failed(); i++) {
		if (!page[i])
			continue;
		book_give(page[i], 0, owner);
		expect(pool_give(pool, page[i]), PAGE_OK, "gift of one of two");
	}
}

static void draw_from_a_pool(struct traveller *t)
{
	if (step_meeting.ndamaged)
		return;			/* a pool may not like what it is given back */
	if (step_meeting.pool && below(3) == 0)
		swap_two(step_meeting.pool);
	else if (step_meeting.pool && below(2))
		draw_from(step_meeting.pool, GFP_ATOMIC, step_owner[STEP_THREAD]);
	else if (t->pool)
		draw_from(t->pool, GFP_ATOMIC | GFP_DMA, step_owner[STEP_VISITOR]);
}

/* --- everything else */

/* What the contract is for: it never fails while its page is not out. */
static void draw_on_contract(unsigned depth)
{
	owner_t owner = step_owner[step_meeting.drawable && below(2) ? STEP_THREAD : STEP_SURE];

	if (depth > 0 || step_meeting.unsure || !owner_registered(owner))
		return;			/* the one page may be in the hands of who is interrupted */
	void *page = allocpage(GFP_ATOMIC, owner);
	if (!page) {
		step_violation("I12", "a contract for one page was not kept");
		return;
	}
	book_check_word(page, 0, owner, PAGE_HELD);
	expect(freepage(page, owner), PAGE_OK, "free of a contract's page");
}

static void wrong_calls(struct traveller *t)
{
	struct block *b = &t->held[below(t->n)];
	owner_t other = step_owner[STEP_THREAD];
	void *page = b->page;

	expect(freepages(page, b->order, other), PAGE_WRONG_OWNER, "foreign free");
	expect(freepages(page, b->order + 1, b->owner),
	       page_to_frame(page).n >> b->order & 1 ? PAGE_MISALIGNED : PAGE_WRONG_ORDER,
	       "free of another order");
	expect(freepages((char *)page + 8, b->order, b->owner), PAGE_MISALIGNED, "misaligned free");
	book_check_word(page, b->order, b->owner, b->state);
}

static void lend_and_share(struct traveller *t)
{
	struct block *b = &t->held[below(t->n)];

	if (is_damaged(b))
		return;
	if (refused(b, page_lend(b->page, b->order, b->owner), "lend"))
		return;
	expect(freepages(b->page, b->order, b->owner), PAGE_WRONG_STATE, "free of a lent block");
	expect(page_reclaim(b->page, b->order, b->owner), PAGE_OK, "reclaim");
	if (b->order == 0 && b->state == PAGE_HELD) {
		expect(page_share(b->page, b->owner), PAGE_OK, "share");
		expect(page_unshare(b->page, b->owner), PAGE_OK, "unshare");
	}
	book_check_word(b->page, b->order, b->owner, b->state);
}

void traveller_declare(void)
{
	struct contract_answer answer;
	contract_t c = contract_declare(step_owner[STEP_HEIR], 0, (unsigned)below(3),
					1 + below(3), &answer);

	if (c.v != CONTRACT_NONE.v) {
		if (contract_release(c) != CONTRACT_OK)
			step_violation("I3", "a visitor's contract could not be released");
	} else if (answer.error != CONTRACT_SHORT && answer.error != CONTRACT_TABLE_FULL) {
		step_violation("I12", "a visitor's contract: %s",
			       contract_error_name(answer.error));
	}
}

static void come_and_go(void)
{
	owner_t o;

	/* Who got a leaver's number would be bound by the contract that is being made for it. */
	if (step_meeting.leaver.id)
		return;
	o = owner_register("passer-by");
	if (o.id && owner_unregister(o) != 0)
		step_violation("I7", "an owner with nothing could not leave");
}

static void hands(struct traveller *t, unsigned depth)
{
	switch (below(8)) {
	case 7:
		come_and_go();
		break;
	case 0:
		draw_on_contract(depth);
		break;
	case 1:
		page_drain();
		break;
	case 2:
		traveller_declare();
		break;
	case 3:
		if (t->n)
			wrong_calls(t);
		break;
	default:
		if (t->n)
			lend_and_share(t);
		break;
	}
	allocate(t, some_order());
	give_back(t);
}

/* --- */

/* He asks for what he sees, and changes nothing. */
static void look(void)
{
	struct page_info info;

	page_query(page_to_frame(book_dead_end()), &info);
	if (info.state != PAGE_RESERVED)
		step_violation("I1", "a dead end is %s", page_state_name(info.state));
}

void traveller_visit(unsigned depth, enum step_program p, uint64_t *state)
{
	struct traveller *t = &traveller[depth];
	static const char order[][4] = { "atf", "aft", "taf", "tfa", "fat", "fta" };
	uint64_t *before = random;

	if (step_meeting.still) {
		look();
		return;
	}
	if (depth == 0 && p % 2 == 0 && traveller_in_passing())
		return;
	random = state;
	if (depth == 0)
		traveller_meet();
	if (p == STEP_BATCH) {
		batch(t);
		draw_from_a_pool(t);
	} else if (p == STEP_HANDS) {
		hands(t, depth);
	} else {
		for (const char *c = order[p]; *c && !step_failed(); c++) {
			if (*c == 'a')
				allocate(t, some_order());
			else if (*c == 't')
				transfer(t);
			else
				give_back(t);
		}
	}
	random = before;
	/* As who pardons a page and loses a compare-and-swap to somebody else. */
	if (step_meeting.owing)
		retry_count(ZONE_DMA);
}

/* --- for rivals */

void traveller_chance(uint64_t *state)
{
	random = state;
}

void traveller_make_room(unsigned order)
{
	struct traveller *t = &traveller[0];

	while (t->n && (t->n == HELD_MAX || t->frames + (1u << order) > FRAMES_MAX))
		release(t, 0);
}

void traveller_keep(void *page, unsigned order)
{
	struct traveller *t = &traveller[0];
	owner_t owner = step_owner[STEP_VISITOR];

	book_take(page, order, owner, GFP_ATOMIC);
	t->held[t->n++] = (struct block){ page, order, owner, PAGE_HELD };
	t->frames += 1u << order;
}

bool traveller_give_around(uint32_t f)
{
	struct traveller *t = &traveller[0];

	for (unsigned i = 0; i < t->n; i++)
		if (f - page_to_frame(t->held[i].page).n < 1u << t->held[i].order) {
			release(t, i);
			return true;
		}
	return false;
}

void traveller_draw(uintptr_t pool)
{
	if (step_meeting.ndamaged)
		return;
	if (pool == (uintptr_t)step_meeting.pool)
		draw_from(step_meeting.pool, GFP_ATOMIC, step_owner[STEP_THREAD]);
	else if (pool == (uintptr_t)traveller[0].pool)
		draw_from(traveller[0].pool, GFP_ATOMIC | GFP_DMA, step_owner[STEP_VISITOR]);
}

void traveller_prepare(void)
{
	uint64_t state = step_random(UINT64_MAX);

	step_meeting = (struct step_meeting){ .damaged_from = FRAME_NONE };
	random = &state;
	sure = contract_declare(step_owner[STEP_SURE], 0, 0, 1, NULL);
	for (unsigned d = 0; d < STEP_DEPTHS; d++) {
		traveller[d] = (struct traveller){ .n = 0 };
		/* In one zone, so that the book knows where its pages are missing. */
		traveller[d].pool = pool_create(step_owner[STEP_VISITOR], GFP_ATOMIC | GFP_DMA,
						1, 3);
		book_settle();
		allocate(&traveller[d], 0);
		allocate(&traveller[d], (unsigned)below(3));
	}
	if (sure.v == CONTRACT_NONE.v || !traveller[0].pool)
		step_violation("I12", "a fresh world has no memory for a contract or a pool");
}

void traveller_without_blocks(void)
{
	for (unsigned d = 0; d < STEP_DEPTHS; d++)
		while (traveller[d].n && !step_failed())
			release(&traveller[d], 0);
}

void traveller_without_contract(void)
{
	if (contract_release(sure) != CONTRACT_OK)
		step_violation("I3", "the contract for one page is gone");
	step_meeting.unsure = true;
}

/* What was reported as damaged is sound again, once it is awake. */
static void pardon_all(void)
{
	frame_t f = step_meeting.damaged_from;

	page_damaged_retry();
	for (unsigned i = 0; i < step_meeting.ndamaged; i++)
		page_pardon(step_meeting.damaged[i]);
	for (unsigned i = 0; i <= DAMAGED_MAX && !frame_is_none(f); i++, f.n++)
		page_pardon(f);
}

void traveller_leave(void)
{
	traveller_without_blocks();
	for (unsigned d = 0; d < STEP_DEPTHS && !step_failed(); d++)
		pool_destroy(traveller[d].pool);
	step_drain();
	if (!step_failed())
		pardon_all();
	if (!step_failed() && !step_meeting.unsure && contract_release(sure) != CONTRACT_OK)
		step_violation("I3", "the contract for one page is gone");
}
