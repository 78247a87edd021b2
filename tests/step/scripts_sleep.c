/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does: requests that may sleep, with a sleeper who only tries. */
#include <labyrinth/damage.h>
#include <labyrinth/mm_sleep.h>

#include "scripts.h"

static unsigned frees_seen;

static void may(unsigned order, owner_t owner)
{
	(void)order;
	(void)owner;
}

static void seen(void) { frees_seen++; }

static const struct mm_sleeper sleeper = { .check = may, .alloc = mm_try, .freed = seen };

/* Whatever it brings is put into the book and given back. */
static void kernel_request(gfp_t where, unsigned order)
{
	struct zone_walk walk;
	void *page = NULL;
	owner_t me = step_owner[STEP_THREAD];

	STEPPED(1u << order, page = allocpages(GFP_KERNEL | where, order, me));
	book_take(page, order, me, GFP_KERNEL | where);
	script_give(page, order);
	STEPPED(1u << order, page = mm_try(GFP_KERNEL | where, order, me, &walk));
	book_take(page, order, me, GFP_KERNEL | where);
	script_give(page, order);
}

static void kernel_batch(void)
{
	void *page[3];
	owner_t me = step_owner[STEP_THREAD];
	size_t got = 0;

	STEPPED(3, got = allocpages_bulk(GFP_KERNEL, 3, page, me));
	for (size_t i = 0; i < got; i++)
		book_take(page[i], 0, me, GFP_KERNEL);
	for (size_t i = 0; i < got && !step_failed(); i++)
		script_give_quietly(page[i], 0);
}

/* A contract's block that comes back is told as well. */
static void watched_contract(void)
{
	owner_t me = step_owner[STEP_THREAD];
	contract_t c = contract_declare(me, 0, 0, 1, NULL);
	enum page_error e = PAGE_OK;
	void *page;

	script_fill(GFP_ATOMIC, 0, 0);
	page = allocpage(GFP_ATOMIC, me);
	script_unfill();
	mm_watch_frees(true);
	if (page)
		STEPPED(1, e = freepage(page, me));
	mm_watch_frees(false);
	if (e != PAGE_OK)
		step_violation("I5", "free of a contract's page: %s", page_error_name(e));
	contract_release(c);
}

/* What is freed in other ways while somebody watches. */
void script_watched(void)
{
	owner_t me = step_owner[STEP_THREAD];
	contract_t c = contract_declare(me, 0, 0, 2, NULL);
	unsigned char *block = script_take_quietly(GFP_ATOMIC, 3);
	enum contract_error e = CONTRACT_OK;

	if (!block)
		return;
	frame_t f = page_to_frame(block + 3 * PAGE_SIZE);
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	step_meeting.damaged[step_meeting.ndamaged++] = f;
	page_damaged(f);
	mm_set_sleeper(&sleeper);
	mm_watch_frees(true);
	script_give(block, 3);
	STEPPED(1, page_pardon(f));	/* a visitor may have it */
	for (unsigned o = 6; o <= 9; o += 3)
		script_give(script_take_quietly(GFP_ATOMIC, o), o);
	STEPPED(2, e = contract_release(c));
	mm_watch_frees(false);
	mm_set_sleeper(NULL);
	if (e != CONTRACT_OK)
		step_violation("I3", "end of a contract: %s", contract_error_name(e));
}

void script_sleepers(void)
{
	bool fits = false;

	STEPPED(0, mm_set_sleeper(&sleeper));
	STEPPED(0, fits = mm_may_ever_fit(GFP_KERNEL, 3));
	STEPPED(0, fits = fits && !mm_may_ever_fit(GFP_KERNEL | GFP_DMA, 18));
	if (!fits)
		step_violation("I12", "what may ever fit is told wrongly");
	kernel_request(0, 0);
	STEPPED(0, fits = mm_may_ever_fit(GFP_KERNEL, 18));
	kernel_batch();
	kernel_request(GFP_DMA, 0);
	frees_seen = 0;
	STEPPED(0, mm_watch_frees(true));
	script_give(script_take(GFP_ATOMIC, 0), 0);
	script_give(script_take(GFP_ATOMIC, 3), 3);
	if (frees_seen == 0 && !step_failed())
		step_violation("I12", "nobody who sleeps would have been told of a free");
	script_fill(GFP_ATOMIC, 0, 4);
	kernel_request(0, 0);
	kernel_request(0, 2);
	kernel_request(GFP_DMA, 0);
	script_unfill();
	script_fill(GFP_ATOMIC, 0, 0);
	kernel_request(0, 0);
	script_unfill();
	STEPPED(0, mm_watch_frees(false));
	kernel_request(0, 2);
	watched_contract();
	STEPPED(0, mm_set_sleeper(NULL));
	/* Somebody watches, and nobody sleeps any more. */
	mm_watch_frees(true);
	script_give(script_take(GFP_ATOMIC, 0), 0);
	mm_watch_frees(false);
}
