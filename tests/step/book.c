/* SPDX-License-Identifier: MIT */
/*
 * The book of the step gate: which frame is whose, as the test itself saw it, and
 * worlds, the small memories that runs take place in.
 */
#include "step.h"

#include <labyrinth/string.h>

enum { NOT_OURS, FREE, TAKEN };

#define SPAN  (1u << 15)	/* frames of each zone that a book can have */
#define SMALL (1u << 11)	/* and that all worlds but one need */

static uint8_t book[ZONE_COUNT][SPAN];
static struct step_place at;
/* Free as far as we know; less when pools have freed some of theirs, even below 0. */
static int64_t have[ZONE_COUNT], least[ZONE_COUNT];
static struct zone_stats fresh[ZONE_COUNT];
int64_t book_pooled;

/* --- worlds: frames from the start of each zone's place */

struct part { enum zone_id zone; uint32_t first, end; };

static const struct part one[] = { { ZONE_DMA, 0x3, 0xc8 }, { ZONE_DMA, 0xcb, 0x200 } };
static const struct part three[] = {
	{ ZONE_DMA, 0x10, 0x90 }, { ZONE_DMA, 0x91, 0x200 }, { ZONE_DMA32, 0x0, 0x1f1 },
	{ ZONE_DMA32, 0x1f3, 0x200 }, { ZONE_NORMAL, 0x7, 0x200 }, { ZONE_NORMAL, 0x200, 0x800 },
};
/* Two nodes of eight whole areas below a root, and a small zone above, not for the caches. */
static const struct part wide[] = {
	{ ZONE_DMA, 0x0, 0x200 }, { ZONE_DMA, 0x200, 0x400 }, { ZONE_DMA32, 0x1000, 0x3000 },
	{ ZONE_NORMAL, 0x0, 0x40 },
};
/* More areas than mm_init() wakes, some of them ragged. */
static const struct part asleep[] = {
	{ ZONE_DMA, 0x0, 0x200 }, { ZONE_DMA32, 0x0, 0x40 }, { ZONE_DMA32, 0x1f0, 0x210 },
};
#define ASLEEP_FROM  2u		/* areas of which a part is there: from, to */
#define ASLEEP_RAGGED 35u
#define ASLEEP_PAIR   38u	/* from here on all there, but for the words: in the last one */
#define ASLEEP_WHOLE 42u

const char *const step_world_names[STEP_WORLDS] = { "one", "three", "asleep", "wide" };

static const struct { const struct part *part; size_t n; } worlds[STEP_WORLDS] = {
	{ one, sizeof one / sizeof *one }, { three, sizeof three / sizeof *three },
	{ asleep, sizeof asleep / sizeof *asleep }, { wide, sizeof wide / sizeof *wide },
};

static struct memmap map;

static void add(enum zone_id z, uint32_t first, uint32_t end)
{
	if (end <= at.frames[z])
		memmap_add(&map, (uint64_t)(at.base[z] + first) << PAGE_SHIFT,
			   (uint64_t)(at.base[z] + end) << PAGE_SHIFT, MEM_USABLE);
}

/* Does it have many areas below 4 GiB? */
static bool is_large(enum step_world_id world)
{
	return world == STEP_ASLEEP || world == STEP_WIDE;
}

static bool start(enum step_world_id world)
{
	memmap_init(&map);
	for (size_t i = 0; i < worlds[world].n; i++) {
		const struct part *p = &worlds[world].part[i];

		add(p->zone, p->first, p->end);
	}
	if (is_large(world) && at.frames[ZONE_DMA32] < SPAN)
		return false;
	if (world == STEP_ASLEEP) {
		for (uint32_t a = ASLEEP_FROM; a < ASLEEP_RAGGED; a++) {
			add(ZONE_DMA32, a << 9 | 0x20, a << 9 | (a & 1 ? 0x21 : 0x24));
			if (a % 2 == 0)
				add(ZONE_DMA32, a << 9 | 0xa0, a << 9 | 0xa4);
		}
		for (uint32_t a = ASLEEP_RAGGED; a < ASLEEP_WHOLE; a++)
			add(ZONE_DMA32, (a << 9) + (a & 1 && a < ASLEEP_PAIR ? 5 : 0),
			    (a + 1) << 9);
	}
	return mm_init(&map, step_cpus()) == 0;
}

static enum zone_id zone_of_frame(uint32_t f)
{
	return f < ZONE_DMA_END ? ZONE_DMA : f < ZONE_DMA32_END ? ZONE_DMA32 : ZONE_NORMAL;
}

/* The entry of a frame; NULL if the world does not reach there. */
static uint8_t *entry(uint32_t f)
{
	enum zone_id z = zone_of_frame(f);

	return f - at.base[z] < at.frames[z] && f - at.base[z] < SPAN ? &book[z][f - at.base[z]]
								      : NULL;
}

bool book_open(enum step_world_id world, const struct step_place *place)
{
	at = *place;
	book_pooled = 0;
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		if (!(is_large(world) && z == ZONE_DMA32) && at.frames[z] > SMALL)
			at.frames[z] = SMALL;
		memset(book[z], NOT_OURS, at.frames[z] < SPAN ? at.frames[z] : SPAN);
	}
	if (!start(world))
		return false;
	for (size_t i = 0; i < map.n; i++)
		for (uint64_t f = map.r[i].start >> PAGE_SHIFT;
		     map.r[i].type == MEM_USABLE && f < map.r[i].end >> PAGE_SHIFT; f++)
			*entry((uint32_t)f) = FREE;
	page_drain();
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		zone_stats(z, &fresh[z]);
	return true;
}

void book_settle(void)
{
	struct zone_stats s;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		have[z] = least[z] = (int64_t)s.free;
	}
}

/* --- frames change hands */

static uint64_t *word_of(void *page, unsigned i, bool last)
{
	unsigned char *p = (unsigned char *)page + ((size_t)i << PAGE_SHIFT);

	return (uint64_t *)(void *)(p + (last ? PAGE_SIZE - sizeof(uint64_t) : 0));
}

static uint64_t sign(uint32_t f, owner_t owner)
{
	return (uint64_t)f << 32 | 0x5afe0000u | owner.id;
}

static void check_zero(void *page, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++)
		for (size_t w = 0; w < PAGE_SIZE / sizeof(uint64_t); w += 73)
			if (word_of(page, i, false)[w])
				step_violation("I9", "a page asked for with GFP_ZERO is not zero");
}

/* I2, I4: aligned, in a zone that was allowed, and nobody's. */
static void enter(uint32_t f, unsigned order, gfp_t gfp)
{
	enum zone_id z = zone_of_frame(f);

	if (f & ((1u << order) - 1))
		step_violation("I4", "block 0x%x of order %u is not aligned", f, order);
	if ((gfp & GFP_DMA && z != ZONE_DMA) || (gfp & GFP_DMA32 && z == ZONE_NORMAL))
		step_violation("I4", "block 0x%x is not in a zone that was allowed", f);
	for (uint32_t i = 0; i < 1u << order; i++) {
		uint8_t *e = entry(f + i);

		if (!e || *e == NOT_OURS)
			step_violation("I4", "frame 0x%x is not memory that may be had", f + i);
		else if (*e == TAKEN)
			step_violation("I2", "frame 0x%x was handed out, and somebody has it",
				       f + i);
		else
			*e = TAKEN;
	}
	have[z] -= 1 << order;
	least[z] = have[z] < least[z] ? have[z] : least[z];
}

void book_take(void *page, unsigned order, owner_t owner, gfp_t gfp)
{
	if (!page)
		return;

	uint32_t f = page_to_frame(page).n;
	enter(f, order, gfp);
	if (step_failed())
		return;
	if (gfp & GFP_ZERO)
		check_zero(page, order);
	for (unsigned i = 0; i < 1u << order; i++)
		*word_of(page, i, false) = *word_of(page, i, true) = sign(f + i, owner);
}

void book_give(void *page, unsigned order, owner_t owner)
{
	uint32_t f = page_to_frame(page).n;

	for (unsigned i = 0; i < 1u << order; i++) {
		if (*word_of(page, i, false) != sign(f + i, owner) ||
		    *word_of(page, i, true) != sign(f + i, owner))
			step_violation("I2", "frame 0x%x was changed while owner %u had it",
				       f + i, owner.id);
		*entry(f + i) = FREE;
	}
	have[zone_of_frame(f)] += 1 << order;
}

void book_check_word(void *page, unsigned order, owner_t owner, enum page_state state)
{
	struct page_info info;
	frame_t f = page_to_frame(page);

	page_query(f, &info);
	if (info.state != state || info.owner.id != owner.id || info.order != order ||
	    info.head.n != f.n)
		step_violation("I1", "frame 0x%x: %s of owner %u, order %u, is %s of owner %u, "
			       "order %u", f.n, page_state_name(state), owner.id, order,
			       page_state_name(info.state), info.owner.id, info.order);
}

void *book_dead_end(void)
{
	/* The first hole that all worlds have: between the parts of their first area. */
	for (uint32_t i = 0; i < at.frames[ZONE_DMA]; i++)
		if (book[ZONE_DMA][i] == NOT_OURS)
			return frame_to_page((frame_t){ at.base[ZONE_DMA] + i });
	return NULL;
}

void *book_asleep(void)
{
	struct zone_stats s;

	zone_stats(ZONE_DMA32, &s);
	return s.asleep ? frame_to_page((frame_t){ at.base[ZONE_DMA32] +
						   ((ASLEEP_WHOLE - 1) << 9) + 77 }) : NULL;
}

/* --- may a request fail? */

static enum zone_id top(gfp_t gfp)
{
	return gfp & GFP_DMA ? ZONE_DMA : gfp & GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/*
 * What a behaviour leaves alone; and for those that ask for the mark, as much again as
 * a sum taken while a CPU folds its count may miss (CAVEATS.md).
 */
static int64_t kept(unsigned z, gfp_t gfp)
{
	/* Other CPUs' caches keep theirs, too: see CAVEATS.md on I12. */
	int64_t elsewhere = 64 * ((int64_t)step_cpus() - 1);

	return book_pooled + elsewhere + (gfp & GFP_ATOMIC ? 0 : (int64_t)fresh[z].min + 64);
}

void book_refused(gfp_t gfp, uint64_t flight)
{
	int64_t sum = 0;

	for (unsigned z = 0; z <= top(gfp); z++)
		sum += have[z] > kept(z, gfp) ? have[z] - kept(z, gfp) : 0;
	if (sum > (int64_t)flight)
		step_violation("I12", "a page was refused, and %lld are free, at most %llu of them "
			       "in somebody's hands", (long long)sum, (unsigned long long)flight);
}

void book_watch(void)
{
	memcpy(least, have, sizeof least);
}

bool book_was_empty(gfp_t gfp)
{
	for (unsigned z = 0; z <= top(gfp); z++)
		if (least[z] > kept(z, gfp))
			return false;
	return true;
}

/* --- at rest */

static void said(const char *what)
{
	char rule[4] = "I?";

	/* The audit begins with the rule: T1 to T7, K1, ... belong to what they prove. */
	for (unsigned i = 0; i < 2 && what[i]; i++)
		rule[i] = what[i];
	step_violation(rule, "the audit: %s", what);
}

void book_check(void)
{
	mm_audit(said);
	for (enum zone_id z = 0; z < ZONE_COUNT && !step_failed(); z++) {
		struct zone_stats s;

		zone_stats(z, &s);
		if (s.free != fresh[z].free)
			step_violation("I3", "zone %s had %llu frames free, has %llu", zone_name(z),
				       (unsigned long long)fresh[z].free,
				       (unsigned long long)s.free);
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			if (s.blocks[k] != fresh[z].blocks[k])
				step_violation("I8", "zone %s had %llu blocks of order %u free, "
					       "has %llu", zone_name(z),
					       (unsigned long long)fresh[z].blocks[k], k,
					       (unsigned long long)s.blocks[k]);
	}
}
