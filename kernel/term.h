/* SPDX-License-Identifier: MIT */
/*
 * A text terminal: bytes in, character cells out.
 *
 * Understands UTF-8, \b \r \n \t, and of the escape sequences of ECMA-48:
 * CSI A B C D (cursor), H (position), J K (erase), m (colour: 0 1 7 22 27 30-37
 * 39 40-47 49 90-97 100-107).  All others are swallowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERM_COLS_MAX   256u
#define TERM_ROWS_MAX   128u
#define TERM_PARAMS_MAX 8u

/* What stands in one place: bits 0-20 code point, 21-24 ink, 25-28 paper, 31 cursor. */
typedef uint32_t cell_t;

#define CELL_CURSOR ((cell_t)1 << 31)

static inline cell_t cell_make(uint32_t code, unsigned ink, unsigned paper)
{
	return code | ink << 21 | paper << 25;
}

static inline uint32_t cell_code(cell_t c) { return c & 0x1fffff; }

/* Colours 0-7 black red green yellow blue magenta cyan white, 8-15 the same, bright. */
static inline unsigned cell_ink(cell_t c)
{
	return c & CELL_CURSOR ? c >> 25 & 15 : c >> 21 & 15;
}

static inline unsigned cell_paper(cell_t c)
{
	return c & CELL_CURSOR ? c >> 21 & 15 : c >> 25 & 15;
}

/*
 * Changes with every byte.  Each field is in its bounds by itself, whatever the
 * others are: an NMI that prints in the middle of a copy may mix two states.
 */
struct term_state {
	uint16_t row;			/* < rows */
	uint16_t col;			/* <= cols; cols: the next character wraps */
	uint16_t top;			/* line of cells[] on the first row, < rows */
	uint8_t ink, paper;		/* < 16 */
	bool bold, inverse;
	uint8_t parsing;		/* enum parsing in term.c */
	bool private;			/* a sequence we know nothing of */
	uint8_t nparams;		/* <= TERM_PARAMS_MAX */
	uint16_t params[TERM_PARAMS_MAX];
	uint8_t utf8_left;		/* bytes to come */
	uint32_t utf8;			/* collected so far */
};

struct term {
	unsigned rows, cols;
	unsigned jump;			/* rows to scroll by; 1 <= jump <= rows */
	void (*paint)(void *screen, unsigned row, unsigned col, cell_t cell);
	void *screen;
	struct term_state state;
	bool dirty[TERM_ROWS_MAX];	/* rows on the screen that may have changed */
	cell_t cells[TERM_ROWS_MAX][TERM_COLS_MAX];	/* a ring of lines, see top */
	cell_t shown[TERM_ROWS_MAX][TERM_COLS_MAX];	/* by place on the screen */
};

/**
 * term_init() - an empty terminal
 * @rows, @cols: of the screen; what exceeds the maxima stays unused
 * @jump:        rows to scroll by when the last is full: where painting is dear, a
 *               few at a time cost as much as one
 * @paint:       draws one cell; called from term_write(), for changed cells only
 * @screen:      handed to @paint
 *
 * Context: one caller, before anyone else uses @t.
 */
void term_init(struct term *t, unsigned rows, unsigned cols, unsigned jump,
	       void (*paint)(void *, unsigned, unsigned, cell_t), void *screen);

/**
 * term_write() - text and escape sequences, then bring the screen up to date
 *
 * Context: any, itself included: characters may mix, nothing gets out of bounds.
 */
void term_write(struct term *t, const char *s, size_t n);
