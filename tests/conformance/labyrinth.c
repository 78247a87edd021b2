/* SPDX-License-Identifier: MIT */
/* The kernel's allocator as struct allocator_ops: pages become frame numbers. */
#include "allocator.h"

#include <labyrinth/mm.h>

/* Pointers on their way to and from a batch; longer batches go in pieces of this many. */
#define PIECE 64u

/* The tests provoke thousands of refusals; reports.c looks at what is said. */
static void swallow(const char *line)
{
	(void)line;
}

static int start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	mm_report_to(swallow);
	return labyrinth_start(r, n, ncpu);
}

static void stop(void)
{
	labyrinth_stop();
	mm_report_to(NULL);
}

static frame_t frame_of(void *page)
{
	return page ? page_to_frame(page) : FRAME_NONE;
}

static frame_t alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	/* Both ways in are tested: the plain one whenever nobody wants the story. */
	if (!walk && order == 0)
		return frame_of(allocpage(gfp, owner));
	return frame_of(walk ? allocpages_walk(gfp, order, owner, walk) :
			       allocpages(gfp, order, owner));
}

static size_t alloc_bulk(gfp_t gfp, size_t n, frame_t out[], owner_t owner)
{
	void *pages[PIECE];
	size_t done = 0, want, got;

	do {
		want = n - done < PIECE ? n - done : PIECE;
		got = allocpages_bulk(gfp, want, pages, owner);
		for (size_t i = 0; i < got; i++)
			out[done++] = frame_of(pages[i]);
	} while (got == want && done < n);
	return done;
}

static enum page_error free_block(frame_t f, unsigned order, owner_t owner)
{
	void *page = frame_to_page(f);

	return order == 0 ? freepage(page, owner) : freepages(page, order, owner);
}

static size_t free_bulk(size_t n, frame_t f[], owner_t owner)
{
	void *pages[PIECE];
	size_t accepted = 0;

	for (size_t done = 0; done < n;) {
		size_t k = 0;

		while (k < PIECE && done < n)
			pages[k++] = frame_to_page(f[done++]);
		accepted += freepages_bulk(k, pages, owner);
	}
	return accepted;
}

static enum page_error transfer(frame_t f, unsigned order, owner_t from, owner_t to)
{
	return page_transfer(frame_to_page(f), order, from, to);
}

static enum page_error share(frame_t f, owner_t owner)
{
	return page_share(frame_to_page(f), owner);
}

static enum page_error unshare(frame_t f, owner_t owner)
{
	return page_unshare(frame_to_page(f), owner);
}

static page_handle_t handle(frame_t f)
{
	return page_handle(frame_to_page(f));
}

static uint64_t held(owner_t owner)
{
	struct owner_stats s;

	owner_stats(owner, &s);
	return s.held;
}

static unsigned char *bytes(frame_t f)
{
	return frame_to_page(f);
}

const struct allocator_ops labyrinth_ops = {
	.name = "labyrinth",
	.start = start, .stop = stop,
	.alloc = alloc, .alloc_bulk = alloc_bulk, .free = free_block, .free_bulk = free_bulk,
	.transfer = transfer, .share = share, .unshare = unshare,
	.handle = handle, .handle_valid = page_handle_valid, .drain = page_drain,
	.query = page_query, .zone = zone_stats, .held = held, .audit = mm_audit,
	.bytes = bytes, .owner = owner_register, .forget = owner_unregister,
};
