/* SPDX-License-Identifier: MIT */
/*
 * The cases, for the allocator that the including file describes:
 *
 *   BENCH_NAME              the object to define
 *   block_t                 what names a block; fits in 64 bits
 *   take(order, owner)      a block_t; give(block, order, owner)
 *   is_none(block)          the allocation failed
 *   batch_take, batch_give  as the functions of <labyrinth/page.h>
 *
 * Every case leaves all memory free.  Memory itself is never touched.
 */
#include "bench.h"

static block_t *blocks(struct bench_worker *w)
{
	return (block_t *)(void *)w->block;
}

static void fill(struct bench_worker *w, size_t n)
{
	block_t *b = blocks(w);

	for (size_t i = 0; i < n; i++) {
		b[i] = take(w->order, w->owner);
		w->failed |= is_none(b[i]);
	}
}

static void empty(struct bench_worker *w, size_t n)
{
	block_t *b = blocks(w);

	for (size_t i = 0; i < n; i++)
		give(b[i], w->order, w->owner);
}

static void shuffle(struct bench_worker *w, size_t n)
{
	block_t *b = blocks(w);

	/* Fisher and Yates; Durstenfeld, Algorithm 235, CACM 7(7), 1964. */
	for (size_t i = n; i > 1; i--) {
		size_t k = (uint64_t)w->random[i - 1] * i >> 32;
		block_t t = b[i - 1];

		b[i - 1] = b[k];
		b[k] = t;
	}
}

static void hot_pairs(struct bench_worker *w)
{
	for (unsigned s = 0; s < 200; s++) {
		uint64_t start = bench_ticks();

		for (size_t i = 0; i < w->batch; i++) {
			block_t b = take(w->order, w->owner);

			w->failed |= is_none(b);
			give(b, w->order, w->owner);
		}
		bench_sample(w, start, w->batch);
	}
}

static void hot(struct bench_worker *w)
{
	bench_meet(w);
	hot_pairs(w);
}

/* Every second block free, in places that chance chose. */
static void hot_half_full(struct bench_worker *w)
{
	size_t n = w->share - w->share / 16;

	fill(w, n);
	shuffle(w, n);
	bench_meet(w);
	for (size_t i = n / 2; i < n; i++)
		give(blocks(w)[i], w->order, w->owner);
	bench_meet(w);
	hot_pairs(w);
	bench_meet(w);
	empty(w, n / 2);
}

/* So often that some thousand operations come together; once to warm up. */
static unsigned rounds(const struct bench_worker *w)
{
	size_t n = 20000 / (w->share / 2) + 3;

	return (unsigned)n;
}

enum what { BULK_ALLOC, FREE_IN_ORDER, FREE_SHUFFLED };

static void bulk(struct bench_worker *w, enum what what)
{
	size_t n = w->share / 2;

	for (unsigned r = 0; r < rounds(w); r++) {
		bench_meet(w);
		uint64_t start = bench_ticks();
		fill(w, n);
		if (what == BULK_ALLOC && r > 0)
			bench_sample(w, start, n);
		if (what == FREE_SHUFFLED)
			shuffle(w, n);
		bench_meet(w);
		start = bench_ticks();
		empty(w, n);
		if (what != BULK_ALLOC && r > 0)
			bench_sample(w, start, n);
	}
}

static void bulk_alloc(struct bench_worker *w)    { bulk(w, BULK_ALLOC); }
static void free_in_order(struct bench_worker *w) { bulk(w, FREE_IN_ORDER); }
static void free_shuffled(struct bench_worker *w) { bulk(w, FREE_SHUFFLED); }

static void replace(struct bench_worker *w)
{
	size_t n = w->share * 9 / 10, at = 0;
	block_t *b = blocks(w);

	fill(w, n);
	shuffle(w, n);
	bench_meet(w);
	for (unsigned s = 0; s < 60; s++) {
		uint64_t start = bench_ticks();

		for (size_t i = 0; i < w->batch; i++) {
			size_t k = (uint64_t)w->random[at] * n >> 32;

			at = at + 1 < w->share ? at + 1 : 0;
			give(b[k], w->order, w->owner);
			b[k] = take(w->order, w->owner);
			w->failed |= is_none(b[k]);
		}
		bench_sample(w, start, w->batch);
	}
	bench_meet(w);
	empty(w, n);
}

/* --- one allocates, the other frees */

#define HANDOFF_STEP 32u	/* blocks between two looks at the other's progress */

static void send(struct bench_worker *w, uint64_t from, uint64_t to)
{
	struct bench_ring *ring = w->ring;

	/* Acquire: the places are read before they are written again. */
	while (to - atomic_load_explicit(&ring->tail, memory_order_acquire) > w->window)
		__builtin_ia32_pause();
	for (uint64_t i = from; i < to; i++) {
		union { block_t b; uint64_t u; } v = { .u = 0 };

		v.b = take(w->order, w->owner);
		w->failed |= is_none(v.b);
		ring->block[i % BENCH_RING] = v.u;
	}
	/* Release: pairs with the acquire in receive(). */
	atomic_store_explicit(&ring->head, to, memory_order_release);
}

static void receive(struct bench_worker *w, uint64_t from, uint64_t to)
{
	struct bench_ring *ring = w->ring;

	while (atomic_load_explicit(&ring->head, memory_order_acquire) < to)
		__builtin_ia32_pause();
	for (uint64_t i = from; i < to; i++) {
		union { block_t b; uint64_t u; } v = { .u = ring->block[i % BENCH_RING] };

		give(v.b, w->order, w->owner);
	}
	/* Release: pairs with the acquire in send(). */
	atomic_store_explicit(&ring->tail, to, memory_order_release);
}

static void handoff(struct bench_worker *w)
{
	size_t n = w->batch < w->share ? w->batch : w->share;
	uint64_t at = 0;

	n -= n % HANDOFF_STEP;
	bench_meet(w);
	for (unsigned s = 0; s < 100; s++) {
		uint64_t start = bench_ticks(), end = at + n;

		for (; at < end; at += HANDOFF_STEP)
			if (w->cpu % 2 == 0)
				send(w, at, at + HANDOFF_STEP);
			else
				receive(w, at, at + HANDOFF_STEP);
		bench_sample(w, start, n);
	}
	bench_meet(w);
}

/* --- batches of single pages */

#define BATCH 64u

static void batches(struct bench_worker *w)
{
	block_t b[BATCH];

	bench_meet(w);
	for (unsigned s = 0; s < 100; s++) {
		uint64_t start = bench_ticks();

		for (size_t i = 0; i < w->batch; i += BATCH) {
			w->failed |= batch_take(BATCH, b, w->owner) != BATCH;
			batch_give(BATCH, b, w->owner);
		}
		bench_sample(w, start, w->batch - w->batch % BATCH);
	}
}

/* In the order of bench_cases[]. */
static void (*const run[])(struct bench_worker *w) = {
	hot, hot_half_full, bulk_alloc, free_in_order, free_shuffled, replace, handoff, batches,
};

const struct bench_allocator BENCH_NAME = { BENCH_TITLE, run, drain };
