/* SPDX-License-Identifier: MIT */
/* Moving house: the old home's entry is settled, its area shown again. */
#include "home.h"

#include "fill.h"
#include "mm_state.h"

static inline struct tree *tree_at(uint64_t key) { return tree_of((uint16_t)(key >> 32) - 1u); }

/* Its bits or its node.  A hint; pairs with whoever changes it, who settles it if we do not. */
static inline uint64_t look_at(const struct tree *t, unsigned level, uint32_t index)
{
	return atom_load(level == 0 ? &t->bits[index] : &t->level[level][index].word);
}

/* Is all of it free, that reads @w? */
static inline bool is_whole(unsigned level, uint64_t w)
{
	return level == 0 ? w == UINT64_MAX : node_all_full(w);
}

/* A home that was left while all of it was free: merge it, if it still is. */
static void merge_left(uint64_t left)
{
	if (left == 0)
		return;

	struct tree *t = tree_at(left);
	unsigned level = (unsigned)(left >> 48);
	uint32_t index = (uint32_t)left;
	if (is_whole(level, look_at(t, level, index)) && !home_is(t, level, index))
		tree_settle(t, level + 1, index, true);
}

/* Let @left be merged later.  Return: what was to be. */
static uint64_t merge_later(uint64_t left)
{
	uint64_t before = local_load(LOCAL_LEFT);

	while (!local_cas(LOCAL_LEFT, &before, left))
		;
	return before;
}

/* Its entry is to be right, if nothing is left of it, and if all is. */
static void leave(unsigned level, uint64_t key)
{
	if (key == 0)
		return;

	struct tree *t = tree_at(key);
	uint32_t index = (uint32_t)key;

	if (level == t->root)
		return;
	uint64_t w = look_at(t, level, index);
	if (is_whole(level, w))
		merge_left(merge_later(home_left_key(t, level, index)));
	else if ((level == 0 ? w == 0 : node_exhausted(w)) &&
		 tree_entry(t, level + 1, index) != ENTRY_NONE)
		tree_exhausted(t, level + 1, index);
}

/*
 * For a home, or the area of a group, and for the node above it: CPUs that keep apart do not
 * write the same cache lines.
 */
static inline void hide(struct tree *t, unsigned level, uint32_t index, bool yes)
{
	fill_hide(t, level + 1, index, yes);
	if (level + 1 < t->root)
		fill_hide(t, level + 2, index / NODE_FANOUT, yes);
}

static void show(unsigned level, uint64_t key)
{
	if (key == 0)
		return;

	struct tree *t = tree_at(key);
	uint32_t index = (uint32_t)key;
	if (level == 0)
		level = 1, index /= NODE_FANOUT;
	if (level == t->root || !fill_hidden(t, level + 1, index))
		return;
	hide(t, level, index, false);
	fill_show(t, level, index);
}

void home_show(unsigned level)
{
	show(level, local_load(LOCAL_HOME + level * sizeof(uint64_t)));
}

void home_move(struct tree *t, unsigned level, uint32_t index)
{
	size_t off = LOCAL_HOME + level * sizeof(uint64_t);
	uint64_t old = local_load(off), new = home_key(t, index);

	/* Who moves away from a home is who leaves it, even if an interrupt has just moved in. */
	do {
		if (old == new)
			return;
	} while (!local_cas(off, &old, new));
	leave(level, old);
	if (level == 0 && (old ^ new) < NODE_FANOUT)
		return;				/* another group of the same area */
	show(level, old);
	if (level == 0)
		level = 1, index /= NODE_FANOUT;
	if (level < t->root)
		hide(t, level, index, true);
}

void tree_leave_homes(void)
{
	for (unsigned level = 0; level < HOME_LEVELS; level++) {
		size_t off = LOCAL_HOME + level * sizeof(uint64_t);
		uint64_t old = local_load(off);

		while (!local_cas(off, &old, 0))
			;
		leave(level, old);
		show(level, old);
	}
	merge_left(merge_later(0));
	local_store(LOCAL_GIVEN, 0);
	fill_tell();
}
