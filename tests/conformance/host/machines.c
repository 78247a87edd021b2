/* SPDX-License-Identifier: MIT */
/* Machines for the hosted tests of allocators, made to measure. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../conform.h"
#include "../../textbook/textbook.h"

/* --- the textbook allocator: its metadata in the heap, its RAM a reservation */

static void *ram;
static size_t ram_size;

int textbook_start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	uint32_t first = r[0].start, frames = r[n - 1].end - first;
	struct textbook_frame *frame = calloc(frames, sizeof(*frame));

	(void)ncpu;
	ram_size = (size_t)frames << PAGE_SHIFT;
	ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!frame || ram == MAP_FAILED) {
		perror("no memory for a machine");
		return -1;
	}
	textbook_init(&the_textbook, frame, first, r[n - 1].end, ram);
	for (size_t i = 0; i < n; i++)
		textbook_add(&the_textbook, r[i].start, r[i].end);
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		the_textbook.zone[z].min = the_textbook.zone[z].total / 256;
		the_textbook.zone[z].low = the_textbook.zone[z].total / 128;
	}
	return 0;
}

void textbook_stop(void)
{
	free(the_textbook.frame);
	munmap(ram, ram_size);
}

/* --- the machines */

/* All three zones, holes that are odd in size and place, little enough to touch it all. */
static const struct frame_range small[] = {
	{ 0x100, 0x9f3 }, { 0x9f4, 0x1000 }, { 0x1000, 0x1801 }, { 0x1803, 0x3000 },
	{ 0x100000, 0x101000 }, { 0x101040, 0x102001 },
};
static const struct frame_range tiny[] = { { 0x100, 0x37f } };
/* Nothing at the border of the zones but the border itself keeps blocks from joining. */
static const struct frame_range large[] = { { 0, 0xc0000 }, { 0x100000, 0x200000 } };

int conform_start(const struct allocator_ops *a, enum conform_machine machine, unsigned ncpu)
{
	switch (machine) {
	case CONFORM_SMALL:
		return a->start(small, sizeof(small) / sizeof(*small), ncpu);
	case CONFORM_TINY:
		return a->start(tiny, 1, ncpu);
	case CONFORM_LARGE:
		return a->start(large, 2, ncpu);
	}
	return -1;
}

bool conform_may_take(uint64_t frames)
{
	(void)frames;
	return true;
}

size_t conform_log_get(struct block **log)
{
	*log = calloc(1u << 16, sizeof(**log));
	return *log ? 1u << 16 : 0;
}

void conform_log_put(struct block *log)
{
	free(log);
}
