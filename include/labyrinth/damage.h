/* SPDX-License-Identifier: MIT */
/*
 * Memory that the hardware reports as damaged, page by page: a free one is never handed
 * out again, a held one not after it has been freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <labyrinth/frame.h>
#include <labyrinth/owner.h>

/* What became of a damaged page. */
enum damage {
	DAMAGE_QUARANTINED,	/* it was free, or is in quarantine since an earlier report */
	DAMAGE_HELD,		/* somebody's: his block is marked, and he has been told */
	DAMAGE_WAITING,		/* free, but in a CPU's cache, asleep, promised, or on its way */
	DAMAGE_RESERVED,	/* the kernel's own, the firmware's, or no memory at all */
	DAMAGE_TOO_MANY,	/* there is no room to remember it: nothing has been done */
	DAMAGE_COUNT
};

const char *damage_name(enum damage d);		/* Context: any. */

#define DAMAGED_MAX 64u		/* pages held or waiting at one time; quarantine has room for all */

/**
 * page_damaged() - the hardware says that the memory of @f is not to be relied on
 *
 * A page inside a larger free block is taken out of it; the rest stays free. A held block
 * is marked: it can be freed, but not transferred or lent any more, and when it is
 * freed, the page goes into quarantine and the rest becomes free. A page that waits is
 * looked for again by page_damaged_retry(), when a damaged block is freed, and when memory
 * wakes; until then it may be handed out, and then somebody holds it.
 *
 * Context: any, machine check included; bounded, waits for nobody.
 */
enum damage page_damaged(frame_t f);

/**
 * page_damaged_retry() - look again for the pages that wait
 *
 * Whoever has drained the caches of all CPUs before finds all but those asleep, promised by
 * a contract, or in the hands of a traveller who is stopped.
 *
 * Context: any.
 * Return:  how many still wait.
 */
size_t page_damaged_retry(void);

/* @block, of 2^@order pages, holds the damaged @page. */
typedef void (*damage_fn)(owner_t owner, void *block, unsigned order, void *page);

/**
 * page_on_damage() - who is told of damage in @owner's pages
 * @fn: called from any context, machine check included; it may allocate, free and copy,
 *      but reading the damaged page may end in another machine check; NULL for nobody
 *
 * Forgotten when the owner is unregistered.
 *
 * Context: any.
 */
void page_on_damage(owner_t owner, damage_fn fn);

/**
 * page_pardon() - take a page out of quarantine: it has been found good after all
 * Context: any.
 * Return:  false when it was not there.
 */
bool page_pardon(frame_t f);
