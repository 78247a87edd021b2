/* SPDX-License-Identifier: MIT */
/* Books that do not believe the allocator, and a clock that interrupts what cannot be masked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/page.h>

/* --- pit.c: NMIs from the PIT, through an IOAPIC */

/**
 * pit_start() - route the PIT's first channel to the running CPU as an NMI; nothing comes yet
 * Context: threads.
 * Return:  false when this machine has no such way.
 */
bool pit_start(void);

/* One NMI after @ticks, 1..65535, of 838 ns.  Context: any. */
void pit_shoot(unsigned ticks);

#define PIT_PATIENCE 500000000u	/* ns without a first NMI: there is no PIT for it */

/* None came: from now on pit_start() says so at once.  Context: threads. */
void pit_is_silent(void);

/* Masked, and quiet.  Context: threads. */
void pit_stop(void);

/* --- books.c: who holds which frame, and what he wrote there */

enum holder { NOBODY, THREAD, HANDLER };

struct storm_book {
	uint64_t allocs, frees, transfers;
	uint64_t spurious;		/* NULL although the books say that there is memory */
	uint64_t violations;		/* two holders, a changed content, a refused free */
	const char *first;		/* what the first violation was */
};
extern struct storm_book storm_book;

/* Room for all frames of this machine.  Context: threads.  Return: false without it. */
bool storm_book_open(void);
void storm_book_close(void);

/* A page for @who, written with a pattern; NULL is a spurious failure.  Context: any. */
void *storm_book_take(enum holder who, owner_t owner);

/* Check and free @page; by way of @via if that is somebody.  Context: any. */
void storm_book_give(enum holder who, void *page, owner_t owner, owner_t via);

/* --- test_storm.c */

/* The whole of it; with @steal the handler frees a page of the thread's now and then. */
void storm_run(bool steal);
