/* SPDX-License-Identifier: MIT */
/*
 * Making sure that no CPU remembers a mapping that is gone (I6).
 *
 * Processors keep what they read from page tables, and none of them looks again by
 * itself (Intel SDM vol. 3, 4.10.4).  So whoever takes a page away, moves it, or takes
 * rights from it, changes the tables, then flushes on all CPUs, and only then lets the
 * frame go.  A page mapped where nothing was needs no flush.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More ranges than this, or more pages, and all is flushed instead. */
#define TLB_RANGES 16u
#define TLB_PAGES  64u

/* What to flush; several changes cost one round of calls. */
struct tlb_batch {
	unsigned n;
	size_t pages;			/* in all ranges */
	bool all;
	struct { uintptr_t start; size_t pages; } range[TLB_RANGES];
};

/* Nothing to flush so far.  Context: any. */
void tlb_batch_begin(struct tlb_batch *b);

/* The pages of @size bytes at @start, whole or in part.  Context: any. */
void tlb_batch_add(struct tlb_batch *b, const void *start, size_t size);

/**
 * tlb_batch_flush() - flush on all CPUs; returns when the last has done so
 *
 * Before that, another CPU may still use the old mapping.  The batch is empty afterwards.
 *
 * Context: as cpu_call(): threads and interrupt handlers, interrupts masked or not, not NMI.
 * Panics:  when a CPU does not answer: nothing that it could still reach may be reused.
 */
void tlb_batch_flush(struct tlb_batch *b);

/* A batch of one range.  Context, Panics: as tlb_batch_flush(). */
void tlb_flush_range(const void *start, size_t size);
