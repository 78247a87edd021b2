/* SPDX-License-Identifier: MIT */
/*
 * Damaged pages (include/labyrinth/damage.h).
 *
 *   free in the tree ----------------------------------------> QUARANTINED
 *   held  ---- mark DAMAGED on the block's word ---- freed --->     |
 *   elsewhere: listed, until it is one of the two                   | page_pardon()
 *                                                                   v
 *                                                                 free
 *
 * Q1  A page that was reported is listed in mm.damaged or is in quarantine, from the moment
 *     that page_damaged() returned. The mark on a held block's word sends whoever frees it
 *     here; the list says which of the block's pages it means.
 * Q2  The mark can be lost: a page that comes out of a cache gets its word by a plain store
 *     (W1), so does one that enters a pool. The list keeps it, and a later look sets the
 *     mark again.
 * Q3  Only who has taken a page out of the tree, or has just freed it, writes QUARANTINED.
 */
#include <labyrinth/damage.h>

#include "block.h"
#include "damage.h"
#include "slow.h"
#include "word.h"

#define TRIES 4u		/* lost to others who went on, before the page is left waiting */

static atom64_t callback[OWNER_COUNT];	/* the functions' addresses */

const char *damage_name(enum damage d)
{
	static const char *const names[DAMAGE_COUNT] = {
		[DAMAGE_QUARANTINED] = "in quarantine",
		[DAMAGE_HELD] = "held",
		[DAMAGE_WAITING] = "free, but out of reach",
		[DAMAGE_RESERVED] = "reserved",
		[DAMAGE_TOO_MANY] = "one too many",
	};

	return d < DAMAGE_COUNT ? names[d] : "unknown";
}

/* --- the list: a frame's number + 1, or 0 */

static bool is_listed(uint32_t f)
{
	for (unsigned i = 0; i < DAMAGED_MAX; i++)
		if (atom_load(&mm.damaged[i]) == (uint64_t)f + 1)	/* pairs with enlist() */
			return true;
	return false;
}

static bool enlist(uint32_t f)
{
	if (is_listed(f))
		return true;
	for (unsigned i = 0; i < DAMAGED_MAX; i++) {
		uint64_t none = 0;

		/* Pairs with itself and with strike(): one entry has one writer. */
		if (atom_cas(&mm.damaged[i], &none, (uint64_t)f + 1)) {
			atom_add(&mm.ndamaged, 1);
			return true;
		}
	}
	return false;
}

/* All entries: two reports at once may have made two. */
static void strike(uint32_t f)
{
	for (unsigned i = 0; i < DAMAGED_MAX; i++) {
		uint64_t entry = atom_load(&mm.damaged[i]);	/* pairs with enlist() */

		/* Pairs with another's strike(): each entry is taken off the count once. */
		if (entry == (uint64_t)f + 1 && atom_cas(&mm.damaged[i], &entry, 0))
			atom_add(&mm.ndamaged, (uint64_t)-1);
	}
}

/* --- one page */

/* Q3: it is the caller's alone. */
static void confine(uint32_t f)
{
	uint64_t w = atom_peek(word_at(f));

	/* Release: whoever reads the state sees what was done to the page before. */
	atom_store(word_at(f), word_freed(w) | word_held(PAGE_QUARANTINED, 0, OWNER_NONE));
	atom_add(&zone_of(f)->quarantined, 1);
	strike(f);
}

static void tell(uint32_t head, uint64_t w, uint32_t f)
{
	/* Pairs with page_on_damage(). */
	uint64_t fn = atom_load(&callback[word_owner(w).id % OWNER_COUNT]);

	if (fn)
		((damage_fn)(uintptr_t)fn)(word_owner(w), frame_to_page((frame_t){ head }),
					   word_order(w), frame_to_page((frame_t){ f }));
}

/* Mark the held block around @f.  Return: false if there is none, or it changed hands. */
static bool mark(uint32_t f)
{
	uint32_t head = slow_block_head(f);
	uint64_t w = atom_load(word_at(head));	/* pairs with every CAS on it */

	if (word_owner(w).id == 0 || f - head >= (uint32_t)1 << word_order(w))
		return false;
	if (w & WORD_DAMAGED)
		return true;
	/* Pairs with a racing free or transfer: either he sees the mark, or we look again. */
	if (!atom_cas(word_at(head), &w, w | WORD_DAMAGED))
		return false;
	tell(head, w, f);
	return true;
}

static enum damage settle(uint32_t f)
{
	struct zone *z = zone_of(f);

	for (unsigned i = 0; i < TRIES; i++) {
		enum page_state s = word_state(atom_load(word_at(f)));	/* pairs with confine() */

		if (s == PAGE_QUARANTINED || s == PAGE_RESERVED) {
			strike(f);
			return s == PAGE_RESERVED ? DAMAGE_RESERVED : DAMAGE_QUARANTINED;
		}
		if (tree_take_frame(&z->tree, f - z->tree.base)) {
			zone_count(z, -1);
			confine(f);
			return DAMAGE_QUARANTINED;
		}
		if (mark(f))
			return DAMAGE_HELD;
	}
	return DAMAGE_WAITING;
}

enum damage page_damaged(frame_t f)
{
	bool awake = mm_awake(f.n);

	if (!awake && !slow_frame_sleeps(f.n))
		return DAMAGE_RESERVED;
	if (!enlist(f.n))
		return DAMAGE_TOO_MANY;
	if (!mm_awake(f.n))
		return DAMAGE_WAITING;
	page_drain();		/* what this CPU holds back need not wait */
	return settle(f.n);
}

size_t page_damaged_retry(void)
{
	size_t waiting = 0;

	for (unsigned i = 0; i < DAMAGED_MAX && atom_load(&mm.ndamaged); i++) {
		uint64_t entry = atom_load(&mm.damaged[i]);	/* pairs with enlist() */
		uint32_t f = (uint32_t)(entry - 1);

		if (entry && (!mm_awake(f) || settle(f) == DAMAGE_WAITING))
			waiting++;
	}
	return waiting;
}

void damage_freed(uint32_t f, unsigned order)
{
	if (order == 0 && is_listed(f)) {
		confine(f);
		return;
	}
	/* Whole into the tree and the damaged out again: in between somebody may take it (Q1). */
	zone_give(zone_of(f), f, order);
	page_damaged_retry();
}

void page_on_damage(owner_t owner, damage_fn fn)
{
	/* Pairs with the load in tell(). */
	atom_store(&callback[owner.id % OWNER_COUNT], (uint64_t)(uintptr_t)fn);
}

bool page_pardon(frame_t f)
{
	uint64_t w = mm_awake(f.n) ? atom_load(word_at(f.n)) : 0;

	if (word_state(w) != PAGE_QUARANTINED)
		return false;
	/* Pairs with another pardon: one of them gives the page back. */
	if (!atom_cas(word_at(f.n), &w, word_freed(w)))
		return false;
	atom_add(&zone_of(f.n)->quarantined, (uint64_t)-1);
	zone_give(zone_of(f.n), f.n, 0);
	return true;
}
