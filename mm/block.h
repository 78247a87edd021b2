/* SPDX-License-Identifier: MIT */
/* Blocks between the zones' trees and whoever hands them out: no owners here. */
#pragma once

#include "mm_state.h"

/**
 * zone_take() - a block of 2^@order frames out of one zone, waking memory if need be
 * @frame: receives the first frame
 * Context: any.
 * Return:  false if the zone has no such block.
 */
bool zone_take(struct zone *z, unsigned order, uint32_t *frame);

/* The same, in line as long as the tree has one. */
static inline bool zone_take_plain(struct zone *z, unsigned order, uint32_t *frame)
{
	uint32_t first;

	if (__builtin_expect(!tree_take(&z->tree, order, &first), 0))
		return zone_take(z, order, frame);
	zone_count(z, -((int64_t)1 << order));
	*frame = z->tree.base + first;
	return true;
}

/* The same for a single frame: the likeliest place, in line. */
static inline bool zone_take_frame(struct zone *z, uint32_t *frame)
{
	uint32_t first;

	if (__builtin_expect(!tree_take_at_home(&z->tree, &first), 0))
		return zone_take(z, 0, frame);
	zone_count(z, -1);
	*frame = z->tree.base + first;
	return true;
}

/**
 * zone_take_some() - single frames that stand close together, for a cache
 * @first: receives the first of 32 frames, of 64 if they were asleep
 * Context: any.
 * Return:  a bit for each frame; 0 if there is none, or it has to be taken singly.
 */
uint64_t zone_take_some(struct zone *z, uint32_t *first);

/* Somebody waits for memory, and some has come back.  Context: any. */
void slow_freed(void) __attribute__((cold));

/*
 * Relaxed: who begins to watch has every CPU drain its cache afterwards, and only then looks
 * (mm_watch_frees()).  So either we see it here, or it sees what we gave.
 */
static inline void tell_freed(void)
{
	if (__builtin_expect(atom_peek(&mm.watched) != 0, 0))
		slow_freed();
}

/* Back to the tree.  Context: any. */
static inline void zone_give(struct zone *z, uint32_t frame, unsigned order)
{
	tree_give(&z->tree, frame - z->tree.base, order);
	zone_count(z, (int64_t)1 << order);
	tell_freed();
}

/* Single frames are the common case, and not worth counting. */
static inline unsigned bits_count_few(uint32_t bits)
{
	return bits & (bits - 1) ? bits_count(bits) : 1;
}

/* Frames from @first, a multiple of 32, back to the tree.  Context: any. */
static inline void zone_give_half(struct zone *z, uint32_t first, uint32_t bits)
{
	uint32_t rel = first - z->tree.base;
	unsigned n = bits_count_few(bits);

	tree_give_bits(&z->tree, rel >> GROUP_ORDER, (uint64_t)bits << (rel & 32), n);
	zone_count(z, n);
	tell_freed();
}
