/* SPDX-License-Identifier: MIT */
/* The whole of a free: find the block, check who asks, change its word, give it back. */
#include "block.h"
#include "cache.h"
#include "contract.h"
#include "damage.h"
#include "event.h"
#include "owner_count.h"
#include "report.h"
#include "slow.h"
#include "word.h"

bool slow_frame_sleeps(uint32_t f)
{
	if (f >= mm.end)
		return false;

	uint64_t rel = f - zone_of(f)->tree.base;
	return zone_usable(zone_of(f), rel, rel + 1) != 0;
}

enum page_error slow_find(const void *page, unsigned order, uint32_t *f)
{
	frame_t frame = page_to_frame(page);
	bool awake = !frame_is_none(frame) && mm_awake(frame.n);

	if (!awake && (frame_is_none(frame) || !slow_frame_sleeps(frame.n)))
		return PAGE_NOT_RAM;
	if ((uintptr_t)page & (PAGE_SIZE - 1) || order > ORDER_MAX ||
	    frame.n & ((1u << order) - 1))
		return PAGE_MISALIGNED;
	*f = frame.n;
	return awake ? PAGE_OK : PAGE_DOUBLE_FREE;
}

uint32_t slow_block_head(uint32_t f)
{
	for (unsigned o = 0; o <= ORDER_MAX; o++) {
		uint32_t head = f & ~((1u << o) - 1);

		if (!mm_awake(head))
			continue;
		uint64_t w = atom_load(word_at(head));	/* pairs with every CAS on it */
		if (word_owner(w).id != 0 && word_order(w) >= o)
			return head;
	}
	return f;
}

enum page_error slow_diagnose(uint32_t f, uint64_t w, unsigned order, owner_t owner)
{
	if (!owner_live(owner))
		return PAGE_BAD_OWNER;
	if (word_is_free(w))
		return slow_block_head(f) == f ? PAGE_DOUBLE_FREE : PAGE_INSIDE_BLOCK;
	if (word_state(w) == PAGE_RESERVED)
		return PAGE_NOT_RAM;
	if (word_state(w) == PAGE_QUARANTINED)
		return PAGE_WRONG_STATE;
	if (word_owner(w).id != owner.id)
		return PAGE_WRONG_OWNER;
	return word_order(w) != order ? PAGE_WRONG_ORDER : PAGE_WRONG_STATE;
}

enum page_error slow_refuse(const char *what, const void *page, unsigned order, owner_t owner,
			    enum page_error e)
{
	frame_t f = page_to_frame(page);
	struct page_info now = { .frame = f, .head = f };

	if (!frame_is_none(f))
		page_query(f, &now);
	local_add(LOCAL_REFUSED + e * sizeof(uint64_t), 1);
	event_note(MM_REFUSED, order, e, owner, now.owner, f);
	if (frame_is_none(f))
		report_refusal("%s of order %u at %p by %s: %s", what, order, page,
			owner_name(owner), page_error_name(e));
	else
		report_refusal("%s of order %u at %p by %s: %s; it is %s, order %u, owner %s",
			what, order, page, owner_name(owner), page_error_name(e),
			page_state_name(now.state), now.order, owner_name(now.owner));
	return e;
}

enum page_error slow_free(void *page, unsigned order, owner_t owner)
{
	uint32_t f;
	enum page_error e = slow_find(page, order, &f);

	if (e != PAGE_OK)
		return slow_refuse("free", page, order, owner, e);

	uint64_t w = atom_load(word_at(f));	/* pairs with the store that handed it out */
	do {
		if (!word_is_idle(w & ~WORD_DAMAGED, order, owner))
			return slow_refuse("free", page, order, owner,
					   slow_diagnose(f, w, order, owner));
		/* Pairs with a racing free or transfer: one succeeds, the other is refused. */
	} while (!atom_cas(word_at(f), &w, word_freed(w)) && retry_count_for(f, owner));
	owner_count(owner, -((int64_t)1 << order));
	owner_note(owner, order);
	if (order)
		event_note(MM_FREE, order, 0, owner, OWNER_NONE, (frame_t){ f });
	if (w & WORD_CONTRACT) {
		contract_give(w, f);
	} else if (w & WORD_DAMAGED) {
		damage_freed(f, order);
	} else if (order == 0 && f - mm.hot.first < atom_load(&mm.hot.frames)) {
		if (!cache_put_into(LOCAL_CURRENT, f - mm.hot.first))
			cache_put_elsewhere(f - mm.hot.first, owner);
	} else {
		zone_give(zone_of(f), f, order);
	}
	retry_note(owner);
	return PAGE_OK;
}

/* --- what is this frame? */

static void describe_free(frame_t f, struct page_info *out)
{
	const struct tree *t = tree_of(out->zone);
	int order = tree_free_order(t, f.n - t->base);

	out->state = PAGE_FREE;
	if (order < 0) {
		uint64_t ctl = contract_find(f.n, &out->head.n);

		if (ctl) {
			out->order = ctl_order(ctl);
			out->promised = ctl_owner(ctl);
			return;
		}
	}
	/* Not in the tree: in a cache, or on its way; a single frame then. */
	out->order = order < 0 ? 0 : (unsigned)order;
	out->head = (frame_t){ f.n & ~((1u << out->order) - 1) };
}

/* An area that sleeps, or a group if others of its area are awake. */
static void describe_sleeping(frame_t f, struct page_info *out)
{
	uint32_t area = f.n & ~((1u << AREA_ORDER) - 1);

	out->state = PAGE_FREE;
	out->order = mm_awake(area) ? GROUP_ORDER : AREA_ORDER;
	out->head = (frame_t){ f.n & ~((1u << out->order) - 1) };
}

void page_query(frame_t f, struct page_info *out)
{
	*out = (struct page_info){ .frame = f, .head = f, .state = PAGE_RESERVED };
	if (f.n >= mm.end)
		return;
	out->zone = zone_id_of(f.n);
	out->in_zone = mm.zone[out->zone].total != 0;

	uint32_t head = slow_block_head(f.n);
	if (!mm_awake(head)) {
		if (slow_frame_sleeps(f.n))
			describe_sleeping(f, out);
		return;
	}
	uint64_t w = atom_load(word_at(head));	/* a snapshot; pairs as in slow_block_head() */
	out->generation = word_generation(w);
	if (word_is_free(w)) {
		describe_free(f, out);
		return;
	}
	out->head = (frame_t){ head };
	out->state = word_state(w);
	out->order = word_order(w);
	out->owner = word_owner(w);
	out->damaged = w & WORD_DAMAGED;
	out->refs = out->state == PAGE_SHARED ? word_refs(w) : 0;
}
