/* SPDX-License-Identifier: MIT */
/* The last lines typed, for going back to them. */
#pragma once

#include <stddef.h>

#define LINE_SIZE     256u		/* bytes of a line, with the terminator */
#define HISTORY_LINES 32u

/* Line number n since boot is in lines[n % HISTORY_LINES]; all zero is empty. */
struct history {
	size_t added;
	char lines[HISTORY_LINES][LINE_SIZE];
};

/* Keep @line, unless it is empty or the same as the last.  Context: one caller. */
void history_add(struct history *h, const char *line);

/* How many are kept. */
size_t history_count(const struct history *h);

/**
 * history_get() - a line typed earlier
 * @back: 1 for the last one, up to history_count()
 *
 * Return: the line, or NULL when there is none so far back.
 */
const char *history_get(const struct history *h, size_t back);
