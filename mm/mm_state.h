/* SPDX-License-Identifier: MIT */
/* What mm/ knows, in one structure.  Private to mm/. */
#pragma once

#include <arch/cpu.h>
#include <arch/directmap.h>
#include <labyrinth/damage.h>
#include <labyrinth/mm.h>

#include "local.h"
#include "tree.h"

struct frame_range { uint32_t first, end; };	/* [first, end), relative to the zone's base */

/*
 * A zone.  Most of its memory is asleep at first: its frame words and bits have
 * never been written.  Groups and areas are woken one by one, in order, by whoever
 * finds nothing else.
 */
struct zone {
	struct tree tree;
	uint64_t total;			/* usable frames */
	uint64_t min, low;		/* watermarks, frames */
	struct frame_range *range;	/* the usable frames, sorted; nranges, and a zero one */
	uint32_t nranges;
	atom64_t cursor, part;		/* next to wake: see wake.c */
	int64_t slack;			/* fold_at times CPUs: how far off free can be */
	int64_t fold_at;		/* frames a CPU may be off before it adds to free */
	_Alignas(64) atom64_t free;	/* in the tree or asleep, give and take fold_at a CPU */
	/* Rarely written, and so out of the way of what is read all the time. */
	_Alignas(64) atom64_t contracted;	/* frames set aside by contracts */
	atom64_t lent;			/* frames held by somebody, and lent to a device */
	atom64_t quarantined;		/* frames never to be handed out: see quarantine.c */
	atom64_t reserve;		/* frames ever taken below min */
	atom64_t failures[ZONE_REFUSAL_COUNT];	/* what it answered to calls that failed */
};

/* The hot window: see cache.h.  One cache line, read by every call. */
struct hot {
	_Alignas(64) unsigned char *base;	/* the page of its first frame, in the direct map */
	atom64_t *words;		/* the word of its first frame */
	atom64_t frames;		/* grows while memory wakes */
	uint32_t first;			/* its first frame; a multiple of an area's 512 */
};

struct mm {
	struct hot hot;
	struct zone *hot_zone;		/* whose frames are cached */
	struct zone *top_zone;		/* the highest with memory */
	atom64_t *words;		/* one a frame: see word_at() */
	uint32_t high;			/* the area where the Normal zone's memory begins */
	uint32_t gap;			/* frames below that, down to the DMA32 zone's end */
	atom64_t *awake;		/* one bit a group */
	uint32_t end;			/* one past the highest frame with a word */
	unsigned ncpu;
	bool failing;			/* mm_fail_nth() is at work */
	unsigned care;			/* how often the careful way was asked for: care.h */
	atom64_t watched;		/* not 0: frees are to be told, mm_watch_frees() */
	atom64_t ndamaged;		/* how many of these are in use */
	atom64_t damaged[DAMAGED_MAX];	/* pages held or waiting: see quarantine.c */
	uint64_t metadata_bytes;
	struct zone zone[ZONE_COUNT];
};

extern struct mm mm;

static inline struct tree *tree_of(unsigned id) { return &mm.zone[id].tree; }

/*
 * The word of frame @f, which must be awake.  The gap around 4 GiB, where PCs
 * have devices, and below memory that begins far above it, has no words.
 */
static inline atom64_t *word_at(uint32_t f)
{
	return mm.words + (f < ZONE_DMA32_END ? f : f - mm.gap);
}

/* Does @f have a valid word?  Context: any. */
static inline bool mm_awake(uint32_t f)
{
	/* Pairs with the CAS in words_wake(): whoever sees the bit sees the words. */
	return f < mm.end &&
	       atom_load(&mm.awake[f >> GROUP_ORDER >> 6]) >> (f >> GROUP_ORDER & 63) & 1;
}

/* Another CPU's word at @off, for statistics. */
static inline uint64_t local_peek(unsigned cpu, size_t off)
{
	const unsigned char *area = cpu_local_area(cpu);

	return area ? atom_peek((const atom64_t *)(const void *)(area + off)) : 0;
}

static inline enum zone_id zone_id_of(uint32_t f)
{
	return f < ZONE_DMA_END ? ZONE_DMA : f < ZONE_DMA32_END ? ZONE_DMA32 : ZONE_NORMAL;
}

static inline struct zone *zone_of(uint32_t f) { return &mm.zone[zone_id_of(f)]; }
static inline enum zone_id zone_id(const struct zone *z) { return (enum zone_id)z->tree.id; }

/* The @d frames that this CPU is ahead by (negative: behind) join z->free.  Context: any. */
void zone_fold(struct zone *z, int64_t d);

/* @n frames entered the zone's tree (negative: left it).  Context: any. */
static inline void zone_count(struct zone *z, int64_t n)
{
	size_t off = LOCAL_DELTA + z->tree.id * sizeof(uint64_t);

	local_add(off, (uint64_t)n);
	uint64_t d = local_load(off), far = (uint64_t)z->fold_at;
	/* More than that, or less than minus that: one comparison. */
	if (__builtin_expect(d + far > 2 * far, 0))
		zone_fold(z, (int64_t)d);
}

/* Frames free in the tree or asleep; exact at rest.  Context: any; O(CPUs). */
uint64_t zone_free(const struct zone *z);

/* Frames in the caches of all CPUs, likewise. */
uint64_t zone_cached(const struct zone *z);

/* Are at least @frames free?  Context: any; O(1) but near the mark. */
bool zone_has_exactly(const struct zone *z, uint64_t frames);

static inline bool zone_has(const struct zone *z, uint64_t frames)
{
	/* The folded count alone settles it, but near the mark. */
	/* Pairs with zone_count()'s addition; later ones of other CPUs are in the slack. */
	int64_t folded = (int64_t)atom_load(&z->free);

	if (__builtin_expect(folded - z->slack >= (int64_t)frames, 1))
		return true;
	return folded + z->slack >= (int64_t)frames && zone_has_exactly(z, frames);
}

/* Nothing sleeps any more; what was woken the tree may have.  Context: any. */
static inline bool cursor_all_awake(const struct zone *z, uint64_t cursor)
{
	return cursor >> 32 == z->nranges;
}

static inline bool zone_all_awake(const struct zone *z)
{
	/* Pairs with the claims in wake.c (Z2). */
	return cursor_all_awake(z, atom_load(&z->cursor));
}

/*
 * Is nothing at all free in the zone?  The cursor is read before the tree: what was
 * asleep then would count, and what was awake is in the tree (I12).  Context: any.
 */
static inline bool zone_spent(const struct zone *z)
{
	return zone_all_awake(z) && tree_spent(&z->tree);
}

/**
 * zone_wake() - wake a block of areas, or what sleeps of one
 * @order: what the caller wants
 * @block: receives the first frame of a block of @order, from the zone's base
 * @taken: set if there is one, and it is the caller's; else all is in the tree
 *
 * Each is claimed by exactly one traveller, so nobody waits: who is stopped half
 * way keeps it from the others until he goes on.
 * Context: any.
 * Return:  how many frames, usable or not; 0 if nothing sleeps that could be claimed.
 */
uint64_t zone_wake(struct zone *z, unsigned order, uint32_t *block, bool *taken);

/**
 * zone_wake_group() - wake a group for oneself: its frames are nowhere else
 * @group: receives its number, counted from the zone's base
 * @bits:  receives its frames, all the caller's; 0: they are in the tree after all
 * Context: any.
 * Return:  false if nothing sleeps that could be claimed.
 */
bool zone_wake_group(struct zone *z, uint32_t *group, uint64_t *bits);

/* An area in a hole gets words that say so.  Context: boot. */
void zone_bridge(struct zone *z, uint32_t area);

/* How many of the frames [first, end), relative to the base, are memory, asleep or not? */
uint64_t zone_usable(const struct zone *z, uint64_t first, uint64_t end);

/* How many of the frames [first, end), relative to the base, sleep?  Context: any. */
uint64_t zone_sleeping(const struct zone *z, uint64_t first, uint64_t end);

static inline uint64_t zone_asleep(const struct zone *z)
{
	return zone_sleeping(z, 0, z->tree.nframes);
}

/* Which of a group's frames sleep?  Context: any. */
uint64_t zone_sleeping_bits(const struct zone *z, uint32_t group);

/* Stretch the hot window over what has woken.  Context: any. */
void hot_grow(void);
