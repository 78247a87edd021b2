/* SPDX-License-Identifier: MIT */
/* The order of those who wait: by priority, and among equals as they came.  Pure data. */
#pragma once

#include <labyrinth/list.h>

/* Put @n behind all whose priority is as high as its own. */
static inline void waitlist_add(struct list *l, struct list_node *n,
				unsigned (*priority)(const struct list_node *n))
{
	struct list_node *at = l->first ? l->first->prev : NULL, *behind = NULL;

	/* From the end, as most have the same priority. */
	while (at && priority(at) < priority(n)) {
		behind = at;
		at = at == l->first ? NULL : at->prev;
	}
	list_insert(l, behind, n);
}
