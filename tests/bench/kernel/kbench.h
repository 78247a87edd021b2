/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks in the kernel: what a call costs in guest instructions, as the time
 * stamp counter tells them under QEMU's -icount shift=0.  cases.h has the cases,
 * run.c runs them, tools/bench makes tables of what is printed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/page.h>

struct kbench_allocator {
	const char *name;
	void (*hot)(void);		/* one call, then its opposite, again and again */
	void (*batch)(void);
	void (*transfer)(void);
	void (*interrupt)(void);	/* hot, from an exception handler; may be NULL */
	void (*pool)(void);		/* may be NULL */
	void (*drain)(void *list, size_t bytes);
	void (*scarce)(void);
};
extern const struct kbench_allocator kbench_labyrinth, kbench_textbook;

/* --- taking samples */

/**
 * kbench_open()  - the samples that follow are of this case
 * @per: a sample is of so many pages
 * kbench_close() - print its line: allocator, case, order, n, min, p50, p99, p99.9, max
 *
 * A percentile is the smallest value that so many of the samples do not exceed,
 * exact up to 2048 instructions and within 1/1024 above.
 *
 * Context: one thread; as everything in this file.
 */
void kbench_open(const char *allocator, const char *name, unsigned order, unsigned per);
void kbench_close(void);

/* One sample, as measured: what the measurement itself costs is taken off here. */
void kbench_add(uint64_t ticks);

/* The smallest value that @of in 1000 samples since kbench_open() do not exceed. */
uint64_t kbench_percentile(unsigned of);

/* Measure the cost of measuring nothing, and then a hundred instructions; print both. */
void kbench_calibrate(void);

extern uint64_t kbench_began, kbench_samples, kbench_traced;

/* See trace.c: the sample about to begin is the one to be looked into. */
void kbench_trace_begin(void);
bool kbench_trace_end(void);		/* Return: was it? */

/*
 * What lies between the two is measured, the setting up of its arguments included:
 * no register survives the first.  Under -icount rdtsc needs no fences.
 */
static inline void kbench_start(void)
{
	if (__builtin_expect(kbench_samples++ == kbench_traced, 0))
		kbench_trace_begin();
	__asm__ volatile("rdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %%rax\n\tmovq %%rax, %0"
			 : "=m"(kbench_began)
			 : : "rax", "rdx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			     "memory", "cc");
}

static inline uint64_t kbench_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %%rax\n\tsubq %1, %%rax"
			 : "=&a"(ticks) : "m"(kbench_began) : "rdx", "memory", "cc");
	return ticks;
}

static inline void kbench_stop(void) { kbench_add(kbench_ticks()); }

/* --- memory */

#define KBENCH_BLOCKS 4096u

/* What kbench_take() has taken. */
struct kbench_taken {
	size_t n;
	frame_t block[KBENCH_BLOCKS];
	uint8_t order[KBENCH_BLOCKS];
};
extern struct kbench_taken kbench_big;	/* of the allocator that is measured */

/* Take blocks of order @most, then smaller ones down to @least, until none is left. */
void kbench_take(struct kbench_taken *t, unsigned most, unsigned least,
		 frame_t (*take)(unsigned order));

/* The textbook allocator gets all that Labyrinth has free.  Return: false if that is little. */
bool kbench_textbook_start(void);
void kbench_textbook_stop(void);

/* Interrupts: by an instruction, to oneself, from the timer. */
void kbench_interrupts(void);

/* Threads: switching, waking, creating and joining. */
void kbench_threads(void);

/* mm_init() once more, and how large its metadata is.  Nothing can be allocated afterwards. */
void kbench_boot(void);
