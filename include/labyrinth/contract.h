/* SPDX-License-Identifier: MIT */
/*
 * Reserve contracts: memory that an owner is sure of.
 *
 * An owner declares how many blocks of which order it must be able to have at
 * once.  Admission sets them aside there and then, so that a contract once
 * admitted cannot be broken by anything the others do.
 */
#pragma once

#include <labyrinth/page.h>

#define CONTRACT_COUNT      32u		/* contracts alive at once, one number unused */
#define CONTRACT_BLOCKS_MAX 256u	/* blocks in one of them */

typedef struct { uint64_t v; } contract_t;

#define CONTRACT_NONE ((contract_t){ 0 })

/* Why a declaration or a release was refused.  Zero is success. */
enum contract_error {
	CONTRACT_OK,
	CONTRACT_BAD_OWNER,	/* nobody, or not registered */
	CONTRACT_BAD_TERMS,	/* no blocks or too many, no such order, no such zone */
	CONTRACT_TABLE_FULL,	/* all numbers are in use: release one, or ask for more at once */
	CONTRACT_SHORT,		/* not enough memory; it is said how much is missing */
	CONTRACT_STALE,		/* not a contract, or released already */
	CONTRACT_ERROR_COUNT
};

/* A few plain words.  Context: any. */
const char *contract_error_name(enum contract_error e);

/* How a declaration went. */
struct contract_answer {
	enum contract_error error;
	uint64_t missing;	/* CONTRACT_SHORT: blocks that could not be found */
};

/**
 * contract_declare() - be sure of @blocks blocks of 2^@order pages
 * @owner:  who may draw on the contract
 * @where:  GFP_DMA, GFP_DMA32, or 0 for any zone
 * @order:  log2 of each block's size in pages, 0..ORDER_MAX
 * @blocks: 1..CONTRACT_BLOCKS_MAX
 * @answer: filled in; may be NULL
 *
 * From here on a request by @owner for exactly this order, in any behaviour and
 * with a zone limit no tighter than @where, that general memory refuses is
 * served from the contract.  It never fails while fewer than @blocks such
 * blocks are outstanding: handed out and not yet freed.  A block that is
 * transferred stays one of them until its new holder frees it; who frees it
 * gives it back to the contract without knowing.
 *
 * Admission leaves every zone's min watermark alone, and needs one page of the
 * kernel's for its books.  Of two declarations at once that do not fit together
 * the first to run out is refused, even if the other is in the end refused too.
 *
 * Context: any; lock-free.
 * Return:  the contract, or CONTRACT_NONE: then nothing has changed.
 */
contract_t contract_declare(owner_t owner, gfp_t where, unsigned order, size_t blocks,
			    struct contract_answer *answer);

/**
 * contract_release() - end a contract
 *
 * What is set aside is free again at once, what is outstanding when it is freed.
 *
 * Context: any; lock-free.
 * Return:  CONTRACT_OK or CONTRACT_STALE.
 */
enum contract_error contract_release(contract_t c);

struct contract_stats {
	owner_t owner;
	unsigned order;
	uint64_t blocks;	/* declared */
	uint64_t aside;		/* of these, waiting to be asked for */
	uint64_t served;	/* requests that general memory refused and this contract did not */
};

/* Context: any.  Return: false, and zeroes, when @c is stale. */
bool contract_stats(contract_t c, struct contract_stats *out);
