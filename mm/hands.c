/* SPDX-License-Identifier: MIT */
/* A held block changes hands without becoming free: transfer, share, lend, handles. */
#include "event.h"
#include "mm_state.h"
#include "owner_count.h"
#include "slow.h"
#include "word.h"

enum page_error page_transfer(void *page, unsigned order, owner_t from, owner_t to)
{
	uint32_t f;
	enum page_error e = owner_live(to) ? slow_find(page, order, &f) : PAGE_BAD_OWNER;

	if (e != PAGE_OK)
		return slow_refuse("transfer", page, order, from, e);

	uint64_t w = atom_load(word_at(f));	/* pairs with every CAS on the word (W1) */
	do {
		if (!word_is_idle(w, order, from))
			return slow_refuse("transfer", page, order, from,
					   slow_diagnose(f, w, order, from));
		/* Pairs with a racing free, share or transfer: one of them succeeds. */
	} while (!atom_cas(word_at(f), &w, word_passed(w, word_held(word_state(w), order, to))) &&
		 retry_count_for(f, from));
	owner_count(from, -((int64_t)1 << order));
	owner_count(to, (int64_t)1 << order);
	owner_note(to, order);
	event_note(MM_TRANSFER, order, 0, from, to, (frame_t){ f });
	return PAGE_OK;
}

/* The word with one reference more or fewer; 0 if that cannot be. */
static uint64_t with_refs(uint64_t w, int change)
{
	uint32_t refs = word_refs(w) + (uint32_t)change;
	uint64_t rest = w & ~((uint64_t)WORD_REF_MASK << WORD_REF_SHIFT) &
			~((uint64_t)WORD_STATE_MASK << WORD_STATE_SHIFT);

	if (refs > WORD_REF_MASK)
		return 0;
	return rest | (uint64_t)refs << WORD_REF_SHIFT |
	       (uint64_t)(refs ? PAGE_SHARED : PAGE_HELD) << WORD_STATE_SHIFT;
}

static enum page_error change_refs(const char *what, void *page, owner_t owner, int change)
{
	uint32_t f;
	enum page_error e = slow_find(page, 0, &f);

	if (e != PAGE_OK)
		return slow_refuse(what, page, 0, owner, e);

	uint64_t w = atom_load(word_at(f)), new;	/* pairs with every CAS on the word */
	do {
		bool may = word_state(w) == PAGE_SHARED ||
			   (word_state(w) == PAGE_HELD && change > 0);
		may &= !(w & WORD_POOLED);
		new = may && word_owner(w).id == owner.id ? with_refs(w, change) : 0;
		if (new == 0)
			return slow_refuse(what, page, word_order(w), owner,
					   slow_diagnose(f, w, word_order(w), owner));
		/* Pairs with a racing free, transfer or other reference. */
	} while (!atom_cas(word_at(f), &w, new) && retry_count_for(f, owner));
	return PAGE_OK;
}

enum page_error page_share(void *page, owner_t owner)
{
	return change_refs("share", page, owner, 1);
}

enum page_error page_unshare(void *page, owner_t owner)
{
	return change_refs("unshare", page, owner, -1);
}

/* What a block is while it is lent, by what it was. */
static uint64_t as_lent(uint64_t w, unsigned order, owner_t owner)
{
	bool excl = word_state(w) == PAGE_EXCLUSIVE;

	return (w & (WORD_GEN_MASK | WORD_CONTRACT)) | word_held(PAGE_LENT, order, owner) |
	       (excl ? WORD_WAS_EXCL : 0);
}

static uint64_t as_reclaimed(uint64_t w, unsigned order, owner_t owner)
{
	enum page_state was = w & WORD_WAS_EXCL ? PAGE_EXCLUSIVE : PAGE_HELD;

	return (w & (WORD_GEN_MASK | WORD_CONTRACT | WORD_DAMAGED)) |
	       word_held(was, order, owner);
}

enum page_error page_lend(void *page, unsigned order, owner_t owner)
{
	uint32_t f;
	enum page_error e = slow_find(page, order, &f);

	if (e != PAGE_OK)
		return slow_refuse("lend", page, order, owner, e);

	uint64_t w = atom_load(word_at(f));
	do {
		if (!word_is_idle(w, order, owner))
			return slow_refuse("lend", page, order, owner,
					   slow_diagnose(f, w, order, owner));
	} while (!atom_cas(word_at(f), &w, as_lent(w, order, owner)) &&
		 retry_count_for(f, owner));
	atom_add(&zone_of(f)->lent, (uint64_t)1 << order);
	return PAGE_OK;
}

enum page_error page_reclaim(void *page, unsigned order, owner_t owner)
{
	uint32_t f;
	enum page_error e = slow_find(page, order, &f);

	if (e != PAGE_OK)
		return slow_refuse("reclaim", page, order, owner, e);

	uint64_t w = atom_load(word_at(f));
	do {
		if (owner.id == 0 ||
		    !word_is(w & ~(WORD_CONTRACT | WORD_WAS_EXCL | WORD_DAMAGED),
			     word_held(PAGE_LENT, order, owner)))
			return slow_refuse("reclaim", page, order, owner,
					   slow_diagnose(f, w, order, owner));
	} while (!atom_cas(word_at(f), &w, as_reclaimed(w, order, owner)) &&
		 retry_count_for(f, owner));
	atom_add(&zone_of(f)->lent, -((uint64_t)1 << order));
	return PAGE_OK;
}

page_handle_t page_handle(const void *page)
{
	frame_t f = page_to_frame(page);

	if (frame_is_none(f) || !mm_awake(f.n))
		return (page_handle_t){ FRAME_NONE, 0 };
	/* Pairs with the CAS of free and transfer, which make the handle stale. */
	return (page_handle_t){ f, word_generation(atom_load(word_at(f.n))) };
}

bool page_handle_valid(page_handle_t h)
{
	if (frame_is_none(h.frame) || !mm_awake(h.frame.n))
		return false;

	uint64_t w = atom_load(word_at(h.frame.n));	/* pairs likewise */
	return word_owner(w).id != 0 && word_generation(w) == h.generation;
}
