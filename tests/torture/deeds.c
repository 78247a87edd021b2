/* SPDX-License-Identifier: MIT */
/* What travellers do: one thing at a time, at random. */
#include "torture.h"

#include <stdatomic.h>

#include <labyrinth/contract.h>

#define BATCH_MAX 40u

void traveller_init(struct traveller *t, const char *kind, unsigned number, unsigned tag,
		    enum abilities can, uint32_t quota, uint64_t seed)
{
	*t = (struct traveller){ .kind = kind, .number = number, .tag = (uint8_t)(1 + tag % 254),
				 .can = can, .quota = quota };
	/* Neighbouring seeds must not give neighbouring sequences. */
	t->random = (seed ^ ((uint64_t)tag + 1) * 0x9e3779b97f4a7c15u) | 1;
	for (unsigned i = 0; i < 8; i++)
		dice(t, 2);
}

/* Small ones mostly; a traveller that has to be quick stays below 64 frames. */
static unsigned some_order(struct traveller *t)
{
	unsigned d = (unsigned)dice(t, 100);
	unsigned order = d < 60 ? 0 : d < 80 ? 1 + d % 3 : d < 91 ? 4 + d % 3 : d < 98 ? 7 + d % 3
			 : 10;

	return t->can == CAN_SHORT && order > 5 ? order % 6 : order;
}

static gfp_t some_gfp(struct traveller *t)
{
	unsigned d = (unsigned)dice(t, 16);
	gfp_t gfp = d < 9 ? GFP_ATOMIC : GFP_NOWAIT;

	if (dice(t, 12) == 0)
		gfp |= GFP_EXCL;
	if (dice(t, 16) == 0)
		gfp |= GFP_DMA32;
	return gfp;
}

static void take(struct traveller *t)
{
	unsigned order = some_order(t);
	gfp_t gfp = some_gfp(t);

	if (order <= 3 && dice(t, 10) == 0)
		gfp |= GFP_ZERO;
	if (piece_fits(t, order))
		piece_take(t, gfp, order);
	else if (t->n > 0)
		piece_free(t, (unsigned)dice(t, t->n));
}

static void give(struct traveller *t)
{
	if (t->n > 0)
		piece_free(t, (unsigned)dice(t, t->n));
}

static void mail(struct traveller *t)
{
	if (t->n > 0)
		piece_mail(t, (unsigned)dice(t, t->n));
}

static void transfer(struct traveller *t)
{
	struct piece *p = t->n ? &t->log[dice(t, t->n)] : NULL;
	unsigned to = (unsigned)dice(t, TORTURE_OWNERS);
	enum page_error e;

	if (!p)
		return;
	e = page_transfer(p->page, p->order, torture.owner[p->owner], torture.owner[to]);
	if ((e == PAGE_OK) != (p->hold == HOLD_PLAIN || p->hold == HOLD_EXCLUSIVE))
		torture_fault(t, "a transfer of frame 0x%x, hold %u, said: %s",
			      page_to_frame(p->page).n, p->hold, page_error_name(e));
	if (e != PAGE_OK)
		return;
	p->owner = (uint8_t)to;
	/* A new name, and a page that says so: the old signature held the old one. */
	struct piece old = *p;
	p->generation = page_handle(p->page).generation;
	if (p->generation == old.generation)
		torture_fault(t, "the handle of frame 0x%x outlived a transfer",
			      page_to_frame(p->page).n);
	piece_resign(t, p, &old);
}

static void share(struct traveller *t)
{
	struct piece *p = t->n ? &t->log[dice(t, t->n)] : NULL;
	enum page_error e;

	if (!p || p->hold == HOLD_SHARED)
		return;
	e = page_share(p->page, torture.owner[p->owner]);
	if ((e == PAGE_OK) != (p->hold == HOLD_PLAIN))
		torture_fault(t, "sharing frame 0x%x, hold %u, said: %s",
			      page_to_frame(p->page).n, p->hold, page_error_name(e));
	if (e == PAGE_OK)
		p->hold = HOLD_SHARED;
}

static void lend(struct traveller *t)
{
	struct piece *p = t->n ? &t->log[dice(t, t->n)] : NULL;

	if (!p || p->hold != HOLD_PLAIN)
		return;
	if (page_lend(p->page, p->order, torture.owner[p->owner]) == PAGE_OK)
		p->hold = HOLD_LENT;
	else
		torture_fault(t, "frame 0x%x could not be lent", page_to_frame(p->page).n);
}

static void batch(struct traveller *t)
{
	void *pages[BATCH_MAX];
	size_t n = 1 + dice(t, t->can == CAN_SHORT ? 6 : BATCH_MAX), got;
	unsigned owner = (unsigned)dice(t, TORTURE_OWNERS);

	if (t->n + n > LOG_MAX || t->held + n > t->quota)
		return;
	got = allocpages_bulk(dice(t, 2) ? GFP_ATOMIC : GFP_NOWAIT, n, pages,
			      torture.owner[owner]);
	for (size_t i = 0; i < got; i++)
		piece_enter(t, pages[i], 0, owner, HOLD_PLAIN);
	if (got < n && atomic_load(&torture.plenty) == PLENTY)
		torture_fault(t, "a batch of %zu got %zu, with plenty free (I12)", n, got);
}

/* As many single pages of one owner as happen to stand at the end of the log. */
static void batch_back(struct traveller *t)
{
	void *pages[BATCH_MAX];
	size_t n = 0, freed;
	unsigned owner = t->n ? t->log[t->n - 1].owner : 0;

	while (t->n > 0 && n < BATCH_MAX) {
		const struct piece *p = &t->log[t->n - 1];

		if (p->order != 0 || p->owner != owner || p->hold > HOLD_EXCLUSIVE)
			break;
		/* An exclusive page is freed like any other. */
		pages[n++] = piece_strike(t, t->n - 1).page;
	}
	freed = n ? freepages_bulk(n, pages, torture.owner[owner]) : 0;
	if (freed != n)
		torture_fault(t, "of a batch of %zu pages %zu could be freed", n, freed);
}

/* A promise for a moment: either refused, or a page is there whatever the others do. */
static void promise(struct traveller *t)
{
	unsigned owner = (unsigned)dice(t, TORTURE_OWNERS), order = (unsigned)dice(t, 4);
	contract_t c;

	if (t->can == CAN_SHORT)
		return;
	c = contract_declare(torture.owner[owner], 0, order, 1 + dice(t, 4), NULL);
	if (c.v != CONTRACT_NONE.v && contract_release(c) != CONTRACT_OK)
		torture_fault(t, "a contract just made could not be released");
}

/* Sleep for a page, if need be.  In want that may be in vain. */
static void wait_for(struct traveller *t)
{
	unsigned order = (unsigned)dice(t, 4), owner = (unsigned)dice(t, TORTURE_OWNERS);
	uint64_t *page;

	if (!torture.wait || t->can != CAN_ALL || !piece_fits(t, order))
		return;
	atomic_fetch_add(&torture.waits, 1);
	page = torture.wait(GFP_KERNEL, order, torture.owner[owner], 1000 + dice(t, 5000000));
	if (page)
		piece_enter(t, page, order, owner, HOLD_PLAIN);
	else if (order == 0 && atomic_load(&torture.plenty) == PLENTY)
		torture_fault(t, "a thread slept in vain, with plenty free (I12)");
}

static void drain(struct traveller *t)
{
	if (t->can == CAN_ALL)
		page_drain();
}

static void misbehave(struct traveller *t)
{
	if (t->n > 0)
		sin_against(t, (unsigned)dice(t, t->n));
}

void traveller_act(struct traveller *t)
{
	static const struct { uint16_t share; void (*what)(struct traveller *); } deeds[] = {
		{ 377, take }, { 330, give }, { 80, mail }, { 60, transfer }, { 40, share },
		{ 30, lend }, { 30, batch }, { 25, batch_back }, { 15, misbehave }, { 8, drain },
		{ 2, promise }, { 3, wait_for },
	};
	unsigned d = (unsigned)dice(t, 1000), i = 0;

	while (d >= deeds[i].share)
		d -= deeds[i++].share;
	deeds[i].what(t);
	atomic_fetch_add_explicit(&t->deeds, 1, memory_order_relaxed);	/* a counter */
}
