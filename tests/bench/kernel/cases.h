/* SPDX-License-Identifier: MIT */
/*
 * The cases, for the allocator that the including file describes, so that the
 * calls are direct and their orders known to the compiler:
 *
 *   KBENCH, TITLE            the object to define, and its name
 *   block_t, is_none(b)      what names a block; whether there is none
 *   take(order, owner), give(b, order, owner)
 *   batch_take(n, b, owner), batch_give(n, b, owner), pass(b, from, to)
 *   frame_of(b), block_at(frame), register_owner(), zone_now(zone, stats)
 *   INTERRUPT, POOL          cases of its own, or NULL
 */
#include "kbench.h"

#include <arch/trap.h>
#include <labyrinth/print.h>

#define CALLS 2000u
#define WARM  200u			/* calls that come before those measured */
#define BATCH 64u

#define EACH_ORDER static inline __attribute__((always_inline))

static owner_t me, other;

static void owners(void)
{
	if (me.id == 0) {
		me = register_owner();
		other = register_owner();
	}
}

/* --- one call after its opposite; each returns whether there was a block */

EACH_ORDER bool one_alloc(unsigned order)
{
	const owner_t owner = me;

	kbench_start();
	block_t b = take(order, owner);
	kbench_stop();
	if (is_none(b))
		return false;
	give(b, order, owner);
	return true;
}

EACH_ORDER bool one_free(unsigned order)
{
	const owner_t owner = me;
	block_t b = take(order, owner);

	if (is_none(b))
		return false;
	kbench_start();
	give(b, order, owner);
	kbench_stop();
	return true;
}

EACH_ORDER bool one_pair(unsigned order)
{
	const owner_t owner = me;

	kbench_start();
	block_t b = take(order, owner);
	give(b, order, owner);
	kbench_stop();
	return true;
}

EACH_ORDER void repeat(const char *name, unsigned order, bool (*one)(unsigned order))
{
	for (unsigned i = 0; i < WARM; i++) {
		block_t b = take(order, me);

		if (is_none(b))
			return;
		give(b, order, me);
	}
	kbench_open(TITLE, name, order, 1);
	for (unsigned i = 0; i < CALLS && one(order); i++)
		continue;
	kbench_close();
}

EACH_ORDER void hot_order(unsigned order)
{
	repeat("alloc", order, one_alloc);
	repeat("free", order, one_free);
	repeat("pair", order, one_pair);
}

static void hot(void)
{
	owners();
	hot_order(0);
	hot_order(3);
	hot_order(6);
	hot_order(9);
	hot_order(18);
}

/* --- batches of single pages */

static bool one_batch(bool measure_alloc, bool measure_free)
{
	static block_t b[BATCH];
	const owner_t owner = me;

	if (measure_alloc)
		kbench_start();
	size_t n = batch_take(BATCH, b, owner);
	if (measure_alloc && !measure_free)
		kbench_stop();
	if (!measure_alloc && measure_free)
		kbench_start();
	batch_give(n, b, owner);
	if (measure_free)
		kbench_stop();
	return n == BATCH;
}

static void batches(const char *name, bool measure_alloc, bool measure_free)
{
	for (unsigned i = 0; i < WARM; i++)
		one_batch(false, false);
	kbench_open(TITLE, name, 0, BATCH);
	for (unsigned i = 0; i < CALLS && one_batch(measure_alloc, measure_free); i++)
		continue;
	kbench_close();
}

static void batch(void)
{
	owners();
	batches("batch64_alloc", true, false);
	batches("batch64_free", false, true);
	batches("batch64_pair", true, true);
}

/* --- from hand to hand */

static void transfer(void)
{
	owners();
	block_t b = take(0, me);

	if (is_none(b))
		return;
	kbench_open(TITLE, "transfer", 0, 1);
	for (unsigned i = 0; i < CALLS; i++) {
		owner_t from = i % 2 ? other : me, to = i % 2 ? me : other;

		kbench_start();
		pass(b, from, to);
		kbench_stop();
	}
	kbench_close();
	give(b, 0, me);
}

/* --- every alloc until nothing is left, every free until all is back */

static size_t fill(block_t list[], size_t max)
{
	const owner_t owner = me;
	size_t n = 0;

	while (n < max) {
		kbench_start();
		list[n] = take(0, owner);
		kbench_stop();
		if (is_none(list[n]))
			break;
		n++;
	}
	return n;
}

static void empty(const block_t list[], size_t n, const char *name)
{
	const owner_t owner = me;

	kbench_open(TITLE, name, 0, 1);
	for (size_t i = 0; i < n; i++) {
		kbench_start();
		give(list[i], 0, owner);
		kbench_stop();
	}
	kbench_close();
}

static void shuffle(block_t list[], size_t n)
{
	uint64_t x = 88172645463325252u;	/* Marsaglia's xorshift64, JSS 8(14), 2003 */

	for (size_t i = n; i > 1; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		size_t k = x % i;
		block_t t = list[i - 1];

		list[i - 1] = list[k];
		list[k] = t;
	}
}

static size_t frames_free(void)
{
	struct zone_stats s;
	size_t n = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_now(z, &s);
		n += s.free;
	}
	return n;
}

static void drain(void *list, size_t bytes)
{
	size_t n = frames_free(), room = bytes / sizeof(block_t);

	owners();
	if (n > room)
		n = room;
	/* The first time, memory wakes; a call that fails is a case of its own, in scarce(). */
	kbench_open(TITLE, "drain_alloc", 0, 1);
	n = fill(list, n);
	kbench_close();
	empty(list, n, "free_in_order");

	kbench_open(TITLE, "drain_again", 0, 1);
	n = fill(list, n);
	kbench_close();
	shuffle(list, n);
	empty(list, n, "free_shuffled");
}

/* --- next to nothing left: the last frames, and none */

#define LAST 64u

static block_t small[KBENCH_BLOCKS];

/* A sample, if it does not fail. */
static frame_t take_frame(unsigned order)
{
	const owner_t owner = me;

	kbench_start();
	block_t b = take(order, owner);
	uint64_t ticks = kbench_ticks();
	if (is_none(b)) {
		kbench_trace_end();
		return FRAME_NONE;
	}
	kbench_add(ticks);
	return frame_of(b);
}

static size_t count_small(void)
{
	size_t n = 0;

	while (n < KBENCH_BLOCKS && !is_none(small[n] = take(0, me)))
		n++;
	return n;
}

static void give_small(size_t from, size_t to)
{
	while (to-- > from)
		give(small[to], 0, me);
}

static void give_big(size_t n)
{
	while (n-- > 0 && kbench_big.n > 0) {
		kbench_big.n--;
		give(block_at(kbench_big.block[kbench_big.n]), kbench_big.order[kbench_big.n], me);
	}
}

/*
 * All blocks down to order 9 are taken, largest first, out of memory of which
 * most was never touched; one is given back, and all single frames are taken;
 * then the last 64 of these are given back and taken again, measured.
 */
static void scarce(void)
{
	owners();
	const owner_t owner = me;
	kbench_open(TITLE, "drain_alloc", ORDER_MAX, 1);
	kbench_take(&kbench_big, ORDER_MAX, ORDER_MAX, take_frame);
	kbench_close();
	kbench_take(&kbench_big, ORDER_MAX - 1, 9, take_frame);
	const bool room = kbench_big.n < KBENCH_BLOCKS;
	give_big(1);
	size_t m = count_small();
	if (m >= LAST) {
		give_small(m - LAST, m);
		kbench_open(TITLE, "last64_alloc", 0, 1);
		for (size_t i = m - LAST; i < m; i++) {
			kbench_start();
			small[i] = take(0, owner);
			kbench_stop();
		}
		kbench_close();
	}
	/* What the lists had no room for is still free: nothing fails. */
	if (!room || m == KBENCH_BLOCKS)
		kprintf("BENCH-NOTE %s.failing_alloc: not all memory is taken\n", TITLE);
	kbench_open(TITLE, "failing_alloc", 0, 1);
	for (unsigned i = 0; i < CALLS; i++) {
		kbench_start();
		take(0, owner);
		kbench_stop();
	}
	kbench_close();
	give_small(0, m);
	give_big(kbench_big.n);
}

const struct kbench_allocator KBENCH = {
	TITLE, hot, batch, transfer, INTERRUPT, POOL, drain, scarce,
};
