/* SPDX-License-Identifier: MIT */
/*
 * The tree of free blocks, one a zone.
 *
 *   level 3   [ e e e e e e e e ]          each entry: the largest free block
 *               |                          in the child below it
 *   level 2   [ e e e e e e e e ] ...      a child is 512 frames (an area)
 *               |
 *   level 1   [ e e e e e e e e ] ...      a child is 64 frames (a group)
 *               |
 *   level 0   [ 64 bits, 1 = free ] ...    a bit a frame
 *
 * Every free frame is free at exactly one level: at the topmost FULL entry
 * above it, or, if there is none, as a bit.  Splitting is changing one entry
 * from FULL to open, merging the reverse; nothing is copied and no frame is
 * out of sight in between.  docs/mm.md has the proof.
 *
 * T1  An entry promises at least what its child can give (node.h).  So if no
 *     entry of the root fits a request, nothing in the zone does, at that moment.
 * T2  A child whose entry is parked (FULL, HELD) is governed from above.
 *     Its own contents are "all free", but for takers who came too late.
 * T3  Who takes out of a child looks at the child's entry afterwards.  Open: the
 *     take counts.  FULL: he opens it (T7).  HELD, or one above is: he came too late,
 *     puts back just what he took, and starts again.  DIRTY: he settles it.  If it promises
 *     less than he leaves, who gave that has not told yet: he tells in his place before he
 *     returns.
 * T4  Who gives to a child looks at its entry afterwards, and raises or settles it
 *     if it promises less than the child can now give.
 * T5  An entry is lowered, or made FULL, only by settling (but for HELD, which is taken from
 *     FULL and given back to it): mark it DIRTY, read the child, then write what was read if
 *     the node has not changed since.  Nobody marks it twice: if it has been written meanwhile,
 *     then by somebody who has read the child after that mark.  Who settles an entry for what
 *     it says marks it only if it still does, and who finds a mark merges in its owner's place.
 *     A child that is a node is read by changing it, if only its version.
 *     Against a giver or taker who changes the child meanwhile: either the
 *     settler's reading sees his change, or he sees DIRTY and settles anew.
 * T6  An entry is raised by one CAS, if the one above has been seen to promise as
 *     much since the node was read; or while it is DIRTY, if the one above
 *     promises as much or has been marked DIRTY since, even if it was before.  So T1
 *     holds for the path from the root as a whole (DIRTY promises all that there
 *     can be), and a giver need look at one entry only.
 * T7  An entry goes from FULL to open by one CAS, if the one above has been seen
 *     open since the node was read, and to promise as much as all of the node can give: a
 *     parked node never has an open child, and T6 holds for who gives to the child, T3 for
 *     who takes out of it, from then on.
 */
#pragma once

#include <arch/atomic.h>

#include "node.h"

#define TREE_LEVELS 10u		/* level 9 would cover 2^33 frames; frame_t ends at 2^32 */
#define GROUP_ORDER 6u		/* a group: the 64 frames of one word of bits */
#define AREA_ORDER  9u		/* an area: the 512 frames of one level-1 node, 2 MiB */

/*
 * A cache line, although a quarter would do: CPUs that work in neighbouring areas
 * would else take each other's lines away with every step.
 */
struct node {
	_Alignas(64) atom64_t word;	/* entries and version: the truth */
	union {				/* how full each child is: a hint, see fill.h */
		atom8_t fill[NODE_FANOUT];
		atom64_t fills;
	};
	union {				/* 0xff: a CPU has a home in that child, also a hint */
		atom8_t home[NODE_FANOUT];
		atom64_t homes;
	};
};

struct tree {
	uint32_t base;		/* first frame; a multiple of the largest block */
	uint32_t nframes;	/* frames covered, holes included */
	unsigned id;		/* the zone's number */
	uint64_t key;		/* it, as home.h has it: plus one, times 2^32 */
	unsigned root;		/* the level of the one topmost node */
	atom64_t *bits;		/* level 0: one word a group */
	struct node *top;	/* that node */
	struct node *level[TREE_LEVELS];	/* 1..root */
};

/* Bytes of metadata for a tree over @nframes frames. */
size_t tree_bytes(uint32_t nframes);

/**
 * tree_init() - an empty tree: nothing is free
 * @mem: tree_bytes() bytes, 64-aligned; bits and level 1 may hold anything
 *       (tree_area_init() or tree_block_init() sets them), the rest is set here
 * Context: boot, one CPU.
 */
void tree_init(struct tree *t, unsigned id, uint32_t base, uint32_t nframes, void *mem);

/* An area that nobody uses yet has no free frame.  Context: any; the caller has claimed it. */
void tree_area_init(struct tree *t, uint32_t area);

/**
 * tree_groups_add() - groups that nobody has used become free, or parts of them
 * @group: the first, within the tree; its area has been through tree_area_init()
 * @n:     how many, all of one area
 * @bits:  a word each; 1 for frames that become free
 * Context: any; the caller has claimed them.
 */
void tree_groups_add(struct tree *t, uint32_t group, unsigned n, const uint64_t bits[]);

/**
 * tree_block_init() - a block of areas that nobody has used becomes a block that is held
 * @first: its first frame, within the tree
 * @order: AREA_ORDER or more
 * Context: any; the caller has claimed it, and may tree_give() it.
 */
void tree_block_init(struct tree *t, uint32_t first, unsigned order);

bool tree_take_area(struct tree *t, uint32_t *first);
bool tree_take_group(struct tree *t, uint32_t *first);
bool tree_take_any(struct tree *t, unsigned order, uint32_t *first);

/**
 * tree_take() - take a block
 * @order: its order
 * @first: receives the number of its first frame, relative to base
 * Context: any; waits for nobody.
 * Return:  false if nothing fits, true at the moment the root was read (T1).
 */
static inline bool tree_take(struct tree *t, unsigned order, uint32_t *first)
{
	/* The most frequent has code of its own: what follows from its order is known there. */
	return order == AREA_ORDER ? tree_take_area(t, first)
	     : order == GROUP_ORDER ? tree_take_group(t, first) : tree_take_any(t, order, first);
}

/*
 * A single frame of the group that this CPU took from last: what is in the way there is left to
 * tree_take().  Context: any.
 */
bool tree_take_at_home(struct tree *t, uint32_t *frame);

/* Is nothing free, of any order, at the moment the root is read (T1)?  Context: any. */
static inline bool tree_spent(const struct tree *t)
{
	/* Pairs with T6: who raises an entry has raised those above. */
	return node_exhausted(atom_load(&t->top->word));
}

/**
 * tree_take_some() - take up to 32 single frames that stand close together
 * @half: receives which aligned 32 frames: the first of them, relative to base, by 32
 * Context: any; waits for nobody.
 * Return:  a bit for each frame taken; 0 if nothing is free.
 */
uint32_t tree_take_some(struct tree *t, uint32_t *half);

/**
 * tree_take_frame() - take one frame out of whatever free block it lies in
 * @frame: relative to base; awake
 * Context: any; waits for nobody.
 * Return:  false if it is not free in the tree, or others were quicker several times.
 */
bool tree_take_frame(struct tree *t, uint32_t frame);

void tree_give_area(struct tree *t, uint32_t first);
void tree_give_group(struct tree *t, uint32_t first);
void tree_give_any(struct tree *t, uint32_t first, unsigned order);

/* Give a block back that was taken.  Context: any; waits for nobody.  Panics: if it is not held. */
static inline void tree_give(struct tree *t, uint32_t first, unsigned order)
{
	if (order == AREA_ORDER)
		tree_give_area(t, first);
	else if (order == GROUP_ORDER)
		tree_give_group(t, first);
	else
		tree_give_any(t, first, order);
}

/* The same for single frames of one group.  @n is the number of ones in @mask. */
void tree_give_bits(struct tree *t, uint32_t group, uint64_t mask, unsigned n);

/* The CPU's homes are forgotten and what they kept unmerged is merged.  Context: any. */
void tree_leave_homes(void);

/* The order of the free block around @frame (relative to base), or -1.  Context: any. */
int tree_free_order(const struct tree *t, uint32_t frame);

/* For tree.c, group.c and settle.c. */

/* What became of a try to take: nothing there, came too late, lost to another, or had. */
enum took { TOOK_NONE, TOOK_LATE, TOOK_LOST, TOOK };

/* A block out of one group, if it has one.  Home is to move there, but for GROUP_ORDER. */
bool group_take(struct tree *t, uint32_t group, unsigned order, uint32_t *first);

/* The same at home, tried once.  Return: TOOK, TOOK_NONE, or TOOK_LOST if it may have one still. */
enum took group_take_once(struct tree *t, uint32_t group, unsigned order, uint32_t *first);

/*
 * What is free in the lower or else the upper half of a group: a bit each, as tree_take_some().
 * @moves: home is to move there.
 */
uint32_t group_take_half(struct tree *t, uint32_t group, bool moves, uint32_t *half);

/* Make the entry for child @c of level @l truthful; FULL if it is, and @merge; and those above. */
void tree_settle(struct tree *t, unsigned l, uint32_t c, bool merge);

/* The same if it promises @order or is DIRTY, and the child was found not to have that. */
void tree_lower(struct tree *t, unsigned l, uint32_t c, unsigned order);

/*
 * The same where somebody has marked it DIRTY, who need not come back to it.
 * Return: false if it was not DIRTY any more; else who writes it has read the child since the call.
 */
bool tree_clear(struct tree *t, unsigned l, uint32_t c);

/* T3: after a take out of child @c of level @l, which left it so.  Return: does it count? */
bool tree_taken(struct tree *t, unsigned l, uint32_t c, uint64_t left);

/* T4: after a gift to child @c of level @l, which can now give @code. */
void tree_given(struct tree *t, unsigned l, uint32_t c, unsigned code, bool full);

/* Child @c of level @l has nothing left: strike it off, so that a failure is cheap. */
void tree_exhausted(struct tree *t, unsigned l, uint32_t c);

/* T7: open the child @c of level @l, and what is FULL above it.  Return: false if it is held. */
bool tree_open(struct tree *t, unsigned l, uint32_t c);

/* Merge whatever below child @c of level @l is free but not merged. */
void tree_merge(struct tree *t, unsigned l, uint32_t c);

/*
 * Take 2^@log whole children from child @c of level @l on, piece by piece where they are open.
 * Return: false if some of that is taken; then it has been given back.
 */
bool tree_gather(struct tree *t, unsigned l, uint32_t c, unsigned log);

static inline struct node *node_of_child(const struct tree *t, unsigned l, uint32_t c)
{
	return &t->level[l][c / NODE_FANOUT];
}

static inline unsigned tree_entry(const struct tree *t, unsigned l, uint32_t c)
{
	/* Pairs with every CAS on the node; after a CAS of our own below it, with DIRTY (T5). */
	return node_entry(atom_load(&node_of_child(t, l, c)->word), c % NODE_FANOUT);
}
