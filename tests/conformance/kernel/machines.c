/* SPDX-License-Identifier: MIT */
/*
 * Allocators under test in the kernel.  Labyrinth's is the live one, as it is;
 * the textbook one gets a block of its memory.
 */
#include <labyrinth/mm.h>

#include "../conform.h"
#include "../../textbook/buddy.h"

int labyrinth_start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	(void)r;
	(void)n;
	(void)ncpu;
	return 0;
}

void labyrinth_stop(void)
{
	/* It goes on. */
}

/* --- the textbook allocator, on borrowed memory */

#define BORROWED_ORDER 10u		/* 4 MiB; enough for every order that the tests touch */

static void *borrowed;
static void *metadata;

static unsigned order_of(size_t bytes)
{
	unsigned k = 0;

	while (PAGE_SIZE << k < bytes)
		k++;
	return k;
}

#define METADATA_ORDER order_of(sizeof(struct textbook_frame) << BORROWED_ORDER)

int textbook_start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	(void)r;
	(void)n;
	(void)ncpu;
	metadata = allocpages(GFP_ATOMIC | GFP_ZERO, METADATA_ORDER, OWNER_KERNEL);
	borrowed = allocpages(GFP_ATOMIC, BORROWED_ORDER, OWNER_KERNEL);
	if (!metadata || !borrowed) {
		textbook_stop();
		return -1;
	}

	uint32_t first = page_to_frame(borrowed).n, end = first + (1u << BORROWED_ORDER);
	textbook_init(&the_textbook, metadata, first, end, borrowed);
	textbook_add(&the_textbook, first, end);
	the_textbook.zone[buddy_zone_of(first)].min = 8;
	the_textbook.zone[buddy_zone_of(first)].low = 16;
	return 0;
}

void textbook_stop(void)
{
	if (borrowed)
		freepages(borrowed, BORROWED_ORDER, OWNER_KERNEL);
	if (metadata)
		freepages(metadata, METADATA_ORDER, OWNER_KERNEL);
	borrowed = metadata = NULL;
}

int conform_start(const struct allocator_ops *a, enum conform_machine machine, unsigned ncpu)
{
	(void)machine;
	return a->start(NULL, 0, ncpu);
}

/* More would take too long to touch frame by frame in an emulator. */
bool conform_may_take(uint64_t frames)
{
	return frames <= 96u << 8;		/* 96 MiB */
}

/* --- the tests' log: the largest block that leaves most of a small machine free */

#define LOG_ORDER_MAX 7u		/* 512 KiB, 64 Ki blocks */

static unsigned log_order;

size_t conform_log_get(struct block **log)
{
	struct zone_stats s;
	uint64_t free = 0;

	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		free += s.free;
	}
	for (log_order = LOG_ORDER_MAX; log_order > 0 && free >> log_order < 64; log_order--)
		continue;
	*log = allocpages(GFP_ATOMIC, log_order, OWNER_KERNEL);
	return *log ? (PAGE_SIZE << log_order) / sizeof(**log) : 0;
}

void conform_log_put(struct block *log)
{
	if (log)
		freepages(log, log_order, OWNER_KERNEL);
}
