/* SPDX-License-Identifier: MIT */
/* What the words of a command line mean: numbers and addresses. */
#include <labyrinth/cmdline.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/string.h>

#include "kernel/shell.h"

bool shell_number(const char *word, uint64_t *out)
{
	const char *end = word + strlen(word);
	uint64_t n;

	if (!parse_u64(&word, end, &n) || word != end)
		return false;
	*out = n;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to 16 digits, grouped by '_' or not, as addresses are often written. */
static bool hexadecimal(const char *s, uint64_t *out)
{
	uint64_t n = 0;
	unsigned digits = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (; *s; s++) {
		int d = hex_digit(*s);

		if (*s == '_' && digits > 0)
			continue;
		if (d < 0 || ++digits > 16)
			return false;
		n = n << 4 | (unsigned)d;
	}
	if (digits > 0)
		*out = n;
	return digits > 0;
}

/* "16M": decimal digits and one letter that is no hexadecimal digit. */
static bool scaled(const char *s, uint64_t *out)
{
	size_t n = strlen(s);

	return n > 1 && strchr("KMGTkmgt", s[n - 1]) && shell_number(s, out);
}

/* "name" or "name+10", the offset hexadecimal. */
static bool symbolic(const char *s, uint64_t *out)
{
	char name[64];
	const char *plus = strchr(s, '+');
	size_t n = plus ? (size_t)(plus - s) : strlen(s);
	uintptr_t start;
	uint64_t offset = 0;

	if (n >= sizeof(name) || (plus && !hexadecimal(plus + 1, &offset)))
		return false;
	memcpy(name, s, n);
	name[n] = '\0';
	if (!ksym_by_name(name, &start))
		return false;
	*out = start + offset;
	return true;
}

bool shell_address(const char *word, uint64_t *out)
{
	return scaled(word, out) || hexadecimal(word, out) || symbolic(word, out);
}
