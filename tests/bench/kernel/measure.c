/* SPDX-License-Identifier: MIT */
/* Samples become a line of numbers: a histogram in fixed memory, without allocation. */
#include "kbench.h"

#include <labyrinth/print.h>
#include <labyrinth/string.h>

/* Values below EXACT have a bin each; each octave above has EXACT / 2. */
#define EXACT_LOG 11u
#define EXACT     (1u << EXACT_LOG)
#define OCTAVES   21u			/* up to 2^32 */
#define BINS      (EXACT + OCTAVES * EXACT / 2)

static uint32_t bin[BINS];
static uint64_t n, smallest, largest, largest_at;
static uint64_t overhead;
static struct { const char *allocator, *name; unsigned order, per; } now;

uint64_t kbench_began, kbench_samples, kbench_traced = UINT64_MAX;

static unsigned bin_of(uint64_t v)
{
	if (v < EXACT)
		return (unsigned)v;

	unsigned shift = 64u - EXACT_LOG - (unsigned)__builtin_clzll(v);
	if (shift > OCTAVES)
		return BINS - 1;
	return EXACT + (shift - 1) * (EXACT / 2) + (unsigned)(v >> shift) - EXACT / 2;
}

/* The least value of a bin. */
static uint64_t value_of(unsigned b)
{
	if (b < EXACT)
		return b;

	unsigned shift = (b - EXACT) / (EXACT / 2) + 1;
	return (uint64_t)((b - EXACT) % (EXACT / 2) + EXACT / 2) << shift;
}

void kbench_open(const char *allocator, const char *name, unsigned order, unsigned per)
{
	memset(bin, 0, sizeof bin);
	n = largest = largest_at = 0;
	smallest = UINT64_MAX;
	now.allocator = allocator;
	now.name = name;
	now.order = order;
	now.per = per;
}

void kbench_add(uint64_t ticks)
{
	if (kbench_trace_end())
		return;
	ticks -= overhead;
	bin[bin_of(ticks)]++;
	n++;
	if (ticks < smallest)
		smallest = ticks;
	if (ticks > largest) {
		largest = ticks;
		largest_at = kbench_samples - 1;
	}
}

uint64_t kbench_percentile(unsigned of)
{
	uint64_t wanted = (n * of + 999) / 1000, seen = 0;
	unsigned b = 0;

	while (b < BINS - 1 && (seen += bin[b]) < wanted)
		b++;
	return value_of(b) > smallest ? value_of(b) : smallest;
}

static unsigned long long percentile(unsigned of) { return kbench_percentile(of); }

void kbench_close(void)
{
	if (n == 0)
		return;
	kprintf("BENCH %s,%s,%u,%llu,%llu,%llu,%llu,%llu,%llu per=%u worst=%llu\n",
		now.allocator, now.name, now.order, (unsigned long long)n,
		(unsigned long long)smallest, percentile(500), percentile(990), percentile(999),
		(unsigned long long)largest, now.per, (unsigned long long)largest_at);
}

void kbench_calibrate(void)
{
	kbench_open("", "", 0, 1);
	for (unsigned i = 0; i < 1000; i++) {
		kbench_start();
		kbench_stop();
	}
	kprintf("BENCH-EMPTY %llu..%llu\n", (unsigned long long)smallest,
		(unsigned long long)largest);
	overhead = smallest;

	kbench_open("", "", 0, 1);
	for (unsigned i = 0; i < 1000; i++) {
		kbench_start();
		__asm__ volatile(".rept 100\n\tnop\n\t.endr");
		kbench_stop();
	}
	kprintf("BENCH-HUNDRED %llu..%llu\n", (unsigned long long)smallest,
		(unsigned long long)largest);
}
