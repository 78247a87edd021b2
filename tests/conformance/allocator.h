/* SPDX-License-Identifier: MIT */
/*
 * What a page allocator is, seen from outside: the functions that the
 * conformance suite, the fuzzer and the benchmarks call, by frame number.  To
 * put another allocator under them, fill in one of these.
 */
#pragma once

#include <labyrinth/page.h>

struct frame_range { uint32_t start, end; };	/* frame numbers [start, end) */

struct allocator_ops {
	const char *name;

	/**
	 * start() - begin with all of @n ranges free, whatever was before
	 * @r:    sorted, disjoint
	 * @ncpu: CPUs that will call
	 *
	 * In the kernel the ranges are a wish: the live allocator stays as it
	 * is, another one gets a piece of its memory.
	 *
	 * Return: 0, or -1 when there is not enough memory.
	 */
	int (*start)(const struct frame_range *r, size_t n, unsigned ncpu);
	void (*stop)(void);

	/* As the functions of <labyrinth/page.h>; FRAME_NONE for NULL; @walk may be NULL. */
	frame_t (*alloc)(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk);
	size_t (*alloc_bulk)(gfp_t gfp, size_t n, frame_t out[], owner_t owner);
	enum page_error (*free)(frame_t f, unsigned order, owner_t owner);
	size_t (*free_bulk)(size_t n, frame_t f[], owner_t owner);
	enum page_error (*transfer)(frame_t f, unsigned order, owner_t from, owner_t to);
	enum page_error (*share)(frame_t f, owner_t owner);
	enum page_error (*unshare)(frame_t f, owner_t owner);
	page_handle_t (*handle)(frame_t f);
	bool (*handle_valid)(page_handle_t h);
	void (*drain)(void);

	/* Watching it. */
	void (*query)(frame_t f, struct page_info *out);
	void (*zone)(enum zone_id zone, struct zone_stats *out);
	uint64_t (*held)(owner_t owner);			/* frames */
	size_t (*audit)(void (*report)(const char *what));
	unsigned char *(*bytes)(frame_t f);			/* the first byte of its page */

	/* Owner numbers: as owner_register() and owner_unregister(). */
	owner_t (*owner)(const char *name);
	int (*forget)(owner_t owner);
};

extern const struct allocator_ops labyrinth_ops, textbook_ops;

/* Each world has its own of these: host/, kernel/. */
int labyrinth_start(const struct frame_range *r, size_t n, unsigned ncpu);
void labyrinth_stop(void);
int textbook_start(const struct frame_range *r, size_t n, unsigned ncpu);
void textbook_stop(void);

/* Hosted: the map that labyrinth_start() made, with what mm/ took marked in it. */
struct memmap;
extern struct memmap labyrinth_map;

/* The one textbook allocator that textbook_ops speaks for. */
struct textbook;
extern struct textbook the_textbook;
