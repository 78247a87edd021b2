/* SPDX-License-Identifier: MIT */
/* Who holds what, kept apart from the allocator: the log of each traveller, the map of all. */
#include "torture.h"

#include <stdarg.h>
#include <stdatomic.h>

#include <labyrinth/print.h>

struct torture torture;

void torture_fault(const struct traveller *t, const char *fmt, ...)
{
	char *out = torture.first_fault;
	unsigned told = 0;
	int n;

	/* One writes; the reader looks after all have come to rest. */
	if (atomic_compare_exchange_strong(&torture.told, &told, 1)) {
		va_list ap;

		n = t ? ksnprintf(out, sizeof(torture.first_fault), "%s %u: ", t->kind, t->number)
		      : 0;
		va_start(ap, fmt);
		kvsnprintf(out + n, sizeof(torture.first_fault) - (size_t)n, fmt, ap);
		va_end(ap);
	}
	atomic_fetch_add(&torture.faults, 1);
}

uint64_t dice(struct traveller *t, uint64_t limit)
{
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return (t->random * 0x2545f4914f6cdd1du >> 32) % limit;
}

/* --- the map */

/* Pairs with itself: of two who hold a frame, the second to come finds the first. */
static void mark(struct traveller *t, const void *page, unsigned order, uint8_t from, uint8_t to)
{
	uint32_t first = page_to_frame(page).n;

	for (uint32_t f = first; f < first + (1u << order); f++) {
		uint8_t was = f < torture.frames ? atomic_exchange(&torture.map[f], to) : NOBODY;

		if (f >= torture.frames)
			torture_fault(t, "frame 0x%x is beyond all memory", f);
		else if (was != from)
			torture_fault(t, "frame 0x%x of an order-%u block was held by tag %u, "
				      "not %u (I2)", f, order, was, from);
	}
}

/* --- what stands in a page: nobody else may have written there */

static uint64_t *last_word(const struct piece *p)
{
	return p->page + ((PAGE_SIZE << p->order) / sizeof(*p->page) - 1);
}

static uint64_t signature(const struct traveller *t, const struct piece *p)
{
	return ((uint64_t)t->tag << 56 | (uint64_t)p->generation << 24) ^ (uintptr_t)p->page;
}

static void sign(const struct traveller *t, const struct piece *p)
{
	*last_word(p) = signature(t, p);
	*p->page = signature(t, p);
}

static void check_signature(const struct traveller *t, const struct piece *p)
{
	if (*p->page != signature(t, p) || *last_word(p) != signature(t, p))
		torture_fault(t, "order-%u block at frame 0x%x was written by somebody else",
			      p->order, page_to_frame(p->page).n);
}

void piece_resign(struct traveller *t, struct piece *p, const struct piece *old)
{
	check_signature(t, old);
	sign(t, p);
}

/* --- the log */

static void check_word(const struct traveller *t, const struct piece *p)
{
	static const enum page_state states[] = {
		[HOLD_PLAIN] = PAGE_HELD, [HOLD_EXCLUSIVE] = PAGE_EXCLUSIVE,
		[HOLD_SHARED] = PAGE_SHARED, [HOLD_LENT] = PAGE_LENT,
	};
	struct page_info info;

	page_query(page_to_frame(p->page), &info);
	if (info.owner.id != torture.owner[p->owner].id || info.order != p->order ||
	    info.state != states[p->hold])
		torture_fault(t, "frame 0x%x should be %s, order %u, but is %s, order %u (I7)",
			      info.frame.n, page_state_name(states[p->hold]), p->order,
			      page_state_name(info.state), info.order);
	if (!page_handle_valid((page_handle_t){ page_to_frame(p->page), p->generation }))
		torture_fault(t, "the handle of frame 0x%x is stale while it is held",
			      info.frame.n);
}

bool piece_enter(struct traveller *t, void *page, unsigned order, unsigned owner, enum hold hold)
{
	struct piece *p = &t->log[t->n];

	if (t->n == LOG_MAX)
		return false;
	*p = (struct piece){ page, (uint8_t)order, (uint8_t)owner, (uint8_t)hold,
			     page_handle(page).generation };
	if (page_to_frame(page).n & ((1u << order) - 1))
		torture_fault(t, "frame 0x%x is not aligned for order %u (I4)",
			      page_to_frame(page).n, order);
	mark(t, page, order, NOBODY, t->tag);
	sign(t, p);
	t->n++;
	t->held += 1u << order;
	return true;
}

bool piece_take(struct traveller *t, gfp_t gfp, unsigned order)
{
	unsigned owner = (unsigned)dice(t, TORTURE_OWNERS);
	uint64_t *page = order ? allocpages(gfp, order, torture.owner[owner])
			       : allocpage(gfp, torture.owner[owner]);

	if (!page) {
		t->nulls++;
		/* Single pages cannot be missing while each keeps to his quota (I12). */
		if (order == 0 && !(gfp & GFP_WHERE) &&
		    atomic_load(&torture.plenty) == PLENTY)
			torture_fault(t, "no page, with plenty free (I12)");
		return false;
	}
	if (gfp & GFP_ZERO && (page[0] | page[(PAGE_SIZE << order) / 16] |
			       page[(PAGE_SIZE << order) / 8 - 1]))
		torture_fault(t, "a GFP_ZERO block of order %u is not zero (I9)", order);
	return piece_enter(t, page, order, owner, gfp & GFP_EXCL ? HOLD_EXCLUSIVE : HOLD_PLAIN);
}

struct piece piece_strike(struct traveller *t, unsigned i)
{
	struct piece p = t->log[i];

	check_signature(t, &p);
	if (dice(t, 8) == 0)
		check_word(t, &p);
	mark(t, p.page, p.order, t->tag, NOBODY);
	t->log[i] = t->log[--t->n];
	t->held -= 1u << p.order;
	return p;
}

static void expect_ok(struct traveller *t, const char *what, const struct piece *p,
		      enum page_error e)
{
	if (e != PAGE_OK)
		torture_fault(t, "%s of frame 0x%x, order %u, was refused: %s", what,
			      page_to_frame(p->page).n, p->order, page_error_name(e));
}

void piece_release(struct traveller *t, unsigned i)
{
	struct piece *p = &t->log[i];
	owner_t owner = torture.owner[p->owner];

	if (p->hold == HOLD_SHARED)
		expect_ok(t, "unsharing", p, page_unshare(p->page, owner));
	else if (p->hold == HOLD_LENT)
		expect_ok(t, "reclaiming", p, page_reclaim(p->page, p->order, owner));
	else
		return;
	p->hold = HOLD_PLAIN;
}

void piece_free(struct traveller *t, unsigned i)
{
	struct piece p;
	page_handle_t h;

	piece_release(t, i);
	p = piece_strike(t, i);
	h = (page_handle_t){ page_to_frame(p.page), p.generation };
	expect_ok(t, "free", &p, p.order ? freepages(p.page, p.order, torture.owner[p.owner])
					 : freepage(p.page, torture.owner[p.owner]));
	if (page_handle_valid(h))
		torture_fault(t, "the handle of frame 0x%x is good after the free", h.frame.n);
}

void traveller_empty(struct traveller *t)
{
	while (t->n > 0)
		piece_free(t, t->n - 1);
}

/* --- the mail: blocks that one takes and another gives back */

/* frame in bits 0-31, order 32-39, owner 40-47, 1 in bit 63. */
static uint64_t packed(const struct piece *p)
{
	return (uint64_t)1 << 63 | (uint64_t)p->owner << 40 | (uint64_t)p->order << 32 |
	       page_to_frame(p->page).n;
}

static void receive(struct traveller *t, uint64_t letter)
{
	struct piece p = { .page = frame_to_page((frame_t){ (uint32_t)letter }),
			   .order = (uint8_t)(letter >> 32), .owner = (uint8_t)(letter >> 40) };

	mark(t, p.page, p.order, IN_THE_MAIL, NOBODY);
	if (piece_fits(t, p.order))
		piece_enter(t, p.page, p.order, p.owner, HOLD_PLAIN);
	else
		expect_ok(t, "free", &p, freepages(p.page, p.order, torture.owner[p.owner]));
}

void piece_mail(struct traveller *t, unsigned i)
{
	struct piece p;
	uint64_t letter;

	piece_release(t, i);
	if (t->log[i].hold != HOLD_PLAIN)
		return;
	p = piece_strike(t, i);
	mark(t, p.page, p.order, NOBODY, IN_THE_MAIL);
	/* Pairs with itself: who takes a letter out sees what its sender did to the block. */
	letter = atomic_exchange(&torture.mail[dice(t, MAIL_SLOTS)], packed(&p));
	if (letter)
		receive(t, letter);
}

void mail_empty(struct traveller *t)
{
	for (unsigned i = 0; i < MAIL_SLOTS; i++) {
		uint64_t letter = atomic_exchange(&torture.mail[i], 0);

		if (letter) {
			receive(t, letter);
			traveller_empty(t);
		}
	}
}
