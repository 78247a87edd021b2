/* SPDX-License-Identifier: MIT */
/* From text, a boot log or plain lines, to a memory map. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <labyrinth/memmap.h>

/* What happened while reading, for messages. */
struct parse_report {
	size_t line;		/* of the error, from 1; 0 when it is about the whole text */
	char error[200];	/* one sentence that says what to do */
	bool log;		/* the text is a boot log */
	size_t entries;		/* taken or dropped */
	size_t maps;		/* firmware maps in the log; the last one counts */
	size_t unknown_line;	/* first line with a type word that is not known; 0 if none */
	char unknown[32];	/* that word */
	size_t odd_end_line;	/* first plain line whose END looks inclusive; 0 if none */
};

/**
 * parse_map() - read a whole text into a map
 * @text: @len bytes, any bytes
 * @m:    filled; what it says is meaningless after an error
 *
 * A text with firmware lines ("BIOS-e820:") is a log, of which only those
 * count.  Any other text consists of START END TYPE lines, END exclusive.
 *
 * Return: true, or false with line and error set in @report.
 */
bool parse_map(const char *text, size_t len, struct memmap *m, struct parse_report *report);
