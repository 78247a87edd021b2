/* SPDX-License-Identifier: MIT */
/* Moving house: the old home's entry is settled, its area shown again. */
#include "home.h"

#include "fill.h"
#include "mm_state.h"

static void leave(unsigned level, uint64_t key)
{
	if (key == 0)
		return;

	struct tree *t = tree_of((unsigned)(key >> 32) - 1);
	uint32_t index = (uint32_t)key;
	/* A hint; pairs with whoever changes it, who settles it if we do not. */
	uint64_t w = atom_load(level == 0 ? &t->bits[index] : &t->level[level][index].word);

	if (level == t->root)
		return;
	if (level == 0 ? w == UINT64_MAX : node_all_full(w))
		tree_settle(t, level + 1, index, true);
	else if (level == 0 ? w == 0 : node_exhausted(w))
		tree_exhausted(t, level + 1, index);
}

/* What is hidden for a home: the node itself, or the area of a group. */
static uint64_t area_of(unsigned level, uint64_t key)
{
	return level ? key : (key & ~(uint64_t)UINT32_MAX) | (uint32_t)key / NODE_FANOUT;
}

static void show(unsigned level, uint64_t key)
{
	if (key)
		fill_show(tree_of((unsigned)(key >> 32) - 1), level ? level : 1,
			  (uint32_t)area_of(level, key));
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
	if (area_of(level, old) == area_of(level, new))
		return;
	show(level, old);
	fill_hide(t, level ? level : 1, (uint32_t)area_of(level, new));
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
}
