/* SPDX-License-Identifier: MIT */
/*
 * The text terminal behind every screen.  Cells are kept in RAM and only those
 * that differ from what is shown are painted: screens are slow to write, and
 * slower still to read.
 */
#include "kernel/term.h"

#include <stdatomic.h>

#define TAB 8u
#define INK 7				/* white on black until told otherwise */
#define PAPER 0
#define BRIGHT 8
#define REPLACEMENT 0xfffdu		/* for what is not UTF-8 */
#define ESC 0x1b

enum parsing {
	PLAIN,
	AFTER_ESC,
	IN_CSI,				/* ESC [ ... final byte */
	IN_STRING,			/* ESC ] and the like, up to BEL or ESC \ */
};

static cell_t *cell_at(struct term *t, const struct term_state *s, unsigned row, unsigned col)
{
	return &t->cells[(s->top + row) % t->rows][col];
}

/* The column a cursor beyond the last one is seen in. */
static unsigned visible_col(const struct term *t, const struct term_state *s)
{
	return s->col < t->cols ? s->col : t->cols - 1;
}

static void erase(struct term *t, const struct term_state *s, unsigned row,
		  unsigned from, unsigned to)
{
	for (unsigned col = from; col < to; col++)
		*cell_at(t, s, row, col) = cell_make(' ', INK, PAPER);
	t->dirty[row] = true;
}

static void line_feed(struct term *t, struct term_state *s)
{
	if (s->row + 1u < t->rows) {
		s->row++;
		return;
	}
	s->top = (uint16_t)((s->top + t->jump) % t->rows);
	s->row = (uint16_t)(t->rows - t->jump);
	for (unsigned row = 0; row < t->rows; row++)
		t->dirty[row] = true;
	for (unsigned row = s->row; row < t->rows; row++)
		erase(t, s, row, 0, t->cols);
}

static void put_code(struct term *t, struct term_state *s, uint32_t code)
{
	unsigned ink = s->bold && s->ink < BRIGHT ? s->ink + BRIGHT : s->ink;

	if (s->col >= t->cols) {
		s->col = 0;
		line_feed(t, s);
	}
	*cell_at(t, s, s->row, s->col) = s->inverse ? cell_make(code, s->paper, ink)
						    : cell_make(code, ink, s->paper);
	t->dirty[s->row] = true;
	s->col++;
}

static void control(struct term *t, struct term_state *s, unsigned char c)
{
	switch (c) {
	case '\n':
		s->col = 0;
		line_feed(t, s);
		break;
	case '\r':
		s->col = 0;
		break;
	case '\b':
		s->col = (uint16_t)visible_col(t, s);
		if (s->col > 0)
			s->col--;
		break;
	case '\t':
		s->col = (uint16_t)((s->col / TAB + 1) * TAB);
		if (s->col >= t->cols)
			s->col = (uint16_t)(t->cols - 1);
		break;
	case ESC:
		s->parsing = AFTER_ESC;
		break;
	default:
		break;
	}
}

/* Parameter @i of a sequence, or @otherwise when it was left out or zero. */
static unsigned param(const struct term_state *s, unsigned i, unsigned otherwise)
{
	return i < s->nparams && s->params[i] ? s->params[i] : otherwise;
}

static void move(const struct term *t, struct term_state *s, char final)
{
	unsigned n = param(s, 0, 1), row = s->row, col = visible_col(t, s);

	switch (final) {
	case 'A': row = row > n ? row - n : 0; break;
	case 'B': row += n; break;
	case 'C': col += n; break;
	case 'D': col = col > n ? col - n : 0; break;
	default:  row = n - 1, col = param(s, 1, 1) - 1; break;
	}
	s->row = (uint16_t)(row < t->rows ? row : t->rows - 1);
	s->col = (uint16_t)(col < t->cols ? col : t->cols - 1);
}

/* K erases within the line, J also the lines after (0), before (1), or all (2). */
static void erase_some(struct term *t, const struct term_state *s, bool display)
{
	unsigned what = param(s, 0, 0), here = visible_col(t, s);

	if (what > 2)
		return;
	erase(t, s, s->row, what == 0 ? here : 0, what == 1 ? here + 1 : t->cols);
	for (unsigned row = 0; display && row < t->rows; row++)
		if ((row < s->row && what > 0) || (row > s->row && what != 1))
			erase(t, s, row, 0, t->cols);
}

static void set_colour(struct term_state *s, unsigned p)
{
	switch (p) {
	case 0:
		s->ink = INK;
		s->paper = PAPER;
		s->bold = s->inverse = false;
		break;
	case 1:  s->bold = true; break;
	case 22: s->bold = false; break;
	case 7:  s->inverse = true; break;
	case 27: s->inverse = false; break;
	case 39: s->ink = INK; break;
	case 49: s->paper = PAPER; break;
	default:
		if (p - 30 < 8)
			s->ink = (uint8_t)(p - 30);
		else if (p - 90 < 8)
			s->ink = (uint8_t)(p - 90 + BRIGHT);
		else if (p - 40 < 8)
			s->paper = (uint8_t)(p - 40);
		else if (p - 100 < 8)
			s->paper = (uint8_t)(p - 100 + BRIGHT);
		break;
	}
}

static void csi_end(struct term *t, struct term_state *s, char final)
{
	s->parsing = PLAIN;
	if (s->private)
		return;
	switch (final) {
	case 'A': case 'B': case 'C': case 'D': case 'H':
		move(t, s, final);
		break;
	case 'J': case 'K':
		erase_some(t, s, final == 'J');
		break;
	case 'm':
		for (unsigned i = 0; i < s->nparams; i++)
			set_colour(s, s->params[i]);
		break;
	default:
		break;
	}
}

/* ECMA-48, 5.4: parameters 30-3F, intermediates 20-2F, one final byte 40-7E. */
static void csi(struct term *t, struct term_state *s, unsigned char c)
{
	unsigned last = s->nparams - 1u;

	if (c >= '0' && c <= '9' && last < TERM_PARAMS_MAX) {
		/* Numbers past any screen's size need not be told apart. */
		if (s->params[last] < 1000)
			s->params[last] = (uint16_t)(s->params[last] * 10 + (c - '0'));
	} else if (c == ';' && s->nparams < TERM_PARAMS_MAX) {
		s->params[s->nparams++] = 0;
	} else if (c >= 0x40 && c <= 0x7e) {
		csi_end(t, s, (char)c);
	} else {
		s->private = true;
	}
}

static void after_esc(struct term_state *s, unsigned char c)
{
	s->parsing = PLAIN;
	if (c == '[') {
		s->parsing = IN_CSI;
		s->private = false;
		s->nparams = 1;
		s->params[0] = 0;
	} else if (c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X') {
		s->parsing = IN_STRING;
	} else if (c >= 0x20 && c < 0x30) {
		s->parsing = AFTER_ESC;
	}
}

/* Unicode 15, table 3-6.  Overlong forms and surrogates merely look wrong: no harm here. */
static void utf8(struct term *t, struct term_state *s, unsigned char c)
{
	if (c >= 0x80 && c < 0xc0 && s->utf8_left) {
		s->utf8 = (s->utf8 << 6 | (c & 0x3f)) & 0x1fffff;
		if (--s->utf8_left == 0)
			put_code(t, s, s->utf8);
		return;
	}
	if (s->utf8_left)
		put_code(t, s, REPLACEMENT);
	s->utf8_left = 0;
	if (c < 0x80) {
		put_code(t, s, c);
	} else if (c < 0xc2 || c > 0xf4) {
		put_code(t, s, REPLACEMENT);
	} else {
		s->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		s->utf8 = c & (0x3fu >> s->utf8_left);
	}
}

static void feed(struct term *t, struct term_state *s, unsigned char c)
{
	if (c == ESC || (c < 0x20 && s->parsing != IN_STRING)) {
		control(t, s, c);
		return;
	}
	switch (s->parsing) {
	case AFTER_ESC:
		after_esc(s, c);
		break;
	case IN_CSI:
		csi(t, s, c);
		break;
	case IN_STRING:
		if (c == '\a')
			s->parsing = PLAIN;
		break;
	default:
		if (c != 0x7f)
			utf8(t, s, c);
		break;
	}
}

static void paint_row(struct term *t, const struct term_state *s, unsigned row)
{
	unsigned cursor = row == s->row ? visible_col(t, s) : t->cols;

	for (unsigned col = 0; col < t->cols; col++) {
		cell_t c = *cell_at(t, s, row, col) | (col == cursor ? CELL_CURSOR : 0);

		if (t->shown[row][col] == c)
			continue;
		t->shown[row][col] = c;
		t->paint(t->screen, row, col, c);
	}
}

static struct term_state load(const struct term *t)
{
	struct term_state s = t->state;

	/* From here on the compiler may not look at t->state in place of the copy. */
	atomic_signal_fence(memory_order_seq_cst);
	return s;
}

static void paint(struct term *t)
{
	struct term_state s = load(t);

	t->dirty[s.row] = true;
	for (unsigned row = 0; row < t->rows; row++) {
		if (!t->dirty[row])
			continue;
		/* First, so that a row changed while it is painted is painted again. */
		t->dirty[row] = false;
		atomic_signal_fence(memory_order_seq_cst);
		paint_row(t, &s, row);
	}
}

void term_write(struct term *t, const char *text, size_t n)
{
	t->dirty[load(t).row] = true;	/* the cursor leaves it */
	for (size_t i = 0; i < n; i++) {
		/* Byte by byte, so that whoever interrupts goes on where we are. */
		struct term_state s = load(t);

		feed(t, &s, (unsigned char)text[i]);
		atomic_signal_fence(memory_order_seq_cst);
		t->state = s;
	}
	paint(t);
}

void term_init(struct term *t, unsigned rows, unsigned cols, unsigned jump,
	       void (*paint_cell)(void *, unsigned, unsigned, cell_t), void *screen)
{
	t->rows = rows < TERM_ROWS_MAX ? rows : TERM_ROWS_MAX;
	t->cols = cols < TERM_COLS_MAX ? cols : TERM_COLS_MAX;
	t->jump = jump < 1 ? 1 : jump > t->rows ? t->rows : jump;
	t->paint = paint_cell;
	t->screen = screen;
	t->state = (struct term_state){ .ink = INK, .paper = PAPER };
	for (unsigned row = 0; row < t->rows; row++) {
		for (unsigned col = 0; col < t->cols; col++)
			t->shown[row][col] = UINT32_MAX;
		erase(t, &t->state, row, 0, t->cols);
	}
	paint(t);
}
