/* SPDX-License-Identifier: MIT */
/* Formatting, against what C17 section 7.21.6.1 says, written out by hand. */
#include "tests/test.h"

#include <labyrinth/print.h>

#define SUITE "print"

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void check(int line, const char *want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void check(int line, const char *want, const char *fmt, ...)
{
	char got[128];
	va_list ap;

	va_start(ap, fmt);
	int n = kvsnprintf(got, sizeof(got), fmt, ap);
	va_end(ap);
	int len = 0;
	while (want[len])
		len++;
	if (n != len || !same(got, want)) {
		test_note("\"%s\" gave \"%s\" (%d), not \"%s\"", fmt, got, n, want);
		test_fail(__FILE__, line, "formatted text differs");
	}
}

#define CHECK(want, ...) check(__LINE__, want, __VA_ARGS__)

/* The compiler warns of what it finds pointless; here each is the point. */
#pragma GCC diagnostic ignored "-Wformat"
#ifdef __clang__
#pragma clang diagnostic ignored "-Wformat-invalid-specifier"
#endif

TEST(integers)
{
	CHECK("0 1 -1", "%d %i %d", 0, 1, -1);
	CHECK("2147483647 -2147483648", "%d %d", INT32_MAX, INT32_MIN);
	CHECK("-9223372036854775808", "%ld", INT64_MIN);
	CHECK("18446744073709551615", "%lu", UINT64_MAX);
	CHECK("ffffffffffffffff DEADBEEF", "%lx %X", UINT64_MAX, 0xdeadbeefu);
	CHECK("1777777777777777777777", "%lo", UINT64_MAX);
	CHECK("4294967295", "%u", UINT32_MAX);
}

TEST(lengths)
{
	CHECK("-1 255", "%hhd %hhu", -1, 255);
	CHECK("-1 1", "%hhd %hhu", 255, 257);
	CHECK("-1 65535", "%hd %hu", 65535, -1);
	CHECK("1 2 3 4 5", "%ld %lld %zd %td %jd", 1L, 2LL, (size_t)3, (ptrdiff_t)4, (intmax_t)5);
	CHECK("100000000 100000000", "%zx %llx", (size_t)1 << 32, 1ULL << 32);
}

TEST(flags_and_width)
{
	CHECK("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
	CHECK("[+42][ 42][+0042][ -42]", "[%+d][% d][%+05d][%4d]", 42, 42, 42, -42);
	CHECK("[-0042][42   ]", "[%05d][%-05d]", -42, 42);
	CHECK("0x2a 0X2A 052 0 0", "%#x %#X %#o %#x %#o", 42, 42, 42, 0, 0);
	CHECK("[0x00002a][  0x2a][0x2a  ]", "[%#08x][%#6x][%-#6x]", 42, 42, 42);
	CHECK("[   42][42   ]", "[%*d][%*d]", 5, 42, -5, 42);
}

TEST(precision)
{
	CHECK("[00042][  042][042  ]", "[%.5d][%5.3d][%-5.3d]", 42, 42, 42);
	CHECK("[  042]", "[%05.3d]", 42);
	CHECK("[][0][ ]", "[%.0d][%#.0o][%1.0x]", 0, 0, 0);
	CHECK("[abc][ab][  ab][]", "[%.5s][%.2s][%4.2s][%.0s]", "abc", "abc", "abc", "abc");
	CHECK("[42][abc]", "[%.*d][%.*s]", -1, 42, -1, "abc");
	CHECK("0x00ff", "%#.4x", 255);
}

TEST(strings_and_characters)
{
	static const char open[3] = { 'a', 'b', 'c' };	/* no terminator */
	const char *volatile nothing = NULL;		/* or gcc would warn, rightly */

	CHECK("abc", "%.3s", open);
	CHECK("[  abc][abc  ]", "[%5s][%-5s]", "abc", "abc");
	CHECK("(null)", "%s", nothing);
	CHECK("[x][  x][x  ]", "[%c][%3c][%-3c]", 'x', 'x', 'x');
	CHECK("100%", "%d%%", 100);
	CHECK("0x0 0xffffffff80000000", "%p %p", NULL, (void *)0xffffffff80000000u);
	CHECK("[    0x1000]", "[%10p]", (void *)0x1000);
}

TEST(what_is_not_ours_is_shown_as_it_stands)
{
	CHECK("%f|%y|%-5q", "%f|%y|%-5q");
	CHECK("%", "%");
	CHECK("50%-", "50%-");
}

TEST(too_little_room)
{
	char buf[8] = "#######";

	EXPECT_EQ(ksnprintf(buf, 4, "%s", "abcdef"), 6);
	EXPECT(same(buf, "abc"));
	EXPECT_EQ(buf[4], '#');
	EXPECT_EQ(ksnprintf(buf, 1, "%d", 123), 3);
	EXPECT_EQ(buf[0], '\0');
	buf[0] = '!';
	EXPECT_EQ(ksnprintf(buf, 0, "%d", 123), 3);
	EXPECT_EQ(buf[0], '!');
	EXPECT_EQ(ksnprintf(NULL, 0, "%5d", 1), 5);
}

TEST(absurd_widths_do_not_wrap)
{
	char buf[4];

	EXPECT_EQ(ksnprintf(buf, sizeof(buf), "%.99999999999s", "ab"), 2);
	EXPECT(same(buf, "ab"));
	EXPECT(ksnprintf(buf, sizeof(buf), "%99999d", 1) == 99999);
	EXPECT(same(buf, "   "));
}
