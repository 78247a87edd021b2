/* SPDX-License-Identifier: MIT */
/* Our formatting against the C library's, over random formats and values. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include <labyrinth/print.h>

#define SUITE "print_libc"

#define ROUNDS 100000

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

/* "%" flags width .precision length letter; *wide says which argument it takes. */
static void random_format(char *out, const char *letters, bool *wide)
{
	static const char *const length[] = { "hh", "h", "", "l", "ll", "z", "j", "t" };
	size_t which = test_random_below(8);
	char *p = out;

	*p++ = '%';
	for (const char *flag = "-0+ #"; *flag; flag++)
		if (test_random_below(3) == 0)
			*p++ = *flag;
	if (test_random_below(2))
		p += sprintf(p, "%d", (int)test_random_below(30));
	if (test_random_below(2))
		p += sprintf(p, ".%d", (int)test_random_below(30));
	p += sprintf(p, "%s", length[which]);
	*p++ = letters[test_random_below(strlen(letters))];
	*p = '\0';
	*wide = which >= 3;
}

/* Small, large and special values alike. */
static uint64_t random_value(void)
{
	uint64_t v = test_random() >> test_random_below(64);

	return test_random_below(4) ? v : -v;
}

static bool compare(const char *fmt, bool wide, uint64_t v)
{
	char ours[64], libc[64];
	size_t room = 1 + test_random_below(sizeof(ours));
	int a, b;

	if (wide) {
		a = ksnprintf(ours, room, fmt, v);
		b = snprintf(libc, room, fmt, v);
	} else {
		a = ksnprintf(ours, room, fmt, (unsigned)v);
		b = snprintf(libc, room, fmt, (unsigned)v);
	}
	if (a == b && strcmp(ours, libc) == 0)
		return true;
	test_note("%s of %#llx: \"%s\" (%d), libc \"%s\" (%d)", fmt, (unsigned long long)v,
		  ours, a, libc, b);
	return false;
}

TEST(random_integers)
{
	for (int i = 0; i < ROUNDS; i++) {
		char fmt[32];
		bool wide;

		random_format(fmt, "diuxXo", &wide);
		ASSERT(compare(fmt, wide, random_value()));
	}
}

TEST(random_strings)
{
	for (int i = 0; i < ROUNDS; i++) {
		char fmt[32], text[24], ours[64], libc[64];
		size_t n = test_random_below(sizeof(text));

		for (size_t k = 0; k < n; k++)
			text[k] = (char)('a' + test_random_below(26));
		text[n] = '\0';
		sprintf(fmt, "<%%%s%d.%ds>", test_random_below(2) ? "-" : "",
			(int)test_random_below(25), (int)test_random_below(25));
		int a = ksnprintf(ours, sizeof(ours), fmt, text);
		int b = snprintf(libc, sizeof(libc), fmt, text);
		ASSERT(a == b && strcmp(ours, libc) == 0);
	}
}
