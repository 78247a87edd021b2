/* SPDX-License-Identifier: MIT */
/* The small pieces that memory maps are written in. */
#include "words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ESCAPE '\x1b'
#define OLD_LOG_DIGITS 16	/* old logs print addresses with %016Lx */

bool next_line(struct cursor *text, struct cursor *line)
{
	if (text->p == text->end)
		return false;
	const char *nl = memchr(text->p, '\n', (size_t)(text->end - text->p));

	*line = (struct cursor){ text->p, nl ? nl : text->end };
	text->p = nl ? nl + 1 : text->end;
	return true;
}

/* ESC [ parameters letter (ECMA-48, section 5.4). */
static bool skip_escape(struct cursor *c)
{
	const char *p = c->p;

	if (c->end - p < 3 || p[0] != ESCAPE || p[1] != '[')
		return false;
	for (p += 2; p < c->end && !isalpha((unsigned char)*p); p++)
		;
	if (p == c->end)
		return false;
	c->p = p + 1;
	return true;
}

void skip_blank(struct cursor *c)
{
	while (c->p < c->end && (isspace((unsigned char)*c->p) || skip_escape(c))) {
		if (c->p < c->end && isspace((unsigned char)*c->p))
			c->p++;
	}
}

bool take_literal(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
		return false;
	c->p += len;
	return true;
}

static int digit_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return 16;
}

static enum number to_value(const char *digits, size_t n, unsigned base, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned)digit_value(digits[i]);

		if (digit >= base)
			return NUMBER_AMBIGUOUS;	/* a hexadecimal digit in decimal */
		if (*v > (UINT64_MAX - digit) / base)
			return NUMBER_TOO_BIG;
		*v = *v * base + digit;
	}
	return n > 0 ? NUMBER_OK : NUMBER_NONE;
}

enum number take_number(struct cursor *c, int base, uint64_t *v)
{
	skip_blank(c);
	bool prefix = take_literal(c, "0x") || take_literal(c, "0X");
	const char *digits = c->p;

	while (c->p < c->end && digit_value(*c->p) < 16)
		c->p++;
	size_t n = (size_t)(c->p - digits);

	if (prefix || base == 16 || n == OLD_LOG_DIGITS)
		return to_value(digits, n, 16, v);
	if (n > 1 && digits[0] == '0')
		return NUMBER_AMBIGUOUS;
	return to_value(digits, n, 10, v);
}

/* Past @word as a whole word, in any case of letters. */
static bool take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);
	const char *after = c->p + len;

	if ((size_t)(c->end - c->p) < len || strncasecmp(c->p, word, len) != 0)
		return false;
	if (after < c->end && (isalnum((unsigned char)*after) || *after == '_' || *after == '-'))
		return false;
	c->p = after;
	return true;
}

static bool take_type_number(struct cursor *c, enum mem_type *type)
{
	struct cursor at = *c;
	uint64_t v;

	if (take_number(&at, 0, &v) != NUMBER_OK)
		return false;
	if (at.p < at.end && isalnum((unsigned char)*at.p))
		return false;
	*type = v > UINT32_MAX ? MEM_RESERVED : mem_type_from_e820((uint32_t)v);
	*c = at;
	return true;
}

bool take_type(struct cursor *c, enum mem_type *type)
{
	static const struct {
		const char *word;
		enum mem_type type;
	} known[] = {
		{ "usable", MEM_USABLE },	{ "System RAM", MEM_USABLE },
		{ "reserved", MEM_RESERVED },	{ "device reserved", MEM_RESERVED },
		{ "soft reserved", MEM_RESERVED },
		{ "ACPI data", MEM_ACPI_RECLAIM }, { "ACPI NVS", MEM_ACPI_NVS },
		{ "unusable", MEM_BAD },	{ "persistent", MEM_RESERVED },
		{ "unsupported", MEM_RESERVED },
	};
	struct cursor at = *c;

	skip_blank(&at);
	take_literal(&at, "(");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (take_word(&at, known[i].word)) {
			*type = known[i].type;
			*c = at;
			return true;
		}
	}
	take_word(&at, "type");
	if (!take_type_number(&at, type))
		return false;
	*c = at;
	return true;
}
