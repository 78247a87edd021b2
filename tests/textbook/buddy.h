/* SPDX-License-Identifier: MIT */
/* The free blocks of the textbook allocator.  Everything here expects its lock to be held. */
#pragma once

#include "textbook.h"

/**
 * buddy_reserve() - take a block of 2^@order frames out of zone @z
 * Context: lock held.
 * Return:  its first frame number, or TEXTBOOK_NIL when no block is large enough.
 */
uint32_t buddy_reserve(struct textbook *t, struct textbook_zone *z, unsigned order);

/* Put the block at @f back, joined with its buddies.  Context: lock held. */
void buddy_liberate(struct textbook *t, uint32_t f, unsigned order);

/* Take just the block of 2^@order frames at @f.  Return: false if not all of it is free. */
bool buddy_claim(struct textbook *t, uint32_t f, unsigned order);

/* The first frame of the block that covers @f, or TEXTBOOK_NIL for a dead end. */
uint32_t buddy_block_of(struct textbook *t, uint32_t f);

/* The zone that a frame number lies in.  Context: any. */
enum zone_id buddy_zone_of(uint32_t f);

/* What is known about frame @f, which must be one of @t's. */
static inline struct textbook_frame *buddy_at(const struct textbook *t, uint32_t f)
{
	return &t->frame[f - t->first];
}
