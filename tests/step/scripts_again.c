/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does: calls whose page's word a visitor changes, and that hold. */
#include "scripts.h"

static owner_t me(void)    { return step_owner[STEP_THREAD]; }
static owner_t other(void) { return step_owner[STEP_OTHER]; }

/* @call is stepped, with @page's word changed meanwhile, and must succeed. */
#define SHAKEN(page, call)                                                    \
	do {                                                                  \
		enum page_error e_ = PAGE_OK;                                 \
		step_meeting.shaken = (page);                                 \
		STEPPED(1, e_ = call);                                        \
		step_meeting.shaken = NULL;                                   \
		if (e_ != PAGE_OK)                                            \
			step_violation("I5", "%s: %s", #call, page_error_name(e_)); \
	} while (0)

static void refer_again(void *page)
{
	SHAKEN(page, page_share(page, me()));
	step_meeting.shared = 1;
	SHAKEN(page, page_share(page, me()));
	SHAKEN(page, page_unshare(page, me()));
	for (unsigned n = step_meeting.shared; n > 0; n--)
		page_unshare(page, me());
	step_meeting.shared = 0;
}

static void pass_again(gfp_t gfp, unsigned order)
{
	void *page = script_take_quietly(gfp, order);

	if (!page)
		return;
	step_meeting.order = order;
	SHAKEN(page, page_transfer(page, order, me(), other()));
	page_transfer(page, order, other(), me());
	SHAKEN(page, page_lend(page, order, me()));
	SHAKEN(page, page_reclaim(page, order, me()));
	if (order == 0 && !(gfp & GFP_EXCL))
		refer_again(page);
	if (step_failed())
		return;
	book_give(page, order, me());
	if (order == 0)
		SHAKEN(page, freepage(page, me()));
	else
		SHAKEN(page, freepages(page, order, me()));
}

static void pool_again(void)
{
	struct pool *p = pool_create(me(), GFP_ATOMIC, 2, 8);
	void *page = p ? pool_take(p) : NULL;

	book_pooled += 24;
	step_meeting.order = 0;
	if (page)
		SHAKEN(page, pool_give(p, page));
	if (p)
		pool_destroy(p);
}

void script_again(void)
{
	static const gfp_t where[] = { 0, GFP_DMA32, GFP_DMA };

	for (unsigned i = 0; i < 3; i++) {
		pass_again(GFP_ATOMIC | where[i], 0);
		pass_again(GFP_ATOMIC | where[i], 3);
		pass_again(GFP_ATOMIC | GFP_EXCL | where[i], 0);
	}
	pool_again();
}
