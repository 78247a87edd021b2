/* SPDX-License-Identifier: MIT */
/*
 * The word a frame: who holds the block that begins here.
 *
 *      63      56 55 54   48 47    34 33 32   28 27   24 23         0
 *     +----------+--+-------+--------+--+-------+-------+------------+
 *     | contract |d | owner |  refs  |p | order | state | generation |
 *     +----------+--+-------+--------+--+-------+-------+------------+
 *
 * contract: the block belongs to this reserve contract and goes back to it when
 * freed; 0 for none.  p: it waits in a page pool of its owner's.  d: the hardware
 * has reported damage in it, so that its free goes by way of quarantine.c.
 *
 * The word of a block's first frame speaks for the block.  The words of all
 * other frames, free or inside a block, are FREE: everything above the
 * generation is zero.  So a hand-out and a return touch one word however large
 * the block is, and a free of anything but the first frame is refused.
 *
 *              hand out                    share
 *      FREE ---------------> HELD  -----------------> SHARED (refs >= 1)
 *        ^  \                 | ^ <-----------------  |
 *        |   \-> EXCLUSIVE    | |      last unshare
 *        |          |         | | transfer (generation + 1)
 *        +----------+---------+-+
 *           free (generation + 1)
 *                          lend
 *      HELD or EXCLUSIVE <-------> LENT (refs 1: was EXCLUSIVE)
 *                         reclaim
 *
 *      FREE, or freed with the mark d, ----> QUARANTINED ----> FREE
 *           by who has taken it out of the tree       page_pardon()
 *
 * W1  A word changes only by compare-and-swap, but for FREE -> HELD, EXCLUSIVE
 *     or QUARANTINED: there the frame has just been taken out of the tree or a
 *     cache, or been freed and is not yet there; who did it alone may write the
 *     word, and a plain store does it.  So does the mark p when a page goes from
 *     the allocator into a pool, or comes out.
 * W2  The generation grows by one with every free and every transfer (mod 2^24),
 *     so that a handle that names an older one is stale.
 * W3  A state other than FREE, RESERVED and QUARANTINED has an owner other than 0.
 */
#pragma once

#include <arch/atomic.h>
#include <labyrinth/page.h>

#define WORD_GEN_MASK    ((uint64_t)0xffffff)
#define WORD_STATE_SHIFT 24u
#define WORD_STATE_MASK  0xfu
#define WORD_ORDER_SHIFT 28u
#define WORD_ORDER_MASK  0x1fu
#define WORD_POOLED      ((uint64_t)1 << 33)
#define WORD_REF_SHIFT   34u
#define WORD_REF_MASK    0x3fffu
#define WORD_WAS_EXCL    ((uint64_t)1 << WORD_REF_SHIFT)	/* LENT: it was EXCLUSIVE */
#define WORD_OWNER_SHIFT 48u
#define WORD_OWNER_MASK  0x7fu
#define WORD_DAMAGED     ((uint64_t)1 << 55)
#define WORD_CONTRACT_SHIFT 56u
#define WORD_CONTRACT    ((uint64_t)0xff << WORD_CONTRACT_SHIFT)

_Static_assert(ORDER_MAX <= WORD_ORDER_MASK, "the order fits its field");
_Static_assert(OWNER_COUNT <= WORD_OWNER_MASK + 1, "the owner fits its field");
_Static_assert(PAGE_STATE_COUNT <= WORD_STATE_MASK + 1, "the state fits its field");
_Static_assert(PAGE_FREE == 0, "a word of zero is a free frame of generation 0");

static inline enum page_state word_state(uint64_t w)
{
	return (enum page_state)(w >> WORD_STATE_SHIFT & WORD_STATE_MASK);
}

static inline unsigned word_order(uint64_t w)
{
	return (unsigned)(w >> WORD_ORDER_SHIFT) & WORD_ORDER_MASK;
}

static inline uint32_t word_refs(uint64_t w)
{
	return (uint32_t)(w >> WORD_REF_SHIFT) & WORD_REF_MASK;
}

static inline owner_t word_owner(uint64_t w)
{
	return (owner_t){ (uint8_t)(w >> WORD_OWNER_SHIFT & WORD_OWNER_MASK) };
}

static inline uint32_t word_generation(uint64_t w) { return (uint32_t)(w & WORD_GEN_MASK); }

static inline bool word_is_free(uint64_t w) { return w <= WORD_GEN_MASK; }

/* All but the generation, for an unshared block. */
static inline uint64_t word_held(enum page_state s, unsigned order, owner_t owner)
{
	return (uint64_t)owner.id << WORD_OWNER_SHIFT | (uint64_t)order << WORD_ORDER_SHIFT |
	       (uint64_t)s << WORD_STATE_SHIFT;
}

/* Is @w, but for its generation, just @held? */
static inline bool word_is(uint64_t w, uint64_t held) { return (w ^ held) <= WORD_GEN_MASK; }

/* The word after a free: the next generation, nothing else. */
static inline uint64_t word_freed(uint64_t w) { return (w + 1) & WORD_GEN_MASK; }

/* The word after a transfer: the next generation, other contents, the same contract. */
static inline uint64_t word_passed(uint64_t w, uint64_t held)
{
	return word_freed(w) | held | (w & WORD_CONTRACT);
}

/* Is it @owner's block of @order, in one of the two states that it can be given away in? */
static inline bool word_is_idle(uint64_t w, unsigned order, owner_t owner)
{
	w &= ~WORD_CONTRACT;
	return owner.id != 0 && (word_is(w, word_held(PAGE_HELD, order, owner)) ||
				 word_is(w, word_held(PAGE_EXCLUSIVE, order, owner)));
}
