/* SPDX-License-Identifier: MIT */
/*
 * Admitting and ending reserve contracts.  A declaration takes its blocks like
 * any caller who leaves the reserve alone, and only then shows itself; what it
 * cannot complete it gives back.
 */
#include "block.h"
#include "contract.h"
#include "owner_count.h"
#include "slow.h"

#define NUMBER_MASK 0xffffffffu
#define TRIES_MAX   3u

_Static_assert(CONTRACT_COUNT <= 256, "the number fits the frame word");
_Static_assert(CONTRACT_BLOCKS_MAX * sizeof(atom64_t) <= PAGE_SIZE, "the book is one page");

/* Grows when a declaration that failed has given back what it had: others may look again. */
static atom64_t given_up;

const char *contract_error_name(enum contract_error e)
{
	static const char *const names[CONTRACT_ERROR_COUNT] = {
		[CONTRACT_OK] = "ok",
		[CONTRACT_BAD_OWNER] = "no such owner",
		[CONTRACT_BAD_TERMS] = "1 to 256 blocks of an order up to 18 in at most one zone",
		[CONTRACT_TABLE_FULL] = "no contract number left",
		[CONTRACT_SHORT] = "not enough memory",
		[CONTRACT_STALE] = "no such contract, or released already",
	};

	return e < CONTRACT_ERROR_COUNT ? names[e] : "unknown";
}

static unsigned zone_limit(gfp_t where)
{
	return where == GFP_DMA ? ZONE_DMA : where == GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* How many blocks more than there can possibly be; so the hopeless disturb nobody. */
static uint64_t plainly_missing(unsigned top, unsigned order, uint64_t blocks)
{
	uint64_t room = 0;

	for (unsigned i = 0; i <= top; i++) {
		const struct zone *z = &mm.zone[i];
		uint64_t free = z->total ? zone_free(z) + zone_cached(z) : 0;

		room += free > z->min ? (free - z->min) >> order : 0;
	}
	return blocks > room ? blocks - room : 0;
}

/* A number for a contract of @owner.  Return: NULL when all are in use. */
static struct contract *claim(owner_t owner, uint64_t *generation)
{
	for (unsigned i = 1; i < CONTRACT_COUNT; i++) {
		uint64_t ctl = atom_load(&contract_table[i].ctl);

		*generation = ctl_generation(ctl);
		/* Pairs with contract_end(), and with another's claim: one gets the number. */
		if (ctl_state(ctl) == CONTRACT_FREE &&
		    atom_cas(&contract_table[i].ctl, &ctl,
			     ctl_make(*generation, CONTRACT_MAKING, owner, 0, 0, 0)))
			return &contract_table[i];
	}
	return NULL;
}

/* A page for the book, of general memory even if the kernel has contracts itself. */
static bool open_book(struct contract *c)
{
	struct zone_walk walk;
	uint32_t frame;

	if (!slow_take(GFP_NOWAIT, 0, OWNER_KERNEL, &walk, &frame))
		return false;
	atom_poke(&c->book, (uintptr_t)slow_hand_out(frame, 0, OWNER_KERNEL, GFP_NOWAIT, 0));
	return true;
}

/* Keep the book in ascending order, which contract_give() searches. */
static void enter(atom64_t *book, size_t n, uint32_t frame)
{
	for (; n > 0 && atom_peek(&book[n - 1]) > frame; n--)
		atom_poke(&book[n], atom_peek(&book[n - 1]));
	atom_poke(&book[n], frame);
}

/* Return: how many blocks were found. */
static size_t fill(atom64_t *book, owner_t owner, gfp_t where, unsigned order, size_t blocks)
{
	struct zone_walk walk;
	uint32_t frame;
	size_t n = 0;

	while (n < blocks && slow_take(GFP_NOWAIT | where, order, owner, &walk, &frame))
		enter(book, n++, frame);
	return n;
}

static void unfill(const atom64_t *book, size_t n, unsigned order)
{
	while (n-- > 0) {
		uint32_t frame = (uint32_t)atom_peek(&book[n]);

		zone_give(zone_of(frame), frame, order);
	}
}

/* Return: how many blocks are missing; then none has been taken. */
static uint64_t find_blocks(atom64_t *book, owner_t owner, gfp_t where, unsigned order,
			    size_t blocks)
{
	for (unsigned tries = 1;; tries++) {
		/* Pairs with the addition below: who sees no change was the first to give up. */
		uint64_t before = atom_load(&given_up);
		uint64_t missing = plainly_missing(zone_limit(where), order, blocks);
		bool again;

		if (missing)
			return missing;
		missing = blocks - fill(book, owner, where, order, blocks);
		if (missing == 0)
			return 0;
		/* What we lacked another may have given up: look again, but not for ever. */
		again = tries < TRIES_MAX && atom_load(&given_up) != before;
		unfill(book, blocks - missing, order);
		atom_add(&given_up, 1);		/* after the blocks went back: pairs with before */
		if (!again)
			return missing;
	}
}

/* All is set aside: the contract begins. */
static void begin(struct contract *c, uint64_t ctl)
{
	const atom64_t *book = contract_frames(c);
	unsigned blocks = ctl_blocks(ctl);

	/* Published by ctl, all of it. */
	for (unsigned i = 0; i < blocks; i++)
		atom_add(&zone_of((uint32_t)atom_peek(&book[i]))->contracted,
			 (uint64_t)1 << ctl_order(ctl));
	for (unsigned i = 0; i < CONTRACT_WORDS; i++) {
		unsigned n = blocks > i * 64 ? blocks - i * 64 : 0;

		atom_poke(&c->bits[i], n >= 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1);
	}
	atom_poke(&c->left, blocks);
	atom_poke(&c->served, 0);
	atom_store(&c->ready, ctl_generation(ctl) << 32 | blocks);
	/* Pairs with every load of ctl: who sees LIVE sees the books. */
	atom_store(&c->ctl, ctl);
}

static contract_t refused(struct contract_answer *answer, enum contract_error e, uint64_t missing)
{
	*answer = (struct contract_answer){ .error = e, .missing = missing };
	return CONTRACT_NONE;
}

/* With a number and a page for the book: find the blocks. */
static contract_t admit(struct contract *c, uint64_t ctl, gfp_t where,
			struct contract_answer *answer)
{
	uint64_t missing = find_blocks(contract_frames(c), ctl_owner(ctl), where, ctl_order(ctl),
				       ctl_blocks(ctl));

	retry_note(ctl_owner(ctl));
	if (missing) {
		freepage(contract_frames(c), OWNER_KERNEL);
		contract_end(c, ctl);
		return refused(answer, CONTRACT_SHORT, missing);
	}
	begin(c, ctl);
	contract_t made = { ctl_generation(ctl) << 32 | (uint64_t)(c - contract_table) };
	/* Whoever unregistered the owner meanwhile did not see that it was bound. */
	if (!owner_live(ctl_owner(ctl))) {
		contract_release(made);
		return refused(answer, CONTRACT_BAD_OWNER, 0);
	}
	return made;
}

contract_t contract_declare(owner_t owner, gfp_t where, unsigned order, size_t blocks,
			    struct contract_answer *answer)
{
	struct contract_answer own;
	uint64_t generation;
	struct contract *c;

	if (!answer)
		answer = &own;
	*answer = (struct contract_answer){ .error = CONTRACT_OK };
	if (!owner_live(owner))
		return refused(answer, CONTRACT_BAD_OWNER, 0);
	if ((where & ~GFP_WHERE) || where == GFP_WHERE || order > ORDER_MAX || blocks == 0 ||
	    blocks > CONTRACT_BLOCKS_MAX)
		return refused(answer, CONTRACT_BAD_TERMS, 0);
	c = claim(owner, &generation);
	if (!c)
		return refused(answer, CONTRACT_TABLE_FULL, 0);

	atom_add(&contract_count, 1);		/* pairs with the load in take_promised() */

	uint64_t ctl = ctl_make(generation, CONTRACT_LIVE, owner, zone_limit(where), order, blocks);
	if (!open_book(c)) {
		contract_end(c, ctl);
		return refused(answer, CONTRACT_SHORT, blocks);
	}
	return admit(c, ctl, where, answer);
}

/* The contract that @h names, and what its ctl says; NULL when stale. */
static struct contract *named(contract_t h, uint64_t *ctl)
{
	uint64_t number = h.v & NUMBER_MASK;

	if (number == 0 || number >= CONTRACT_COUNT)
		return NULL;
	*ctl = atom_load(&contract_table[number].ctl);	/* pairs with begin() */
	return ctl_generation(*ctl) == h.v >> 32 && ctl_state(*ctl) == CONTRACT_LIVE
		? &contract_table[number] : NULL;
}

enum contract_error contract_release(contract_t h)
{
	uint64_t ctl, dying;
	struct contract *c = named(h, &ctl);

	if (!c)
		return CONTRACT_STALE;
	dying = ctl - CONTRACT_LIVE + CONTRACT_DYING;
	/* DYING, then sweep: pairs with the load at the end of contract_give() (K4). */
	if (!atom_cas(&c->ctl, &ctl, dying))
		return CONTRACT_STALE;
	contract_sweep(c, dying);
	retry_note(ctl_owner(ctl));
	return CONTRACT_OK;
}

bool contract_stats(contract_t h, struct contract_stats *out)
{
	uint64_t ctl;
	struct contract *c = named(h, &ctl);

	*out = (struct contract_stats){ .owner = OWNER_NONE };
	if (!c)
		return false;
	*out = (struct contract_stats){
		.owner = ctl_owner(ctl),
		.order = ctl_order(ctl),
		.blocks = ctl_blocks(ctl),
		.aside = (uint32_t)atom_load(&c->ready),
		.served = atom_peek(&c->served),
	};
	return true;
}
