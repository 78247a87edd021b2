/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does: wrong calls, hands, contracts, pools, owners. */
#include "scripts.h"

static owner_t me(void)    { return step_owner[STEP_THREAD]; }
static owner_t other(void) { return step_owner[STEP_OTHER]; }

static void want(enum page_error e, enum page_error wanted, const char *what)
{
	if (e != wanted)
		step_violation("I5", "%s: %s, should be: %s", what, page_error_name(e),
			       page_error_name(wanted));
}

#define STEPPED_ERROR(wanted, call)                                           \
	do {                                                                  \
		enum page_error e_ = PAGE_OK;                                 \
		STEPPED(1, e_ = call);                                        \
		want(e_, wanted, #call);                                      \
	} while (0)

/* --- wrong calls: refused, and nothing changes */

void script_wrong_frees(void)
{
	unsigned char *page = script_take_quietly(GFP_ATOMIC, 0);
	unsigned char *block = script_take_quietly(GFP_ATOMIC, 3);

	STEPPED_ERROR(PAGE_WRONG_OWNER, freepage(page, other()));
	STEPPED_ERROR(PAGE_WRONG_OWNER, freepages(block, 3, other()));
	STEPPED_ERROR(PAGE_WRONG_ORDER, freepages(block, 2, me()));
	STEPPED_ERROR(PAGE_WRONG_ORDER, freepage(block, me()));
	STEPPED_ERROR(PAGE_MISALIGNED, freepage(page + 1, me()));
	STEPPED_ERROR(PAGE_MISALIGNED, freepages(page, ORDER_MAX + 1, me()));
	STEPPED_ERROR(PAGE_INSIDE_BLOCK, freepage(block + PAGE_SIZE, me()));
	STEPPED_ERROR(PAGE_BAD_OWNER, freepage(page, OWNER_NONE));
	STEPPED_ERROR(PAGE_BAD_OWNER, freepages(block, 3, (owner_t){ OWNER_COUNT - 1 }));
	STEPPED_ERROR(PAGE_NOT_RAM, freepage(NULL, me()));
	STEPPED_ERROR(PAGE_NOT_RAM, freepages(frame_to_page((frame_t){ 0 }), 1, me()));
	STEPPED_ERROR(PAGE_NOT_RAM, freepage(book_dead_end(), me()));
	book_check_word(page, 0, me(), PAGE_HELD);
	book_check_word(block, 3, me(), PAGE_HELD);
	script_give(page, 0);
	script_give(block, 3);
}

/* Of a page that is free: whatever visitors do meanwhile, it is not the caller's. */
void script_double_frees(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	enum page_error e = PAGE_OK;

	script_give(page, 0);
	for (unsigned i = 0; i < 2 && page; i++) {
		STEPPED(1, e = i ? freepages(page, 0, me()) : freepage(page, me()));
		if (e != PAGE_DOUBLE_FREE && e != PAGE_WRONG_OWNER && e != PAGE_INSIDE_BLOCK &&
		    e != PAGE_WRONG_ORDER)
			step_violation("I5", "a double free: %s", page_error_name(e));
	}
	/* Memory that sleeps, until a visitor wakes it. */
	void *asleep = book_asleep();
	if (asleep) {
		STEPPED(0, e = freepage(asleep, me()));
		STEPPED(0, e = e ? page_transfer(asleep, 0, me(), other()) : e);
		if (e == PAGE_OK)
			step_violation("I5", "a page that sleeps was freed");
	}
}

void script_wrong_requests(void)
{
	struct zone_walk walk;
	void *page = NULL;

	STEPPED(0, page = allocpage(GFP_ATOMIC | GFP_NOWAIT, me()));
	STEPPED(0, page = page ? page : allocpages(GFP_ATOMIC, ORDER_MAX + 1, me()));
	STEPPED(0, page = page ? page : allocpages(GFP_ATOMIC | GFP_WHERE, 1, me()));
	STEPPED(0, page = page ? page : allocpages(0, 1, me()));
	STEPPED(0, page = page ? page : allocpage(GFP_ATOMIC, OWNER_NONE));
	STEPPED(0, page = page ? page : allocpages(GFP_ATOMIC, 2, OWNER_NONE));
	STEPPED(0, page = page ? page : allocpages_walk(GFP_ATOMIC, 18, me(), &walk));
	STEPPED(0, page = page ? page : allocpages_walk(GFP_ATOMIC | GFP_DMA, 12, me(), &walk));
	STEPPED(0, page = page ? page : allocpages_walk(GFP_ALL + 1, 1, me(), &walk));
	if (page)
		step_violation("I4", "a request that cannot be was served");
	STEPPED(2, page = allocpages_walk(GFP_NOWAIT, 1, me(), &walk));
	book_take(page, 1, me(), GFP_NOWAIT);
	script_give(page, 1);
}

/* A visitor tries to give away the same page or block: exactly one of the two may. */
static void race(unsigned order, bool transfers, bool batch)
{
	void *page = script_take_quietly(GFP_ATOMIC, order);
	enum page_error e = PAGE_OK;

	if (!page || step_failed())
		return;
	book_give(page, order, me());
	step_meeting.victim = page;
	step_meeting.order = order;
	step_meeting.lost = 0;
	if (transfers)
		STEPPED(1u << order, e = page_transfer(page, order, me(), other()));
	else if (batch)
		STEPPED(1, e = freepages_bulk(1, &page, me()) ? PAGE_OK : PAGE_DOUBLE_FREE);
	else if (order == 0)
		STEPPED(1, e = freepage(page, me()));
	else
		STEPPED(1u << order, e = freepages(page, order, me()));
	step_meeting.victim = NULL;
	if ((e == PAGE_OK) + step_meeting.lost != 1)
		step_violation("I5", "one block was given away %u times",
			       (e == PAGE_OK) + step_meeting.lost);
	else if (transfers && e == PAGE_OK)
		want(freepages(page, order, other()), PAGE_OK, "free after a race");
}

void script_page_race(void) { race(0, false, false); }

void script_races(void)
{
	for (unsigned order = 0; order < 8; order += order + 1) {
		race(order, false, false);
		race(order, true, false);
	}
	race(0, false, true);
}

/* --- hands */

void script_transfers(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	void *block = script_take_quietly(GFP_ATOMIC, 4);
	page_handle_t h = { FRAME_NONE, 0 };
	bool valid = true;

	if (!page || !block)
		return;
	STEPPED(0, h = page_handle(page));
	STEPPED_ERROR(PAGE_OK, page_transfer(page, 0, me(), other()));
	STEPPED(0, valid = page_handle_valid(h));
	if (valid)
		step_violation("I7", "a handle from before a transfer is valid");
	STEPPED_ERROR(PAGE_WRONG_OWNER, page_transfer(page, 0, me(), other()));
	STEPPED_ERROR(PAGE_BAD_OWNER, page_transfer(page, 0, other(), OWNER_NONE));
	book_check_word(page, 0, other(), PAGE_HELD);
	STEPPED_ERROR(PAGE_OK, page_transfer(page, 0, other(), me()));
	STEPPED_ERROR(PAGE_OK, page_transfer(block, 4, me(), other()));
	STEPPED_ERROR(PAGE_OK, page_transfer(block, 4, other(), me()));
	STEPPED(0, h = page_handle((char *)page + 1));
	STEPPED(0, valid = page_handle_valid(h));
	STEPPED(0, h = page_handle(&h));
	STEPPED(0, valid = page_handle_valid(h));
	h = page_handle(page);
	script_give(page, 0);
	STEPPED(0, valid = page_handle_valid(h));
	script_give(block, 4);
}

void script_sharing(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	void *excl = script_take_quietly(GFP_ATOMIC | GFP_EXCL, 0);

	STEPPED_ERROR(PAGE_OK, page_share(page, me()));
	STEPPED_ERROR(PAGE_OK, page_share(page, me()));
	STEPPED_ERROR(PAGE_WRONG_STATE, freepage(page, me()));
	STEPPED_ERROR(PAGE_OK, page_unshare(page, me()));
	STEPPED_ERROR(PAGE_OK, page_unshare(page, me()));
	STEPPED_ERROR(PAGE_WRONG_STATE, page_unshare(page, me()));
	STEPPED_ERROR(PAGE_WRONG_STATE, page_share(excl, me()));
	STEPPED_ERROR(PAGE_WRONG_OWNER, page_share(page, other()));
	STEPPED_ERROR(PAGE_NOT_RAM, page_share(NULL, me()));
	STEPPED_ERROR(PAGE_NOT_RAM, page_unshare(NULL, me()));
	script_give(page, 0);
	script_give(excl, 0);
}

void script_lending(void)
{
	static const unsigned orders[] = { 0, 3 };

	for (unsigned i = 0; i < 2; i++) {
		unsigned o = orders[i];
		gfp_t gfp = GFP_ATOMIC | (i ? GFP_EXCL : 0);
		void *page = script_take_quietly(gfp, o);

		STEPPED_ERROR(PAGE_OK, page_lend(page, o, me()));
		STEPPED_ERROR(PAGE_WRONG_STATE, page_lend(page, o, me()));
		STEPPED_ERROR(PAGE_WRONG_STATE, freepages(page, o, me()));
		STEPPED_ERROR(PAGE_WRONG_OWNER, page_reclaim(page, o, other()));
		STEPPED_ERROR(PAGE_OK, page_reclaim(page, o, me()));
		STEPPED_ERROR(PAGE_WRONG_STATE, page_reclaim(page, o, me()));
		STEPPED_ERROR(PAGE_NOT_RAM, page_lend(NULL, o, me()));
		STEPPED_ERROR(PAGE_NOT_RAM, page_reclaim(NULL, o, me()));
		book_check_word(page, o, me(), i ? PAGE_EXCLUSIVE : PAGE_HELD);
		script_give(page, o);
	}
}

/* --- contracts */

static contract_t declare(gfp_t where, unsigned order, size_t blocks, enum contract_error wanted)
{
	struct contract_answer answer = { .error = CONTRACT_OK };
	contract_t c = CONTRACT_NONE;

	STEPPED((unsigned)(blocks << order) + 1,
		c = contract_declare(me(), where, order, blocks, &answer));
	if (answer.error != wanted)
		step_violation("I12", "contract of %u blocks: %s", (unsigned)blocks,
			       contract_error_name(answer.error));
	return c;
}

static void release(contract_t c, enum contract_error wanted)
{
	enum contract_error e = CONTRACT_OK;

	STEPPED(8, e = contract_release(c));
	if (e != wanted)
		step_violation("I3", "release of a contract: %s", contract_error_name(e));
}

/* A page that must come, because a contract says so; it stays out of the book. */
static void *draw(gfp_t where)
{
	void *page = NULL;

	STEPPED(1, page = allocpage(GFP_ATOMIC | where, me()));
	if (!page)
		step_violation("I12", "a contract was not kept");
	return page;
}

static void put_back(void *page, owner_t owner)
{
	if (page)
		STEPPED_ERROR(PAGE_OK, freepage(page, owner));
}

void script_contract_terms(void)
{
	struct contract_stats s;
	contract_t c[CONTRACT_COUNT];
	unsigned n = 0;
	bool ok = false;

	declare(GFP_WHERE, 0, 1, CONTRACT_BAD_TERMS);
	declare(GFP_ATOMIC, 0, 1, CONTRACT_BAD_TERMS);
	declare(0, 19, 1, CONTRACT_BAD_TERMS);
	declare(0, 0, 0, CONTRACT_BAD_TERMS);
	declare(0, 0, CONTRACT_BLOCKS_MAX + 1, CONTRACT_BAD_TERMS);
	declare(0, 9, CONTRACT_BLOCKS_MAX, CONTRACT_SHORT);
	declare(GFP_DMA32, 18, 1, CONTRACT_SHORT);
	STEPPED(0, c[0] = contract_declare(OWNER_NONE, 0, 0, 1, NULL));
	STEPPED(0, ok = contract_stats(CONTRACT_NONE, &s));
	release(CONTRACT_NONE, CONTRACT_STALE);
	release((contract_t){ CONTRACT_COUNT }, CONTRACT_STALE);
	c[0] = declare(GFP_DMA, 1, 2, CONTRACT_OK);
	STEPPED(0, ok = contract_stats(c[0], &s));
	if (!ok || s.aside != 2)
		step_violation("I3", "a contract of 2 blocks has %u aside", (unsigned)s.aside);
	/* More than a word of bits, so that the search goes from one to the next. */
	contract_t low = declare(GFP_DMA32, 0, 1, CONTRACT_OK);
	release(low, CONTRACT_OK);
	contract_t large = declare(0, 0, 70, CONTRACT_OK);
	release(large, CONTRACT_OK);
	release(large, CONTRACT_STALE);
	release(c[0], CONTRACT_OK);
	/* All numbers, but those that visitors need. */
	while (n < CONTRACT_COUNT && (c[n] = contract_declare(me(), 0, 0, 1, NULL)).v)
		n++;
	contract_t none = CONTRACT_NONE;
	STEPPED(0, none = contract_declare(me(), 0, 0, 1, NULL));
	release(none, CONTRACT_STALE);
	while (n-- > 0)
		contract_release(c[n]);
}

void script_contract_draws(void)
{
	contract_t c = declare(0, 0, 4, CONTRACT_OK);
	void *page[3];

	script_fill(GFP_ATOMIC, 0, 0);
	step_meeting.drawable = true;
	for (unsigned i = 0; i < 3; i++)
		page[i] = draw(0);
	if (!step_failed())
		STEPPED_ERROR(PAGE_OK, page_transfer(page[0], 0, me(), other()));
	put_back(page[0], other());
	put_back(page[1], me());
	page[1] = draw(0);
	struct page_info info;
	frame_t f = page_to_frame(page[2]);
	put_back(page[2], me());
	STEPPED(0, page_query(f, &info));
	step_meeting.drawable = false;
	release(c, CONTRACT_OK);
	put_back(page[1], me());
	script_unfill();
}

/* Enough is free, but in pieces: what was found is given back.  Or not even a book's page. */
void script_contract_short(void)
{
	struct contract_answer answer;
	void *piece[40], *block = script_take_quietly(GFP_ATOMIC, 3);
	contract_t c = CONTRACT_NONE;

	for (unsigned i = 0; i < 40; i++)
		piece[i] = script_take_quietly(GFP_ATOMIC, 1);
	script_fill(GFP_ATOMIC, 0, 0);
	STEPPED(4, c = contract_declare(me(), 0, 0, 1, &answer));
	contract_release(c);
	for (unsigned i = 0; i < 40; i += 2)
		script_give_quietly(piece[i], 1);
	script_give_quietly(block, 3);
	STEPPED(17, c = contract_declare(me(), 0, 3, 2, &answer));
	contract_release(c);
	for (unsigned i = 1; i < 40; i += 2)
		script_give_quietly(piece[i], 1);
	script_unfill();
}

/* Its owner leaves while it is being made. */
void script_contract_orphan(void)
{
	struct contract_answer answer;
	owner_t o = owner_register("icarus");
	contract_t c = CONTRACT_NONE;

	step_meeting.leaver = o;
	STEPPED(3, c = contract_declare(o, 0, 0, 2, &answer));
	if (c.v != CONTRACT_NONE.v && step_meeting.left)
		step_violation("I7", "an owner with a contract has left");
	step_meeting.leaver = OWNER_NONE;
	contract_release(c);
	if (!step_meeting.left && owner_unregister(o) != 0)
		step_violation("I7", "an owner whose contract is released could not leave");
}

/* A contract that ends while one of its blocks is out. */
static void end_contract(gfp_t where)
{
	contract_t c = declare(where, 2, 2, CONTRACT_OK);
	void *block = NULL;

	script_fill(GFP_ATOMIC | where, 0, 0);
	STEPPED(4, block = allocpages(GFP_NOWAIT | where, 2, me()));
	release(c, CONTRACT_OK);
	if (block)
		STEPPED_ERROR(PAGE_OK, freepages(block, 2, me()));
	script_unfill();
}

/* One of whole groups, if there are any: what is set aside goes back as it was taken. */
static void end_large_contract(void)
{
	struct contract_answer answer;
	contract_t c = CONTRACT_NONE;

	STEPPED(2 * 64 + 1, c = contract_declare(me(), 0, 6, 2, &answer));
	if (c.v != CONTRACT_NONE.v)
		release(c, CONTRACT_OK);
}

void script_contract_ends(void)
{
	end_contract(GFP_DMA);
	end_contract(GFP_DMA32);
	end_contract(0);
	end_large_contract();
}

/* --- pools */

static void pool_round(struct pool *p, unsigned n)
{
	void *page[16];
	struct pool_stats s;

	for (unsigned i = 0; i < n; i++) {
		STEPPED(POOL_BATCH, page[i] = pool_take(p));
		book_take(page[i], 0, me(), GFP_ATOMIC);
	}
	for (unsigned i = 0; i < n; i++) {
		if (!page[i] || step_failed())
			continue;
		book_give(page[i], 0, me());
		STEPPED_ERROR(PAGE_OK, pool_give(p, page[i]));
	}
	STEPPED(0, pool_stats(p, &s));
}

static void wrong_gifts(struct pool *p)
{
	unsigned char *page = script_take_quietly(GFP_ATOMIC, 0);

	if (!page)
		return;
	STEPPED_ERROR(PAGE_NOT_RAM, pool_give(p, NULL));
	STEPPED_ERROR(PAGE_MISALIGNED, pool_give(p, page + 1));
	STEPPED_ERROR(PAGE_OK, page_share(page, me()));
	STEPPED_ERROR(PAGE_WRONG_STATE, pool_give(p, page));
	STEPPED_ERROR(PAGE_OK, page_unshare(page, me()));
	/* One more than it likes: passed on. */
	book_give(page, 0, me());
	STEPPED_ERROR(PAGE_OK, pool_give(p, page));
}

void script_pools(void)
{
	struct pool *p = NULL;
	unsigned n = 0;

	book_pooled += 24;
	STEPPED(0, p = pool_create(me(), GFP_ATOMIC, 8, 8));
	STEPPED(0, p = pool_create(me(), GFP_ZERO, 1, 8));
	STEPPED(24, p = pool_create(me(), GFP_ATOMIC, 2, 8));
	if (!p || step_failed())
		return;
	step_meeting.pool = p;
	pool_round(p, 12);
	wrong_gifts(p);
	STEPPED(8, n = pool_refill(p));
	step_meeting.pool = NULL;
	STEPPED(24, n = pool_destroy(p));
	if (n == 0)
		step_violation("I3", "a pool ended without a page");
}

/* A pool that finds nothing to buy. */
void script_dry_pool(void)
{
	struct pool *p = pool_create(me(), GFP_ATOMIC, 1, 3);
	void *page[4], *none = NULL;
	unsigned n = 0;

	book_pooled += 4;
	script_fill(GFP_ATOMIC, 0, 0);
	for (; p && n < 4; n++) {
		STEPPED(4, page[n] = pool_take(p));
		if (!page[n])
			break;
	}
	while (n-- > 0)
		STEPPED_ERROR(PAGE_OK, pool_give(p, page[n]));
	STEPPED(1, none = pool_create(me(), GFP_ATOMIC, 1, 3));
	if (none)
		pool_destroy(none);
	script_unfill();
	STEPPED(4, n = pool_destroy(p));
}

/* --- owners */

void script_owners(void)
{
	owner_t o[OWNER_COUNT];
	unsigned n = 0;
	int result = 0;
	bool known = false;
	const char *name = NULL;

	STEPPED(0, o[n++] = owner_register("a name that is longer than there is room for"));
	STEPPED(0, known = owner_registered(o[0]));
	STEPPED(0, name = owner_name(o[0]));
	STEPPED(0, name = owner_name(OWNER_NONE));
	STEPPED(0, name = owner_name((owner_t){ 200 }));
	void *page = allocpage(GFP_ATOMIC, o[0]);
	STEPPED(0, result = owner_unregister(o[0]));
	if (result == 0 || !known || !name)
		step_violation("I7", "an owner who holds a page could leave");
	freepage(page, o[0]);
	contract_t c = contract_declare(o[0], 0, 0, 1, NULL);
	STEPPED(0, result = owner_unregister(o[0]));
	if (result == 0 && c.v)
		step_violation("I7", "an owner with a contract could leave");
	contract_release(c);
	while (n < OWNER_COUNT && (o[n] = owner_register("crowd")).id)
		n++;
	STEPPED(0, o[n % OWNER_COUNT] = owner_register("one too many"));
	STEPPED(0, result = owner_unregister(OWNER_NONE));
	while (n-- > 0)
		STEPPED(0, result = owner_unregister(o[n]));
}
