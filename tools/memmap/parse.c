/* SPDX-License-Identifier: MIT */
/*
 * Reading memory maps.  Linux has printed the firmware's map in three forms:
 *
 *   BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)          end exclusive
 *   BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable    end inclusive
 *   BIOS-e820: [mem 0x...-0x...]  System RAM                         and [gap 0x...-0x...]
 */
#include "parse.h"
#include "words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <labyrinth/frame.h>

#define MAP_HEADER "BIOS-provided physical RAM map:"

/* Who says so, in a log: int 15h E820 and its two predecessors. */
static const char *const firmware[] = { "BIOS-e820:", "BIOS-e801:", "BIOS-88:" };

struct entry {
	uint64_t start, end;	/* end exclusive; 0 is the top unless @empty */
	bool empty;		/* or wrapping */
	enum mem_type type;
};

__attribute__((format(printf, 2, 3)))
static bool fail(struct parse_report *rep, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rep->error, sizeof(rep->error), fmt, ap);
	va_end(ap);
	return false;
}

/* The rest of a line for an error message: short, printable. */
static const char *quote(struct cursor c)
{
	static char text[41];
	size_t n = 0;

	skip_blank(&c);
	while (c.p < c.end && n < sizeof(text) - 1)
		text[n++] = *c.p++;
	for (size_t i = 0; i < n; i++) {
		if (!isprint((unsigned char)text[i]))
			text[i] = '?';
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}

static struct cursor one_word(struct cursor c)
{
	const char *p;

	skip_blank(&c);
	for (p = c.p; p < c.end && !isspace((unsigned char)*p); p++)
		;
	return (struct cursor){ c.p, p };
}

static bool number_error(struct parse_report *rep, enum number result, struct cursor at)
{
	const char *text = quote(one_word(at));

	switch (result) {
	case NUMBER_TOO_BIG:
		return fail(rep, "'%s' needs more than 64 bits; correct the number", text);
	case NUMBER_AMBIGUOUS:
		return fail(rep, "'%s' could be decimal or hexadecimal; write hexadecimal as 0x...",
			    text);
	default:
		return fail(rep, "expected a number, found '%s'; correct or remove the line", text);
	}
}

static bool parse_type(struct cursor *c, size_t line, struct entry *e, struct parse_report *rep)
{
	skip_blank(c);
	if (c->p == c->end)
		return fail(rep, "no type after the addresses; the line may be cut off");
	if (!take_type(c, &e->type)) {
		e->type = MEM_RESERVED;		/* nobody said that it is ours */
		if (rep->unknown_line == 0) {
			rep->unknown_line = line;
			snprintf(rep->unknown, sizeof(rep->unknown), "%s", quote(*c));
		}
	}
	return true;
}

static void set_exclusive(struct entry *e, uint64_t start, uint64_t end)
{
	*e = (struct entry){ .start = start, .end = end, .empty = end <= start };
}

/*
 * Linux prints the last byte as start + size - 1, so that an empty entry ends
 * one byte before it starts; one at 0 ends at the top, and [0, 0) is dropped too.
 */
static void set_inclusive(struct entry *e, uint64_t start, uint64_t last)
{
	*e = (struct entry){ .start = start, .end = last + 1, .empty = last < start };
}

static bool take_hex(struct cursor *c, uint64_t *v, struct parse_report *rep)
{
	struct cursor at = *c;
	enum number result = take_number(c, 16, v);

	return result == NUMBER_OK || number_error(rep, result, at);
}

static bool take_mark(struct cursor *c, const char *mark, struct parse_report *rep)
{
	skip_blank(c);
	return take_literal(c, mark) ||
	       fail(rep, "expected '%s', found '%s'; the line is damaged or cut off", mark,
		    quote(*c));
}

/* What stands after "BIOS-e820:". */
static bool parse_log_entry(struct cursor *c, struct entry *e, struct parse_report *rep)
{
	uint64_t start, end;
	bool brackets;

	skip_blank(c);
	brackets = take_literal(c, "[mem");
	if (!take_hex(c, &start, rep) || !take_mark(c, "-", rep) || !take_hex(c, &end, rep))
		return false;
	if (!brackets) {
		set_exclusive(e, start, end);
		return true;
	}
	set_inclusive(e, start, end);
	return take_mark(c, "]", rep);
}

static bool parse_plain_entry(struct cursor *c, size_t line, struct entry *e,
			      struct parse_report *rep)
{
	uint64_t number[2];

	for (int i = 0; i < 2; i++) {
		skip_blank(c);
		struct cursor at = *c;
		enum number result = take_number(c, 0, &number[i]);

		if (result == NUMBER_OK && c->p < c->end && !isspace((unsigned char)*c->p))
			result = NUMBER_NONE;
		if (result != NUMBER_OK)
			return number_error(rep, result, at);
	}
	set_exclusive(e, number[0], number[1]);
	if (rep->odd_end_line == 0 && number[1] % PAGE_SIZE == PAGE_SIZE - 1)
		rep->odd_end_line = line;
	return true;
}

static void take_entry(struct memmap *m, const struct entry *e, struct parse_report *rep)
{
	rep->entries++;
	if (e->empty)
		m->dropped++;
	else
		memmap_add(m, e->start, e->end, e->type);
}

/* Past the first of @words in @line, if any of them occurs. */
static bool find_after(struct cursor *line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		const char *at = memmem(line->p, (size_t)(line->end - line->p), words[i], len);

		if (at) {
			line->p = at + len;
			return true;
		}
	}
	return false;
}

static bool find_firmware(struct cursor *line)
{
	return find_after(line, firmware, sizeof(firmware) / sizeof(firmware[0]));
}

static bool is_log(struct cursor text)
{
	struct cursor line;

	while (next_line(&text, &line)) {
		if (find_firmware(&line))
			return true;
	}
	return false;
}

static bool log_line(struct cursor line, size_t number, struct memmap *m, bool *new_map,
		     struct parse_report *rep)
{
	static const char *const header[] = { MAP_HEADER };
	struct cursor after = line;
	struct entry e;

	if (!find_firmware(&line)) {
		if (find_after(&after, header, 1))
			*new_map = true;
		return true;
	}
	after = line;
	skip_blank(&after);
	if (take_literal(&after, "[gap"))
		return true;
	if (!parse_log_entry(&line, &e, rep) || !parse_type(&line, number, &e, rep))
		return false;
	if (*new_map || rep->maps == 0) {	/* a log of several boots: the last one counts */
		memmap_init(m);
		rep->entries = 0;
		rep->maps++;
		*new_map = false;
	}
	take_entry(m, &e, rep);
	return true;
}

/* Nothing more may follow a range that will be handed out: two lines may have run together. */
static bool parse_end(struct cursor *c, struct parse_report *rep)
{
	take_literal(c, ")");
	skip_blank(c);
	if (c->p < c->end && isalnum((unsigned char)*c->p))
		return fail(rep, "expected the line's end after the type, found '%s'; "
			    "# starts a comment", quote(*c));
	return true;
}

static bool plain_line(struct cursor line, size_t number, struct memmap *m,
		       struct parse_report *rep)
{
	struct entry e;

	skip_blank(&line);
	if (line.p == line.end || *line.p == '#')
		return true;
	if (!parse_plain_entry(&line, number, &e, rep) || !parse_type(&line, number, &e, rep))
		return false;
	if (e.type == MEM_USABLE && !parse_end(&line, rep))
		return false;
	take_entry(m, &e, rep);
	return true;
}

bool parse_map(const char *text, size_t len, struct memmap *m, struct parse_report *rep)
{
	struct cursor rest = { text, text + len }, line;
	bool new_map = false;

	memmap_init(m);
	*rep = (struct parse_report){ .log = is_log(rest) };
	for (size_t number = 1; next_line(&rest, &line); number++) {
		bool good = rep->log ? log_line(line, number, m, &new_map, rep)
				     : plain_line(line, number, m, rep);

		if (!good) {
			rep->line = number;
			return false;
		}
	}
	return rep->entries > 0 || fail(rep, "no memory map in it");
}
