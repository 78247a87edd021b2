/* SPDX-License-Identifier: MIT */
/*
 * The textbook page allocator: a binary buddy system with one lock and one list
 * of free blocks per order.  It promises what <labyrinth/page.h> promises,
 * except "any context" and speed: it takes a lock.  The oracle and the baseline.
 */
#pragma once

#include <stdatomic.h>

#include <labyrinth/page.h>

#define TEXTBOOK_NIL UINT32_MAX		/* the end of a list */

enum textbook_state {
	TEXTBOOK_INSIDE,	/* not the first frame of any block, or no memory at all */
	TEXTBOOK_FREE,		/* the first frame of a free block */
	TEXTBOOK_HELD,		/* the first frame of a block with an owner */
	TEXTBOOK_EXCLUSIVE,	/* the same, never to be shared */
};

/* One a frame, outside the pages.  Only a block's first one means anything but INSIDE. */
struct textbook_frame {
	uint32_t next, prev;	/* neighbours in the list of free blocks */
	uint32_t generation;	/* one more each time the block changes hands */
	uint32_t refs;		/* extra references to a held block; 0 when free */
	owner_t owner;
	uint8_t state;		/* enum textbook_state */
	uint8_t order;		/* of the block */
};

struct textbook_zone {
	uint64_t total, free;			/* frames */
	uint64_t min, low;			/* watermarks, frames */
	uint32_t list[ORDER_COUNT];		/* first frame of the first free block */
	uint64_t blocks[ORDER_COUNT];		/* length of each list */
};

struct textbook {
	atomic_flag lock;
	/* lock must be held when using these: */
	struct textbook_zone zone[ZONE_COUNT];
	struct textbook_frame *frame;		/* [0] stands for the frame number `first` */
	uint64_t held[OWNER_COUNT];		/* frames, by owner */
	/* set up once: */
	uint32_t first, end;			/* frame numbers covered: [first, end) */
	unsigned owners;			/* owner numbers 1..owners are registered */
	unsigned char *memory;			/* the bytes of frame `first` */
};

/**
 * textbook_init() - an allocator over [@first, @end), without memory yet
 * @frame:  @end - @first elements, all zero; the allocator's from now on
 * @memory: where the first byte of frame @first is mapped
 * Context: one thread, as textbook_add().
 */
void textbook_init(struct textbook *t, struct textbook_frame *frame, uint32_t first,
		   uint32_t end, void *memory);

/* Hand over the usable frames [@start, @end), inside the range given to textbook_init(). */
void textbook_add(struct textbook *t, uint32_t start, uint32_t end);

/* The rest as in <labyrinth/page.h>, by frame.  Context: threads, because of the lock. */
frame_t textbook_alloc(struct textbook *t, gfp_t gfp, unsigned order, owner_t owner,
		       struct zone_walk *walk);
enum page_error textbook_free(struct textbook *t, frame_t f, unsigned order, owner_t owner);
enum page_error textbook_transfer(struct textbook *t, frame_t f, unsigned order,
				  owner_t from, owner_t to);
enum page_error textbook_share(struct textbook *t, frame_t f, owner_t owner);
enum page_error textbook_unshare(struct textbook *t, frame_t f, owner_t owner);
void textbook_query(struct textbook *t, frame_t f, struct page_info *out);

/* Check I1 to I8.  Context: nobody else in the allocator.  Return: violations found. */
size_t textbook_audit(struct textbook *t, void (*report)(const char *what));
