/* SPDX-License-Identifier: MIT */
/* Recording calls, and the search for an order that explains them; see history.h. */
#include "history.h"

#include <string.h>

#include "../../arch/explore/explore.h"
#include "../../mm/block.h"

#define FRAMES_MAX  (64u * 512)
#define CALLS_EACH  6u		/* a CPU, and its interrupt handler as many */
#define CALLS       (EXPLORE_CPUS * 2 * CALLS_EACH)

enum kind { CALL_NONE, CALL_TAKE, CALL_GIVE, CALL_SOME, CALL_GIVE_SOME };
enum owned { BY_TREE = 1, BY_OWNER };

struct call {
	uint64_t kind, order, frame, bits;
	uint64_t before;	/* calls that had returned when it was made */
};

static struct call call[CALLS];
static uint64_t returned;	/* a bit a call */
static uint64_t ncalls[EXPLORE_CPUS][2];
/* Of a block's first frame: order << 8 | enum owned; of the others, TAIL. */
#define TAIL ((uint64_t)1 << 32)
static uint64_t holder[FRAMES_MAX];

static uint64_t free_at_start[FRAMES_MAX / 64], free_now[FRAMES_MAX / 64];
static uint32_t nframes;
static bool strict, lenient;
owner_t history_owner;

/* --- holding */

static void hold(uint32_t frame, unsigned order, enum owned by)
{
	for (uint32_t f = frame; f < frame + (1u << order); f++) {
		if (f >= nframes)
			explore_fail("I4: frame 0x%x was handed out, which does not exist", f);
		if (holder[f])
			explore_fail("I2: frame 0x%x was handed out twice", f);
		explore_set(&holder[f], f == frame ? order << 8 | by : TAIL);
	}
}

static void let_go(uint32_t frame, unsigned order)
{
	for (uint32_t f = frame; f < frame + (1u << order); f++)
		explore_set(&holder[f], 0);
}

/* --- recording */

static unsigned call_begin(enum kind kind, unsigned order, uint32_t frame, uint32_t bits)
{
	static const char *const names[] = { "", "take", "give", "some", "givesome" };
	unsigned irq = explore_in_irq(), n = (unsigned)ncalls[explore_self][irq];
	unsigned i = (explore_self * 2 + irq) * CALLS_EACH + n;

	if (n == CALLS_EACH)
		explore_fail("the scenario makes more calls than history.c can record");
	explore_set(&ncalls[explore_self][irq], n + 1);
	explore_pause(names[kind]);
	explore_set(&call[i].kind, kind);
	explore_set(&call[i].order, order);
	explore_set(&call[i].frame, frame);
	explore_set(&call[i].bits, bits);
	explore_set(&call[i].before, returned);
	return i;
}

static void call_end(unsigned i, uint32_t frame, uint32_t bits)
{
	explore_set(&call[i].frame, frame);
	explore_set(&call[i].bits, bits);
	explore_set(&returned, returned | (uint64_t)1 << i);
}

static struct zone *zone_explored(void) { return mm.hot_zone; }

uint32_t do_take(unsigned order)
{
	unsigned i = call_begin(CALL_TAKE, order, 0, 0);
	uint32_t f;

	if (!zone_take(zone_explored(), order, &f))
		f = NO_FRAME;
	else if (f & ((1u << order) - 1))
		explore_fail("I4: block 0x%x of order %u is not aligned", f, order);
	else
		hold(f, order, BY_TREE);
	call_end(i, f, 0);
	return f;
}

/* In mm/tree.c who has merged four times goes on to gather as long as this holds. */
static bool may_gather(const struct tree *t, unsigned l, uint32_t c, unsigned log)
{
	uint64_t w = atom_load(&node_of_child(t, l, c)->word);
	uint64_t runs = slot_runs(node_at_least(w, ENTRY_OPEN + child_order(l)), log);

	if (l < t->root)
		runs &= ~node_full_runs(w, log);
	return runs >> c % NODE_FANOUT * ENTRY_BITS & 1;
}

uint32_t do_gather(uint32_t frame, unsigned order)
{
	unsigned i = call_begin(CALL_TAKE, order, 0, 0), l = order_level(order);
	struct zone *z = zone_explored();
	uint32_t c = (frame - z->tree.base) >> child_order(l);
	bool got;

	do
		got = tree_gather(&z->tree, l, c, order - child_order(l));
	while (!got && may_gather(&z->tree, l, c, order - child_order(l)));
	if (got) {
		zone_count(z, -((int64_t)1 << order));
		hold(frame, order, BY_TREE);
	}
	call_end(i, got ? frame : NO_FRAME, 0);
	return got ? frame : NO_FRAME;
}

void do_give(uint32_t frame, unsigned order)
{
	unsigned i = call_begin(CALL_GIVE, order, frame, 0);

	let_go(frame, order);
	zone_give(zone_explored(), frame, order);
	call_end(i, frame, 0);
}

uint32_t do_some(uint32_t *first)
{
	unsigned i = call_begin(CALL_SOME, 0, 0, 0);
	uint32_t bits = (uint32_t)zone_take_some(zone_explored(), first);	/* all is awake */

	for (unsigned b = 0; b < 32; b++)
		if (bits >> b & 1)
			hold(*first + b, 0, BY_TREE);
	call_end(i, bits ? *first : NO_FRAME, bits);
	return bits;
}

void do_give_some(uint32_t first, uint32_t bits)
{
	unsigned i = call_begin(CALL_GIVE_SOME, 0, first, bits);

	for (unsigned b = 0; b < 32; b++)
		if (bits >> b & 1)
			let_go(first + b, 0);
	zone_give_half(zone_explored(), first, bits);
	call_end(i, first, bits);
}

uint32_t do_alloc(unsigned order)
{
	unsigned i = call_begin(CALL_TAKE, order, 0, 0);
	void *page = allocpages(GFP_ATOMIC, order, history_owner);
	uint32_t f = page ? page_to_frame(page).n : NO_FRAME;

	if (page)
		hold(f, order, BY_OWNER);
	call_end(i, f, 0);
	return f;
}

enum page_error do_free(uint32_t frame, unsigned order)
{
	unsigned i = call_begin(CALL_GIVE, order, frame, 0);

	let_go(frame, order);
	enum page_error e = freepages(frame_to_page((frame_t){ frame }), order, history_owner);
	if (e != PAGE_OK)
		explore_fail("I5: a right free of 0x%x, order %u, was refused: %s", frame, order,
			     page_error_name(e));
	call_end(i, frame, 0);
	return e;
}

/* --- around a run */

void history_begin(uint32_t frames, bool null_counts, bool but_for_takes)
{
	const struct zone *z = zone_explored();

	if (frames > FRAMES_MAX)
		explore_fail("a scenario has at most %u frames", FRAMES_MAX);
	memset(call, 0, sizeof call);
	memset(ncalls, 0, sizeof ncalls);
	memset(holder, 0, sizeof holder);
	memset(free_at_start, 0, sizeof free_at_start);
	returned = 0;
	nframes = frames;
	strict = null_counts;
	lenient = but_for_takes;
	for (uint32_t f = 0; f < frames; f++) {
		uint64_t rel = f - z->tree.base;
		bool is_free = mm_awake(f) ? tree_free_order(&z->tree, (uint32_t)rel) >= 0
					   : zone_sleeping(z, rel, rel + 1) != 0;
		struct page_info info;

		/* In a cache? */
		page_query((frame_t){ f }, &info);
		if (mm_awake(f) && !is_free && info.state == PAGE_FREE)
			is_free = true;
		free_at_start[f / 64] |= (uint64_t)is_free << f % 64;
	}
}

void history_holds(uint32_t frame, unsigned order)
{
	for (uint32_t f = frame; f < frame + (1u << order); f++) {
		holder[f] = f == frame ? order << 8 | BY_TREE : TAIL;
		free_at_start[f / 64] &= ~((uint64_t)1 << f % 64);
	}
}

bool history_owned(void)
{
	for (uint32_t f = 0; f < nframes; f++)
		if ((holder[f] & 0xff) == BY_TREE)
			return false;
	return true;
}

void history_give_back(void)
{
	for (uint32_t f = 0; f < nframes; f++) {
		uint64_t h = holder[f];

		if ((h & 0xff) == BY_TREE)
			zone_give(zone_explored(), f, (unsigned)h >> 8);
		else if ((h & 0xff) == BY_OWNER)
			freepages(frame_to_page((frame_t){ f }), (unsigned)h >> 8, history_owner);
	}
}

/* --- the search */

static bool all_free(uint32_t frame, unsigned order)
{
	if (order >= 6) {
		for (uint32_t w = frame / 64; w < (frame + (1u << order)) / 64; w++)
			if (free_now[w] != UINT64_MAX)
				return false;
		return true;
	}
	uint64_t mask = run_mask(frame % 64, order);
	return (free_now[frame / 64] & mask) == mask;
}

static bool any_fits(unsigned order)
{
	for (uint32_t f = 0; f + (1u << order) <= nframes; f += 1u << (order < 6 ? 6 : order)) {
		if (order < 6 ? bits_run(free_now[f / 64], order) >= 0 : all_free(f, order))
			return true;
	}
	return false;
}

static void flip(uint32_t frame, unsigned order)
{
	for (uint32_t f = frame; f < frame + (1u << order); f++)
		free_now[f / 64] ^= (uint64_t)1 << f % 64;
}

static void flip_call(const struct call *c)
{
	if (c->frame == NO_FRAME)
		return;
	if (c->kind == CALL_SOME || c->kind == CALL_GIVE_SOME)
		free_now[c->frame / 64] ^= c->bits << (c->frame & 32);
	else
		flip((uint32_t)c->frame, (unsigned)c->order);
}

/* Was another taking at some moment of call @i?  He may have come too late, and hold it still. */
static bool others_took(unsigned i)
{
	for (unsigned j = 0; j < CALLS; j++)
		if (j != i && (call[j].kind == CALL_TAKE || call[j].kind == CALL_SOME) &&
		    !(call[i].before >> j & 1) && !(call[j].before >> i & 1))
			return true;
	return false;
}

/* May it have got nothing, now? */
static bool is_legal_null(const struct call *c)
{
	return !strict || !any_fits((unsigned)c->order) ||
	       (lenient && others_took((unsigned)(c - call)));
}

/* Could it have been answered so, now? */
static bool is_legal(const struct call *c)
{
	switch ((enum kind)c->kind) {
	case CALL_TAKE:
		return c->frame == NO_FRAME ? is_legal_null(c)
					    : all_free((uint32_t)c->frame, (unsigned)c->order);
	case CALL_SOME:
		if (c->frame == NO_FRAME)
			return is_legal_null(c);
		return !(c->bits << (c->frame & 32) & ~free_now[c->frame / 64]);
	default:
		return true;
	}
}

static bool search(uint64_t left)
{
	if (!left)
		return true;
	for (uint64_t m = left; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctzll(m);

		if (call[i].before & left || !is_legal(&call[i]))
			continue;
		flip_call(&call[i]);
		if (search(left & ~((uint64_t)1 << i)))
			return true;
		flip_call(&call[i]);
	}
	return false;
}

void history_check(void)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < CALLS; i++)
		all |= (uint64_t)(call[i].kind != CALL_NONE) << i;
	memcpy(free_now, free_at_start, sizeof free_now);
	if (!search(all))
		explore_fail("I11, I12: no order of the calls explains what they returned");
}
