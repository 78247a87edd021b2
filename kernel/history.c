/* SPDX-License-Identifier: MIT */
/* The last lines typed. */
#include "kernel/history.h"

#include <labyrinth/string.h>

size_t history_count(const struct history *h)
{
	return h->added < HISTORY_LINES ? h->added : HISTORY_LINES;
}

const char *history_get(const struct history *h, size_t back)
{
	if (back == 0 || back > history_count(h))
		return NULL;
	return h->lines[(h->added - back) % HISTORY_LINES];
}

void history_add(struct history *h, const char *line)
{
	const char *last = history_get(h, 1);
	size_t n = strnlen(line, LINE_SIZE - 1);

	if (n == 0 || (last && strcmp(last, line) == 0))
		return;
	char *place = h->lines[h->added % HISTORY_LINES];
	memcpy(place, line, n);
	place[n] = '\0';
	h->added++;
}
