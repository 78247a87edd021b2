/* SPDX-License-Identifier: MIT */
/* The command line is searched when asked: it is short, and nothing has to be stored. */
#include <labyrinth/cmdline.h>
#include <labyrinth/string.h>

/* The kernel's own. */
static const char *own = "";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char *cmdline_word(const char *s, const char **end)
{
	while (is_blank(*s))
		s++;
	if (!*s)
		return NULL;
	*end = s;
	while (**end && !is_blank(**end))
		(*end)++;
	return s;
}

/*
 * Some loaders pass the kernel's path first, others leave it out.  No option
 * begins like a path: "/boot/labyrinth.elf", "(cd0)/boot/labyrinth.elf".
 */
const char *cmdline_skip_path(const char *line)
{
	const char *end;
	const char *word = cmdline_word(line, &end);

	return word && (*word == '/' || *word == '(') ? end : line;
}

const char *cmdline_find(const char *line, const char *key, size_t *len)
{
	size_t n = strlen(key);
	const char *value = NULL, *end;

	/* the last one wins: that is how people override a line they cannot edit */
	for (const char *w = cmdline_word(line, &end); w; w = cmdline_word(end, &end)) {
		if ((size_t)(end - w) < n || strncmp(w, key, n) != 0)
			continue;
		if (w + n != end && w[n] != '=')
			continue;
		value = w + n == end ? end : w + n + 1;
		if (len)
			*len = (size_t)(end - value);
	}
	return value;
}

/* The value of a digit in @base, or -1. */
static int digit(char c, unsigned base)
{
	int v;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		v = (c | 0x20) - 'a' + 10;
	else
		return -1;
	return (unsigned)v < base ? v : -1;
}

/* Powers of 1024, as a shift; 0 for anything else. */
static unsigned suffix_shift(char c)
{
	switch (c | 0x20) {
	case 'k': return 10;
	case 'm': return 20;
	case 'g': return 30;
	case 't': return 40;
	default:  return 0;
	}
}

bool parse_u64(const char **s, const char *end, uint64_t *out)
{
	const char *p = *s;
	unsigned base = 10, shift;
	uint64_t v = 0;

	if (end - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
		base = 16;
		p += 2;
	}
	const char *first = p;

	for (int d; p < end && (d = digit(*p, base)) >= 0; p++) {
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (unsigned)d, &v))
			return false;
	}
	if (p == first)
		return false;
	shift = p < end ? suffix_shift(*p) : 0;
	if (shift) {
		if (v > UINT64_MAX >> shift)
			return false;
		v <<= shift;
		p++;
	}
	*s = p;
	*out = v;
	return true;
}

bool cmdline_find_u64(const char *line, const char *key, uint64_t *out)
{
	size_t len;
	const char *s = cmdline_find(line, key, &len);
	const char *end = s ? s + len : s;
	uint64_t v;

	if (!s || !parse_u64(&s, end, &v) || s != end)
		return false;
	*out = v;
	return true;
}

void cmdline_init(const char *line)
{
	own = cmdline_skip_path(line);
}

const char *cmdline_get(const char *key, size_t *len)
{
	return cmdline_find(own, key, len);
}

bool cmdline_u64(const char *key, uint64_t *out)
{
	return cmdline_find_u64(own, key, out);
}
