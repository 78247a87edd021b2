/* SPDX-License-Identifier: MIT */
/*
 * Hosted benchmarks of page allocators: what a case is given, and how it says
 * what it measured.  cases.h has the cases, one copy compiled for each
 * allocator, so that calls are direct; bench_host.c runs and prints them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/frame.h>
#include <labyrinth/owner.h>

#define BENCH_THREADS_MAX 64u
#define BENCH_SAMPLES     4096u		/* a worker's, of one case */

/* Where @frames frames of RAM begin: one zone, aligned to the largest block. */
#define BENCH_FIRST 0x40000u

/* Threads meet here; they spin, so that all go on within a few nanoseconds. */
struct bench_barrier {
	_Atomic unsigned waiting, round;
	unsigned threads;
};

/* Pages on their way from the thread that allocates to the one that frees. */
#define BENCH_RING (1u << 14)

struct bench_ring {
	_Alignas(64) _Atomic uint64_t head;	/* written so far; by the allocating thread */
	_Alignas(64) _Atomic uint64_t tail;	/* read so far; by the freeing thread */
	_Alignas(64) uint64_t block[BENCH_RING];
};

/* One thread of a case. */
struct bench_worker {
	unsigned cpu, threads;
	unsigned order;
	owner_t owner;
	size_t share;			/* blocks of memory for each thread, were all taken */
	size_t window;			/* blocks that may be on their way to another thread */
	size_t batch;			/* operations between two looks at the clock */
	uint64_t *block;		/* room for `share` of whatever names a block */
	uint32_t *random;		/* `share` numbers, random below 2^32 */
	struct bench_barrier *barrier;
	struct bench_ring *ring;	/* shared with the neighbour */
	bool failed;			/* an allocation that had to succeed did not */
	unsigned n;			/* samples taken */
	double sample[BENCH_SAMPLES];	/* ticks per operation */
};

/* A case: what it is called, what one operation is, and who runs it. */
struct bench_case {
	const char *name;
	const char *operation;
	bool order0_only;
	bool pairs;			/* needs an even number of threads */
};
extern const struct bench_case bench_cases[];
extern const unsigned bench_ncases;

struct bench_allocator {
	const char *name;
	void (*const *run)(struct bench_worker *w);	/* one for each of bench_cases */
	void (*drain)(void);
};
extern const struct bench_allocator bench_labyrinth, bench_textbook;

/* The time stamp counter, after all that came before (AMD and Intel: lfence; rdtsc). */
static inline uint64_t bench_ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void bench_sample(struct bench_worker *w, uint64_t start, size_t operations)
{
	uint64_t end = bench_ticks();

	if (w->n < BENCH_SAMPLES)
		w->sample[w->n++] = (double)(end - start) / (double)operations;
}

/* Wait until all threads of the case are here. */
void bench_meet(struct bench_worker *w);
