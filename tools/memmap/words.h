/* SPDX-License-Identifier: MIT */
/* The small pieces that memory maps are written in: lines, numbers, types. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <labyrinth/memmap.h>

/* The text from p up to, not including, end. */
struct cursor {
	const char *p, *end;
};

enum number { NUMBER_OK, NUMBER_NONE, NUMBER_TOO_BIG, NUMBER_AMBIGUOUS };

/* Cut the next line, without its newline, off @text.  Return: false at the end. */
bool next_line(struct cursor *text, struct cursor *line);

/* Past blanks, carriage returns and the colour sequences that dmesg writes. */
void skip_blank(struct cursor *c);

/* Past @word if the text goes on with it, whatever follows. */
bool take_literal(struct cursor *c, const char *word);

/**
 * take_number() - past blanks and an unsigned number
 * @base: 16: hexadecimal, 0x may stand before it; 0: hexadecimal with 0x or with
 *        exactly 16 digits, decimal otherwise, and a leading zero is ambiguous
 */
enum number take_number(struct cursor *c, int base, uint64_t *v);

/* Past a memory type, a word of Linux or a number, in brackets or not.
 * Return: false, with nothing taken, when it is none. */
bool take_type(struct cursor *c, enum mem_type *type);
