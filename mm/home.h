/* SPDX-License-Identifier: MIT */
/*
 * Homes: for each level, the node this CPU last took from.
 *
 * A CPU looks at home first, and does not merge its home upward when all of it
 * is free: a block of a middle order taken and given back again and again would
 * else split and merge each time.  Others may merge or empty a CPU's home; a
 * home is a habit, not a right, and nothing depends on it being current.
 */
#pragma once

#include <arch/cpu.h>

#include "local.h"
#include "tree.h"

static inline uint64_t home_key(const struct tree *t, uint32_t index)
{
	return t->key | index;
}

/* The same with its level, for LOCAL_LEFT. */
static inline uint64_t home_left_key(const struct tree *t, unsigned level, uint32_t index)
{
	return (uint64_t)level << 48 | home_key(t, index);
}

static inline bool home_is(const struct tree *t, unsigned level, uint32_t index)
{
	return level < HOME_LEVELS &&
	       local_load(LOCAL_HOME + level * sizeof(uint64_t)) == home_key(t, index);
}

/* This CPU's home at @level if it is in @t.  Return: false if it is elsewhere or nowhere. */
static inline bool home_get(const struct tree *t, unsigned level, uint32_t *index)
{
	uint64_t off = local_load(LOCAL_HOME + level * sizeof(uint64_t)) ^ t->key;

	*index = (uint32_t)off;
	return off >> 32 == 0;
}

/* The node where this CPU has last given whole children back, asked for once.  A hint. */
static inline void home_given(const struct tree *t, unsigned level, uint32_t index)
{
	local_store(LOCAL_GIVEN, (uint64_t)level << 48 | home_key(t, index));
}

static inline bool home_given_get(const struct tree *t, unsigned level, uint32_t *index)
{
	uint64_t off = local_load(LOCAL_GIVEN) ^ ((uint64_t)level << 48 | t->key);

	*index = (uint32_t)off;
	if (off >> 32)
		return false;
	local_store(LOCAL_GIVEN, 0);
	return true;
}

/* Before a walk: the home is not hidden any more, and its rank is true.  Context: any. */
void home_show(unsigned level);

/*
 * Move there.  If all of the old home is free, it is merged when the next such home is left, or
 * all are: who moves has enough to do.  Context: any.
 */
void home_move(struct tree *t, unsigned level, uint32_t index);
