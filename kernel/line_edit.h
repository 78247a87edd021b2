/* SPDX-License-Identifier: MIT */
/*
 * Editing one line on a terminal: bytes from the keyboard in, bytes for the
 * terminal out, nothing else.
 *
 * Keys: arrows, Home, End, Delete, Backspace, Tab; ctrl-A -B -C -D -E -F -H -K
 * -L -N -P -U -W -Y; with ctrl or alt, left and right go by words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/history.h"

#define LINE_COLUMNS 80u		/* of the terminal: who has more does not mind */

enum line_event {
	LINE_GOES_ON,
	LINE_DONE,			/* Enter: the line is in .text */
	LINE_CANCELLED,			/* ctrl-C */
	LINE_END,			/* ctrl-D with nothing typed */
};

struct line_edit {
	/* Set by the caller. */
	void (*write)(const char *s, size_t n);
	const char *(*word)(size_t i);	/* what Tab may complete; NULL after the last */
	const char *prompt;		/* may contain colour sequences; none may be lost */
	unsigned prompt_cols;		/* how wide it looks */

	/* The line, and what was last cut from one. */
	char text[LINE_SIZE];
	size_t len, cursor;		/* bytes; never within a character */
	size_t left;			/* first byte on the screen: long lines scroll */
	char cut[LINE_SIZE];

	struct history history;
	size_t back;			/* line of the history shown; 0: the new one */
	char draft[LINE_SIZE];		/* the new one, while another is shown */

	/* Of the keyboard's input. */
	uint8_t reading;		/* enum reading in line_edit.c */
	uint8_t key;			/* first number of an escape sequence */
	bool modified;			/* it had a second one: ctrl, alt or shift */
	bool after_cr;			/* so that "\r\n" is one Enter */
	uint8_t utf8_have, utf8_need;
	char utf8[4];
};

/* Forget the line, show the prompt.  Context: one caller. */
void line_start(struct line_edit *e);

/**
 * line_key() - one byte from the keyboard
 *
 * After anything but LINE_GOES_ON the cursor is on a new line; line_start()
 * begins the next.
 *
 * Context: one caller.
 */
enum line_event line_key(struct line_edit *e, char byte);
