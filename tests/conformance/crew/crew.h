/* SPDX-License-Identifier: MIT */
/*
 * A crew: CPUs, or threads that play them, which are in one allocator together.  Every
 * frame has a plain int that its holder writes, so that two holders are seen: by the
 * crew, and as a data race by ThreadSanitizer.
 */
#pragma once

#include <stdatomic.h>

#include "../conform.h"

#define CREW_MAX 4u

struct crew;

/* One CPU; all of it is its own. */
struct hand {
	struct crew *crew;
	unsigned cpu;
	uint64_t random;
	unsigned faults;		/* what EXPECT would have said; summed up afterwards */
	unsigned nulls;			/* allocations that failed */
	size_t n;			/* blocks in the log */
	struct block log[512];
};

struct crew {
	struct block *rest;		/* held by owner[1] to make memory short */
	size_t rest_n;
	const struct allocator_ops *a;
	enum conform_machine machine;
	unsigned hands;
	owner_t owner[2];
	void (*work)(struct hand *h);
	void *shared;			/* the test's own */
	_Atomic unsigned waiting, round;	/* of hand_meet() */
	bool late;			/* changes in hand_meet() only: all hands see the same */
	uint64_t began;			/* for crew_late() */
	void (*start)(struct hand *h);	/* crew.c's own, around work */
	uint32_t frames;		/* entries in holder */
	int *holder;			/* by frame number: cpu + 1, or 0; not atomic on purpose */
	uint32_t stride;		/* every so many frames of a block are written */
	struct hand hand[CREW_MAX];
};

/**
 * crew_run() - start @a for @hands CPUs, let @work run on all of them, check everything
 * @before: what to do with the allocator first, on CPU 0; may be NULL
 * @after:  what to do last, before everything that was logged is given back; may be NULL
 *
 * Where there are fewer CPUs nothing is done; with fewer than two the test counts as skipped.
 *
 * Return: has it been done?
 */
bool crew_run(const struct allocator_ops *a, enum conform_machine machine, unsigned hands,
	      void (*before)(struct crew *c), void (*work)(struct hand *h),
	      void (*after)(struct crew *c), void *shared);

/* --- what each world supplies */

/* How many CPUs can be in a crew; at most CREW_MAX. */
unsigned crew_cpus(void);

/* Is this machine none for a test that takes all memory frame by frame?  In words, or NULL. */
const char *crew_cannot(void);

/* Run c->start() on @c's first CPUs, c->hands of them, at the same time; wait for all. */
void crew_start(struct crew *c);

/* Empty the caches of all CPUs.  Between two runs of hands. */
void crew_drain(const struct allocator_ops *a);

/* One turn of a loop in which a hand waits for others; @spins turns came before. */
void crew_wait(unsigned spins);

/*
 * Has @c been at it for so long that it does with fewer rounds?  On a loaded machine hands
 * that meet wait for each other most of the time.
 */
bool crew_late(struct crew *c);

/* As many rounds as @n, or fewer where each takes much longer. */
unsigned crew_rounds(unsigned n);

/* One past the highest frame that @a may hand out. */
uint32_t crew_frames(const struct allocator_ops *a);

/* @size bytes, all zero, or NULL; and back. */
void *crew_memory(size_t size);
void crew_memory_free(void *p, size_t size);

/* --- for the tests */

/* Random number below @limit, of this thread's own sequence. */
uint64_t hand_random(struct hand *h, uint64_t limit);

/* Count a fault unless @ok. */
void hand_expect(struct hand *h, bool ok);

/* Take a block, mark it as ours, log it.  Return: false for NULL or a full log. */
bool hand_take(struct hand *h, gfp_t gfp, unsigned order);

/* Unmark and free entry @i of the log. */
void hand_give(struct hand *h, size_t i);

/* Mark every frame of @b with @mark, expecting @expected there. */
void hand_mark(struct hand *h, const struct block *b, int expected, int mark);

/* Wait for all others. */
void hand_meet(struct hand *h);

/* Let some nanoseconds pass, a random number of them, so that every overlap comes about. */
void hand_dawdle(struct hand *h);

/* Hold one more block.  Return: false when there is none.  For the one who runs the crew. */
bool crew_hold(struct crew *c, unsigned order);

/* Hold all memory but @n blocks of @order, spread widely.  For the one who runs the crew. */
void crew_leave_blocks(struct crew *c, unsigned order, unsigned n);

/* Give back what crew_leave_blocks() took. */
void crew_give_rest_back(struct crew *c);
