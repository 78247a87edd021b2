/* SPDX-License-Identifier: MIT */
/* Bringing the allocator up, watching it, and checking it. */
#pragma once

#include <labyrinth/memmap.h>
#include <labyrinth/page.h>

/**
 * mm_init() - take over all usable memory of @map
 * @map:  sane, everything in use already marked; the metadata is taken from it
 *        and marked MEM_METADATA
 * @ncpu: CPUs that will ever call in
 *
 * Wakes the first 64 MiB of each zone; the rest stays asleep, its frames' words
 * untouched, until it is needed.  What grows with memory are the nodes of the trees
 * above the areas, which are written here.
 *
 * Context: boot, one CPU; again only after mm_reset().
 * Return:  0, or -1 when no usable range is large enough for the metadata.
 */
int mm_init(struct memmap *map, unsigned ncpu);

/**
 * mm_reset() - forget everything, for the next mm_init() (hosted tests)
 * Context: nobody in the allocator, on any CPU; what was handed out is lost, and
 *          the CPUs' local areas are the port's to clear.
 */
void mm_reset(void);

/* What the allocator has been doing, exact at rest (I3, I7). */
struct owner_stats {
	uint64_t held;			/* frames */
	uint64_t peak;			/* most frames held at once, to within 64
					 * frames or 4 of its largest blocks a CPU;
					 * CAVEATS.md has two exceptions */
	uint64_t failures[ZONE_REFUSAL_COUNT];	/* failed calls by the last zone's answer */
	uint64_t reserve;		/* frames taken while a zone was below its min mark */
	uint64_t retries;		/* compare-and-swaps that its operations lost; one that an
					 * interrupt came upon may count for that one's owner */
};
void owner_stats(owner_t owner, struct owner_stats *out);	/* Context: any. */

/* The same by zone.  Every failed call of good flags counts once for its owner and once a zone. */
struct zone_counts {
	uint64_t failures[ZONE_REFUSAL_COUNT];	/* what the zone answered to them */
	uint64_t reserve;
	uint64_t retries;		/* lost compare-and-swaps on words of the zone */
};
void zone_counts(enum zone_id zone, struct zone_counts *out);	/* Context: any. */

struct mm_stats {
	uint64_t metadata_bytes;	/* all of it */
	uint64_t frames;		/* total of all zones */
	uint64_t bad_frees[PAGE_ERROR_COUNT];
	uint64_t retries;		/* of all zones: 0 unless travellers met at a word.  What
					 * contracts and pools lose is not counted */
};
void mm_stats(struct mm_stats *out);				/* Context: any. */

/**
 * mm_audit() - check I1 to I4, I7 and I8 over all metadata
 * @report: called with one sentence for each of the first 20 violations; may be NULL
 *
 * Context: any, with nobody else in the allocator.
 * Return:  the number of violations; 0 is what everyone wants.
 */
size_t mm_audit(void (*report)(const char *what));

/**
 * mm_report_to() - who is told of refused operations
 * @to: called with one sentence each, from any context; NULL: the console
 *
 * Context: any.
 */
void mm_report_to(void (*to)(const char *line));

/**
 * mm_fail_nth() - let the @n-th request from now on fail, and no other
 * @n: 1 for the next; 0 for none: all is as it was before
 *
 * Requests of every order count, each page of a batch, and what contracts and
 * pools ask for themselves; a reserve contract is still kept.  Until it is
 * called with 0 the CPUs' caches are not used, and a zone's low mark is not
 * its own.
 *
 * Context: nobody else in the allocator, and other CPUs drained.
 * Return:  how many requests there were since it was last called.
 */
uint64_t mm_fail_nth(uint64_t n);

/* One thing that happened; the last few are kept for the panic report. */
enum mm_event_kind { MM_ALLOC, MM_FREE, MM_TRANSFER, MM_FAIL, MM_REFUSED };
struct mm_event {
	uint64_t seq;			/* counts up from 1 */
	enum mm_event_kind kind;
	uint8_t order;
	uint8_t error;			/* enum page_error or enum zone_refusal */
	owner_t owner, other;		/* who asked, and the other side */
	frame_t frame;
};

/**
 * mm_events() - the last noteworthy events on this CPU, newest first
 *
 * Blocks that do not come out of a CPU's cache or go into it, transfers, failures,
 * refusals; never single pages that are rightly taken and freed: the hot paths have no
 * time for a diary.
 *
 * Context: any.
 * Return:  how many were written to @out.
 */
size_t mm_events(struct mm_event *out, size_t max);
