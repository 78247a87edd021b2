/* SPDX-License-Identifier: MIT */
/* Where the reports of refused operations go: the console, or whoever asked for them. */
#include "report.h"

#include <stdarg.h>
#include <stdatomic.h>

#include <labyrinth/mm.h>
#include <labyrinth/print.h>

#define LINE_MAX 240u

#define HEADING "mm: refused: "
#define ROOM    (80u - sizeof HEADING)

/* Where the second line of a long one begins: behind the last pause that the first has room for. */
static size_t fold(const char *line)
{
	size_t at = 0, i;

	for (i = 0; line[i] && i < ROOM; i++)
		if ((line[i] == ':' || line[i] == ';') && line[i + 1] == ' ')
			at = i + 1;
	return line[i] && at ? at : LINE_MAX;
}

static void to_console(const char *line)
{
	size_t first = fold(line);

	kprintf(HEADING "%.*s\n", (int)first, line);
	if (first < LINE_MAX)
		kprintf("   %s\n", line + first);
}

static void (*_Atomic sink)(const char *line) = to_console;

void mm_report_to(void (*to)(const char *line))
{
	/* Relaxed: a report under way may still go where they went before. */
	atomic_store_explicit(&sink, to ? to : to_console, memory_order_relaxed);
}

void report_refusal(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	atomic_load_explicit(&sink, memory_order_relaxed)(line);
}
