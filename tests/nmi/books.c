/* SPDX-License-Identifier: MIT */
/*
 * A byte a frame says who holds it; it is exchanged in one step, so that an NMI in between
 * finds it before or after.  A page is marked after it was taken and unmarked before it is
 * given: whoever finds a mark where he takes has found two holders.
 */
#include "storm.h"

#include <labyrinth/mm.h>
#include <labyrinth/string.h>

#define FRAMES_MAX ((uint64_t)5 << 20)	/* 16 GiB, and a gap */
#define WORDS (PAGE_SIZE / sizeof(uint64_t))

struct storm_book storm_book;

static uint8_t *map;
static uint64_t map_frames;
static unsigned map_order;

bool storm_book_open(void)
{
	struct zone_stats s;

	/*
	 * A machine of the tests has its memory in one piece but for the gap below 4 GiB.
	 * With q35 that takes 2 GiB and what firmware keeps: room for the largest gap.
	 */
	map_frames = 0;
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		map_frames += s.total;
	}
	map_frames += ZONE_DMA32_END;
	if (map_frames > FRAMES_MAX)
		return false;
	for (map_order = 0; PAGE_SIZE << map_order < map_frames;)
		map_order++;
	map = allocpages(GFP_ATOMIC | GFP_ZERO, map_order, OWNER_KERNEL);
	memset(&storm_book, 0, sizeof(storm_book));
	return map;
}

void storm_book_close(void)
{
	freepages(map, map_order, OWNER_KERNEL);
}

/* relaxed: all on one CPU */
static void count(uint64_t *n) { __atomic_fetch_add(n, 1, __ATOMIC_RELAXED); }

static void violation(const char *what)
{
	if (!storm_book.violations)
		storm_book.first = what;
	count(&storm_book.violations);
}

static uint8_t mark(const void *page, enum holder who)
{
	uint64_t f = page_to_frame(page).n;

	if (f >= map_frames) {
		violation("a page from beyond all memory");
		return (uint8_t)who;
	}
	return __atomic_exchange_n(&map[f], (uint8_t)who, __ATOMIC_RELAXED);
}

static uint64_t pattern(const void *page, enum holder who)
{
	return (uint64_t)page * 0x9e3779b97f4a7c15u ^ who;
}

void *storm_book_take(enum holder who, owner_t owner)
{
	uint64_t *page = allocpage(GFP_ATOMIC, owner);

	if (!page) {
		count(&storm_book.spurious);
		return NULL;
	}
	if (mark(page, who) != NOBODY)
		violation("a page that somebody holds was handed out");
	page[0] = page[WORDS - 1] = pattern(page, who);
	count(&storm_book.allocs);
	return page;
}

void storm_book_give(enum holder who, void *page, owner_t owner, owner_t via)
{
	const uint64_t *word = page;

	if (word[0] != pattern(page, who) || word[WORDS - 1] != pattern(page, who))
		violation("somebody else wrote to a page");
	if (via.id) {
		if (page_transfer(page, 0, owner, via) != PAGE_OK)
			violation("a transfer was refused");
		count(&storm_book.transfers);
		owner = via;
	}
	if (mark(page, NOBODY) != who)
		violation("a page changed its holder");
	if (freepage(page, owner) != PAGE_OK)
		violation("a free was refused");
	count(&storm_book.frees);
}
