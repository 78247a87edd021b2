/* SPDX-License-Identifier: MIT */
/*
 * The books of a reserve contract.  Private to mm/.
 *
 *   ctl     63          32 31  27 26  17 16   9 8     4 3    2 1   0
 *          +--------------+------+------+-------+-------+------+-----+
 *          |  generation  |  0   |blocks| owner | order | zone |state|
 *          +--------------+------+------+-------+-------+------+-----+
 *   ready  {generation, 32 bits | blocks set aside, 32 bits}
 *   bits   1 = the block of this slot is set aside
 *   book   the first frame of each slot's block, ascending; a page of the kernel's
 *
 *   FREE --claim--> MAKING --admitted--> LIVE --release--> DYING --+
 *    ^ ^              | refused                                    |
 *    | +--------------+            the last block is general again |
 *    +-------------------------------------------------------------+
 *
 * K1  The blocks of a contract are the same for as long as it lives.  Each is
 *     set aside (bit set) or outstanding (its frame word carries the contract's
 *     number), or is on its way between the two.
 * K2  A taker counts ready down first, then clears a bit; a giver sets the bit
 *     first, then counts ready up.  So there are never fewer bits than takers who
 *     counted, and each of them finds one; ready 0 means that at that moment all
 *     blocks were outstanding.
 * K3  ready changes only together with a matching generation, or by a giver
 *     whose block keeps the contract from ending.  So nobody takes from a
 *     contract that has got its predecessor's number.
 * K4  A giver looks at ctl after counting up; a releaser sweeps after writing
 *     DYING.  So one of them sees the other, and no block stays behind.
 */
#pragma once

#include <labyrinth/contract.h>

#include "mm_state.h"

#define CONTRACT_WORDS (CONTRACT_BLOCKS_MAX / 64)

enum contract_state { CONTRACT_FREE, CONTRACT_MAKING, CONTRACT_LIVE, CONTRACT_DYING };

struct contract {
	atom64_t ctl, ready;
	atom64_t left;			/* blocks not yet given back to general memory */
	atom64_t served;
	atom64_t bits[CONTRACT_WORDS];
	atom64_t book;			/* the address of the page with the frames */
};

/* How many are not FREE: requests that fail where there are none ask no further. */
extern atom64_t contract_count;

/* Number 0 is nobody's: it is what a frame word without a contract carries. */
extern struct contract contract_table[CONTRACT_COUNT];

static inline enum contract_state ctl_state(uint64_t ctl) { return (enum contract_state)(ctl & 3); }
static inline unsigned ctl_zone(uint64_t ctl)   { return (unsigned)(ctl >> 2) & 3; }
static inline unsigned ctl_order(uint64_t ctl)  { return (unsigned)(ctl >> 4) & 0x1f; }
static inline owner_t ctl_owner(uint64_t ctl)   { return (owner_t){ (uint8_t)(ctl >> 9) }; }
static inline unsigned ctl_blocks(uint64_t ctl) { return (unsigned)(ctl >> 17) & 0x3ff; }
static inline uint64_t ctl_generation(uint64_t ctl) { return ctl >> 32; }

static inline uint64_t ctl_make(uint64_t generation, enum contract_state state, owner_t owner,
				unsigned zone, unsigned order, size_t blocks)
{
	return generation << 32 | (uint64_t)blocks << 17 | (uint64_t)owner.id << 9 |
	       (uint64_t)order << 4 | (uint64_t)zone << 2 | (uint64_t)state;
}

static inline atom64_t *contract_frames(const struct contract *c)
{
	return (atom64_t *)(uintptr_t)atom_peek(&c->book);
}

/* Forget all contracts.  Context: boot. */
void contract_reset_all(void);

/* The number goes back.  Context: any; nobody holds a block of it. */
void contract_end(struct contract *c, uint64_t ctl);

/**
 * contract_take() - a block that @owner is sure of
 * @top:   the highest zone that the request allows
 * @frame: receives its first frame
 * Context: any; lock-free.
 * Return:  what to add to the word of the block; 0 if no contract has one.
 */
uint64_t contract_take(unsigned top, unsigned order, owner_t owner, uint32_t *frame);

/* A block whose freed word was @w goes back where it came from.  Context: any; lock-free. */
void contract_give(uint64_t w, uint32_t frame);

/* All that is aside becomes general memory; who returns the last block ends the contract. */
void contract_sweep(struct contract *c, uint64_t ctl);

/* Has @owner a contract that it has not released?  Context: any. */
bool contract_binds(owner_t owner);

/**
 * contract_find() - the contract that has set frame @f aside
 * @head: receives the first frame of its block
 * Context: any.
 * Return:  its ctl, or 0.
 */
uint64_t contract_find(uint32_t f, uint32_t *head);
