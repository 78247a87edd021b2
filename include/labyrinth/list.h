/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists through the elements themselves, in a ring of which the list names
 * the first.  Whoever holds the list's lock may call; nothing here is atomic.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list_node { struct list_node *next, *prev; };	/* both NULL: in no list */
struct list { struct list_node *first; };		/* NULL: empty */

/* The structure of which @member is at @node. */
#define LIST_ENTRY(node, type, member) \
	((type *)(void *)((char *)(node) - offsetof(type, member)))

static inline bool list_empty(const struct list *l) { return !l->first; }
static inline bool list_linked(const struct list_node *n) { return n->next; }

/* Put @n in front of @at, which is in the list; @at NULL: at the end. */
static inline void list_insert(struct list *l, struct list_node *at, struct list_node *n)
{
	struct list_node *next = at ? at : l->first;

	if (!next) {
		n->next = n->prev = l->first = n;
		return;
	}
	n->next = next;
	n->prev = next->prev;
	next->prev->next = n;
	next->prev = n;
	if (at && at == l->first)
		l->first = n;
}

static inline void list_append(struct list *l, struct list_node *n) { list_insert(l, NULL, n); }

static inline void list_remove(struct list *l, struct list_node *n)
{
	if (n->next == n) {
		l->first = NULL;
	} else {
		n->next->prev = n->prev;
		n->prev->next = n->next;
		if (l->first == n)
			l->first = n->next;
	}
	n->next = n->prev = NULL;
}

/* The element behind @n, or NULL behind the last. */
static inline struct list_node *list_next(const struct list *l, const struct list_node *n)
{
	return n->next == l->first ? NULL : n->next;
}
