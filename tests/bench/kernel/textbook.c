/* SPDX-License-Identifier: MIT */
/* The benchmarks' cases for the textbook allocator, on all memory that Labyrinth has free. */
#include <labyrinth/boot_info.h>
#include <labyrinth/mm.h>

#include "../../conformance/allocator.h"
#include "../../textbook/buddy.h"
#include "kbench.h"

typedef frame_t block_t;

#define TITLE     "textbook"
#define KBENCH    kbench_textbook
#define INTERRUPT NULL			/* it takes a lock */
#define POOL      NULL

static inline block_t take(unsigned order, owner_t owner)
{
	return textbook_alloc(&the_textbook, GFP_ATOMIC, order, owner, NULL);
}

static inline void give(block_t b, unsigned order, owner_t owner)
{
	textbook_free(&the_textbook, b, order, owner);
}

static inline size_t batch_take(size_t n, block_t b[], owner_t owner)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (frame_is_none(b[i] = take(0, owner)))
			break;
	return i;
}

static inline void batch_give(size_t n, block_t b[], owner_t owner)
{
	for (size_t i = 0; i < n; i++)
		give(b[i], 0, owner);
}

static inline void pass(block_t b, owner_t from, owner_t to)
{
	textbook_transfer(&the_textbook, b, 0, from, to);
}

static inline bool is_none(block_t b)        { return frame_is_none(b); }
static inline frame_t frame_of(block_t b)    { return b; }
static inline block_t block_at(frame_t f)    { return f; }
static void zone_now(enum zone_id z, struct zone_stats *s) { textbook_ops.zone(z, s); }
static owner_t register_owner(void)          { return textbook_ops.owner("bench"); }

#include "cases.h"

/* --- its memory */

static struct kbench_taken lent;
static void *records;
static unsigned records_order;

static frame_t borrow(unsigned order)
{
	void *p = allocpages(GFP_ATOMIC, order, OWNER_KERNEL);

	return p ? page_to_frame(p) : FRAME_NONE;
}

static uint32_t frames_end(void)
{
	uint64_t end = 0;

	for (size_t i = 0; i < boot_info.map.n; i++)
		if (boot_info.map.r[i].type == MEM_USABLE)
			end = boot_info.map.r[i].end;
	return (uint32_t)(end >> PAGE_SHIFT);
}

/* As Labyrinth's, so that "low" means the same to both. */
static void set_watermarks(void)
{
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone_stats s;

		zone_stats(z, &s);
		the_textbook.zone[z].min = s.min;
		the_textbook.zone[z].low = s.low;
	}
}

bool kbench_textbook_start(void)
{
	uint32_t end = frames_end();

	for (records_order = 0; PAGE_SIZE << records_order < end * sizeof(struct textbook_frame);)
		records_order++;
	if (records_order > ORDER_MAX)
		return false;
	/* Below 4 GiB, so that the largest blocks stay whole. */
	records = allocpages(GFP_ATOMIC | GFP_DMA32 | GFP_ZERO, records_order, OWNER_KERNEL);
	if (!records)
		return false;
	textbook_init(&the_textbook, records, 0, end, frame_to_page((frame_t){ 0 }));
	kbench_take(&lent, ORDER_MAX, 9, borrow);
	for (size_t i = 0; i < lent.n; i++)
		textbook_add(&the_textbook, lent.block[i].n,
			     lent.block[i].n + (1u << lent.order[i]));
	set_watermarks();
	return lent.n > 0;
}

void kbench_textbook_stop(void)
{
	while (lent.n > 0) {
		lent.n--;
		freepages(frame_to_page(lent.block[lent.n]), lent.order[lent.n], OWNER_KERNEL);
	}
	if (records)
		freepages(records, records_order, OWNER_KERNEL);
	records = NULL;
}
