/* SPDX-License-Identifier: MIT */
/* Reading the live page tables: what is mapped, how, and whether the rules hold. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
	uint64_t virt, phys;		/* first byte of each */
	uint64_t size;			/* bytes */
	bool writable, executable, user;
	const char *cache;		/* "write-back", "uncached", "write-combining", ... */
};

/**
 * pagetable_lookup() - the page that maps @v
 *
 * Context: any.
 * Return:  false when nothing does; then *@out is unchanged.
 */
bool pagetable_lookup(const void *v, struct mapping *out);

/**
 * pagetable_walk() - visit everything that is mapped, in order of address
 * @visit: called for each run of pages that continue each other with equal rights
 *
 * Context: any, while nobody changes the tables.
 */
void pagetable_walk(void (*visit)(const struct mapping *m, void *arg), void *arg);

/**
 * pagetable_check_wx() - is any memory both writable and executable?
 * @report: called for each run that breaks the rule; may be NULL
 *
 * Looks at each mapping, and for each writable one whether its memory is
 * executable elsewhere, under another address.
 *
 * Context: any, while nobody changes the tables.
 * Return:  the number of runs that break the rule.
 */
size_t pagetable_check_wx(void (*report)(const struct mapping *m, const char *why));
