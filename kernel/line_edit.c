/* SPDX-License-Identifier: MIT */
/*
 * A line editor.  Every change ends in redraw(), which writes the visible part
 * of the line over the old one: simple, and right whatever happened before.
 */
#include "kernel/line_edit.h"

#include <labyrinth/print.h>
#include <labyrinth/string.h>

#define CTRL(letter) ((letter) & 0x1f)
#define ESC	     0x1b
#define DEL	     0x7f

enum reading {
	TEXT,
	AFTER_ESC,
	IN_CSI,				/* ESC [ ... final byte */
	IN_SS3,				/* ESC O and one more: keypad mode */
	IN_F_KEY,			/* ESC [ [ and one more: Linux console */
};

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t after(const struct line_edit *e, size_t at)
{
	if (at < e->len)
		at++;
	while (at < e->len && continues(e->text[at]))
		at++;
	return at;
}

static size_t before(const struct line_edit *e, size_t at)
{
	if (at > 0)
		at--;
	while (at > 0 && continues(e->text[at]))
		at--;
	return at;
}

static size_t word_before(const struct line_edit *e, size_t at)
{
	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

static size_t word_after(const struct line_edit *e, size_t at)
{
	while (at < e->len && e->text[at] == ' ')
		at++;
	while (at < e->len && e->text[at] != ' ')
		at++;
	return at;
}

/* Characters from byte @from up to byte @to: columns, as all are taken to be one wide. */
static size_t columns(const struct line_edit *e, size_t from, size_t to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += !continues(e->text[from]);
	return n;
}

static void say(const struct line_edit *e, const char *s)
{
	e->write(s, strlen(s));
}

/* Columns for the text; the last stays free, because terminals differ about it. */
static size_t room(const struct line_edit *e)
{
	return LINE_COLUMNS - 1 - e->prompt_cols;
}

/* Scroll as little as brings the cursor into view. */
static void scroll(struct line_edit *e)
{
	if (e->left > e->cursor)
		e->left = e->cursor;
	while (columns(e, e->left, e->cursor) > room(e))
		e->left = after(e, e->left);
	/* A shortened line must not leave room unused on the left. */
	while (e->left > 0 && columns(e, e->left, e->len) < room(e))
		e->left = before(e, e->left);
}

static void redraw(struct line_edit *e)
{
	char move[16];
	size_t end;

	scroll(e);
	for (end = e->left; end < e->len && columns(e, e->left, end) < room(e);)
		end = after(e, end);
	say(e, "\r");
	say(e, e->prompt);
	e->write(e->text + e->left, end - e->left);
	say(e, "\x1b[K");
	size_t too_far = columns(e, e->cursor, end);
	if (too_far > 0) {
		ksnprintf(move, sizeof(move), "\x1b[%zuD", too_far);
		say(e, move);
	}
}

static void insert(struct line_edit *e, const char *s, size_t n)
{
	bool simple = e->cursor == e->len &&
		      columns(e, e->left, e->len) < room(e) && n <= sizeof(e->utf8);

	if (n == 0 || e->len + n >= LINE_SIZE) {
		say(e, "\a");
		return;
	}
	memmove(e->text + e->cursor + n, e->text + e->cursor, e->len - e->cursor + 1);
	memcpy(e->text + e->cursor, s, n);
	e->len += n;
	e->cursor += n;
	/* At the end one character is all that changes. */
	if (simple && columns(e, e->cursor - n, e->cursor) == 1)
		e->write(s, n);
	else
		redraw(e);
}

static void erase(struct line_edit *e, size_t from, size_t to)
{
	if (from == to)
		return;
	memmove(e->text + from, e->text + to, e->len - to + 1);
	e->len -= to - from;
	e->cursor = from;
	redraw(e);
}

/* As erase(), and remember it for ctrl-Y. */
static void cut(struct line_edit *e, size_t from, size_t to)
{
	if (from == to)
		return;
	memcpy(e->cut, e->text + from, to - from);
	e->cut[to - from] = '\0';
	erase(e, from, to);
}

static void go(struct line_edit *e, size_t to)
{
	if (to == e->cursor)
		return;
	e->cursor = to;
	redraw(e);
}

static void show_history(struct line_edit *e, size_t back)
{
	const char *line = back ? history_get(&e->history, back) : e->draft;

	if (!line || back == e->back) {
		say(e, "\a");
		return;
	}
	if (e->back == 0)
		memcpy(e->draft, e->text, e->len + 1);
	e->back = back;
	e->len = e->cursor = strlen(line);
	memcpy(e->text, line, e->len + 1);
	redraw(e);
}

static bool starts_with(const char *word, const char *prefix, size_t n)
{
	return strncmp(word, prefix, n) == 0;
}

/* Of all words that begin with the first @n bytes typed: how far do they agree? */
static size_t agreement(const struct line_edit *e, size_t n, const char **first, size_t *matches)
{
	const char *word;
	size_t common = 0;

	*matches = 0;
	for (size_t i = 0; (word = e->word(i)); i++) {
		size_t k = 0;

		if (!starts_with(word, e->text, n))
			continue;
		if ((*matches)++ == 0) {
			*first = word;
			common = strlen(word);
		}
		while (k < common && word[k] == (*first)[k])
			k++;
		common = k;
	}
	return common;
}

static void list_matches(struct line_edit *e, size_t n)
{
	char column[24];
	const char *word;
	size_t listed = 0;

	for (size_t i = 0; (word = e->word(i)); i++) {
		if (!starts_with(word, e->text, n))
			continue;
		ksnprintf(column, sizeof(column), "%s%-12s", listed % 6 == 0 ? "\n" : "", word);
		say(e, column);
		listed++;
	}
	say(e, "\n");
	redraw(e);
}

static bool has_blank(const char *s, size_t n)
{
	while (n > 0)
		if (s[--n] == ' ')
			return true;
	return false;
}

static void complete(struct line_edit *e)
{
	size_t n = e->cursor, matches = 0, common;
	const char *first = "";

	if (!e->word || has_blank(e->text, n)) {
		say(e, "\a");
		return;
	}
	common = agreement(e, n, &first, &matches);
	if (matches == 0)
		say(e, "\a");
	else if (common > n)
		insert(e, first + n, common - n);
	else if (matches > 1)
		list_matches(e, n);
	if (matches == 1 && e->text[e->cursor] != ' ')
		insert(e, " ", 1);
}

static enum line_event finish(struct line_edit *e, enum line_event event, const char *mark)
{
	go(e, e->len);
	if (columns(e, e->left, e->len) + strlen(mark) <= room(e))
		say(e, mark);
	say(e, "\n");
	if (event == LINE_DONE)
		history_add(&e->history, e->text);
	return event;
}

static void clear_screen(struct line_edit *e)
{
	say(e, "\x1b[H\x1b[2J");
	redraw(e);
}

static enum line_event control(struct line_edit *e, char c)
{
	switch (c) {
	case '\r':
	case '\n':
		return finish(e, LINE_DONE, "");
	case CTRL('C'):
		return finish(e, LINE_CANCELLED, "^C");
	case CTRL('D'):
		if (e->len == 0)
			return finish(e, LINE_END, "");
		erase(e, e->cursor, after(e, e->cursor));
		break;
	case CTRL('A'): go(e, 0); break;
	case CTRL('E'): go(e, e->len); break;
	case CTRL('B'): go(e, before(e, e->cursor)); break;
	case CTRL('F'): go(e, after(e, e->cursor)); break;
	case CTRL('K'): cut(e, e->cursor, e->len); break;
	case CTRL('U'): cut(e, 0, e->cursor); break;
	case CTRL('W'): cut(e, word_before(e, e->cursor), e->cursor); break;
	case CTRL('Y'): insert(e, e->cut, strlen(e->cut)); break;
	case CTRL('P'): show_history(e, e->back + 1); break;
	case CTRL('N'): show_history(e, e->back ? e->back - 1 : 0); break;
	case CTRL('L'): clear_screen(e); break;
	case '\t':      complete(e); break;
	case '\b':
	case DEL:
		erase(e, before(e, e->cursor), e->cursor);
		break;
	default:
		break;
	}
	return LINE_GOES_ON;
}

/* A cursor key, by the letter that ends its sequence (xterm, VT100 and Linux agree). */
static void cursor_key(struct line_edit *e, char letter)
{
	switch (letter) {
	case 'A': show_history(e, e->back + 1); break;
	case 'B': show_history(e, e->back ? e->back - 1 : 0); break;
	case 'C': go(e, e->modified ? word_after(e, e->cursor) : after(e, e->cursor)); break;
	case 'D': go(e, e->modified ? word_before(e, e->cursor) : before(e, e->cursor)); break;
	case 'H': go(e, 0); break;
	case 'F': go(e, e->len); break;
	default:  break;
	}
}

/* A key of the six above the arrows, by its number. */
static void numbered_key(struct line_edit *e)
{
	switch (e->key) {
	case 1: case 7: go(e, 0); break;
	case 4: case 8: go(e, e->len); break;
	case 3:		erase(e, e->cursor, after(e, e->cursor)); break;
	default:	break;
	}
}

static void in_csi(struct line_edit *e, char c)
{
	if (c == '[' && e->key == 0) {
		e->reading = IN_F_KEY;
	} else if (c == ';') {
		e->modified = true;
	} else if (c >= '0' && c <= '9') {
		/* Numbers of two digits name keys we do not know: any large one will do. */
		if (!e->modified)
			e->key = e->key < 20 ? (uint8_t)(e->key * 10 + (c - '0')) : UINT8_MAX;
	} else if (c >= 0x40 && c <= 0x7e) {
		e->reading = TEXT;
		if (c == '~')
			numbered_key(e);
		else
			cursor_key(e, c);
	}
}

static void after_esc(struct line_edit *e, char c)
{
	e->reading = TEXT;
	e->key = 0;
	e->modified = false;
	switch (c) {
	case '[': e->reading = IN_CSI; break;
	case 'O': e->reading = IN_SS3; break;
	case 'b': go(e, word_before(e, e->cursor)); break;
	case 'f': go(e, word_after(e, e->cursor)); break;
	case 'd': cut(e, e->cursor, word_after(e, e->cursor)); break;
	case DEL: cut(e, word_before(e, e->cursor), e->cursor); break;
	default:  break;
	}
}

/* Bytes of a character are kept back until it is whole; what is not UTF-8 is dropped. */
static void text(struct line_edit *e, char c)
{
	unsigned char u = (unsigned char)c;

	if (u < 0x80) {
		e->utf8_need = 0;
		insert(e, &c, 1);
		return;
	}
	if (!continues(c)) {
		e->utf8_need = u < 0xc2 || u > 0xf4 ? 0 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
		e->utf8_have = 0;
	}
	if (e->utf8_need == 0)
		return;
	e->utf8[e->utf8_have++] = c;
	if (e->utf8_have == e->utf8_need) {
		e->utf8_need = 0;
		insert(e, e->utf8, e->utf8_have);
	}
}

enum line_event line_key(struct line_edit *e, char c)
{
	bool second_of_crlf = c == '\n' && e->after_cr;

	e->after_cr = c == '\r';
	if (second_of_crlf)
		return LINE_GOES_ON;
	if (c == ESC) {
		e->reading = AFTER_ESC;
		return LINE_GOES_ON;
	}
	if ((unsigned char)c < ' ' || (c == DEL && e->reading != AFTER_ESC)) {
		e->reading = TEXT;
		return control(e, c);
	}
	switch (e->reading) {
	case AFTER_ESC:
		after_esc(e, c);
		break;
	case IN_CSI:
		in_csi(e, c);
		break;
	case IN_SS3:
		e->reading = TEXT;
		cursor_key(e, c);
		break;
	case IN_F_KEY:
		e->reading = TEXT;
		break;
	default:
		text(e, c);
		break;
	}
	return LINE_GOES_ON;
}

void line_start(struct line_edit *e)
{
	e->text[0] = '\0';
	e->len = e->cursor = e->left = e->back = 0;
	e->reading = TEXT;
	e->utf8_need = 0;
	say(e, e->prompt);
}
