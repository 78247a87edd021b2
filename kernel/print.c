/* SPDX-License-Identifier: MIT */
/*
 * Formatted text, into memory or to the console, in both worlds.
 *
 * The conversions are those of C17 section 7.21.6.1, integers and strings only.
 * Nothing is kept between calls, so an NMI may print in the middle of a print.
 */
#include <labyrinth/print.h>

#include <stdbool.h>
#include <stdint.h>

#include <arch/console.h>

/* Room for 2^64 - 1 in octal, the longest. */
#define DIGITS_MAX 22

/* Most lines fit, so that they reach the console whole; small enough for any stack. */
#define CHUNK 256		/* what the console keeps together */

/* Where formatted text collects. */
struct out {
	char *buf;
	size_t size;			/* bytes of buf that may hold text */
	size_t used;
	size_t total;			/* characters produced, kept or not */
	bool console;			/* when full: hand over and start again; else drop */
};

enum length { LENGTH_CHAR, LENGTH_SHORT, LENGTH_INT, LENGTH_64 };

/* One conversion, between its '%' and its letter. */
struct spec {
	bool left, zero, plus, space, alt;
	int width;
	int precision;			/* -1: none given */
	enum length length;
};

/* A va_list as a parameter decays on some machines; inside a struct it does not. */
struct args {
	va_list ap;
};

/* l, ll, z, t and j are fetched as one type, because they are one size here. */
_Static_assert(sizeof(int) == 4 && sizeof(long) == 8 && sizeof(long long) == 8 &&
	       sizeof(size_t) == 8 && sizeof(ptrdiff_t) == 8 && sizeof(intmax_t) == 8,
	       "print: not an LP64 machine");

static void put(struct out *o, char c)
{
	o->total++;
	if (o->used == o->size) {
		if (!o->console)
			return;
		console_write(o->buf, o->used);
		o->used = 0;
	}
	o->buf[o->used++] = c;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

/* Text of @n bytes in a field of the width asked for. */
static void put_field(struct out *o, const struct spec *s, const char *text, int n)
{
	int blanks = s->width > n ? s->width - n : 0;

	if (!s->left)
		pad(o, ' ', blanks);
	for (int i = 0; i < n; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', blanks);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	int n = 0;

	if (!text)
		text = "(null)";
	/* A precision allows text without a terminator: never look beyond it. */
	while (n != s->precision && n < INT32_MAX && text[n])
		n++;
	put_field(o, s, text, n);
}

/* Digits of @value, last first.  Return: how many; none for zero. */
static int make_digits(char out[DIGITS_MAX], uint64_t value, unsigned base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int n = 0;

	for (; value; value /= base)
		out[n++] = alphabet[value % base];
	return n;
}

/* sign or prefix, zeros up to the precision, digits: [blanks][-|0x][000][123][blanks] */
static void put_number(struct out *o, const struct spec *s, const char *prefix, uint64_t value,
		       unsigned base, bool upper)
{
	char digits[DIGITS_MAX];
	int n = make_digits(digits, value, base, upper);
	int least = s->precision < 0 ? 1 : s->precision;
	int zeros = least > n ? least - n : 0;
	int before = 0, blanks;

	if (base == 8 && s->alt && zeros == 0)
		zeros = 1;
	while (prefix[before])
		before++;
	/* Sums of caller-given ints: in 64 bits, so that they cannot wrap. */
	int64_t rest = (int64_t)s->width - before - zeros - n;
	blanks = rest > 0 ? (int)rest : 0;
	if (s->zero && !s->left && s->precision < 0) {
		zeros += blanks;
		blanks = 0;
	}
	if (!s->left)
		pad(o, ' ', blanks);
	for (int i = 0; i < before; i++)
		put(o, prefix[i]);
	pad(o, '0', zeros);
	while (n > 0)
		put(o, digits[--n]);
	if (s->left)
		pad(o, ' ', blanks);
}

static void put_signed(struct out *o, const struct spec *s, struct args *args)
{
	int64_t v = s->length == LENGTH_64 ? va_arg(args->ap, long long) : va_arg(args->ap, int);

	if (s->length == LENGTH_CHAR)
		v = (signed char)v;
	if (s->length == LENGTH_SHORT)
		v = (short)v;
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
	/* Negating as unsigned is right for INT64_MIN too. */
	put_number(o, s, sign, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false);
}

static void put_unsigned(struct out *o, const struct spec *s, struct args *args, char letter)
{
	uint64_t v = s->length == LENGTH_64 ? va_arg(args->ap, unsigned long long)
					    : va_arg(args->ap, unsigned);
	unsigned base = letter == 'o' ? 8 : letter == 'u' ? 10 : 16;

	if (s->length == LENGTH_CHAR)
		v = (unsigned char)v;
	if (s->length == LENGTH_SHORT)
		v = (unsigned short)v;
	const char *prefix = base != 16 || !s->alt || v == 0 ? "" : letter == 'X' ? "0X" : "0x";
	put_number(o, s, prefix, v, base, letter == 'X');
}

/* Return: false when @letter is no conversion of ours; then no argument was taken. */
static bool convert(struct out *o, const struct spec *s, struct args *args, char letter)
{
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		put_signed(o, s, args);
		return true;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		put_unsigned(o, s, args, letter);
		return true;
	case 'p':
		put_number(o, s, "0x", (uintptr_t)va_arg(args->ap, void *), 16, false);
		return true;
	case 's':
		put_string(o, s, va_arg(args->ap, const char *));
		return true;
	case 'c':
		c = (char)va_arg(args->ap, int);
		put_field(o, s, &c, 1);
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		switch (*f) {
		case '-': s->left = true; break;
		case '0': s->zero = true; break;
		case '+': s->plus = true; break;
		case ' ': s->space = true; break;
		case '#': s->alt = true; break;
		default:  return f;
		}
	}
}

/* A number or '*'; a number too large to mean anything stays at its limit. */
static const char *parse_int(const char *f, struct args *args, int *out)
{
	*out = 0;
	if (*f == '*') {
		*out = va_arg(args->ap, int);
		return f + 1;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		*out = *out > (INT32_MAX - 9) / 10 ? *out : *out * 10 + (*f - '0');
	return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
	switch (*f) {
	case 'h':
		s->length = f[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		s->length = LENGTH_64;
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
	case 't':
	case 'j':
		s->length = LENGTH_64;
		return f + 1;
	default:
		return f;
	}
}

/* From behind the '%' to the conversion letter. */
static const char *parse_spec(const char *f, struct spec *s, struct args *args)
{
	*s = (struct spec){ .precision = -1, .length = LENGTH_INT };
	f = parse_flags(f, s);
	f = parse_int(f, args, &s->width);
	if (s->width < 0) {
		s->left = true;
		s->width = s->width == INT32_MIN ? INT32_MAX : -s->width;
	}
	if (*f == '.')
		f = parse_int(f + 1, args, &s->precision);
	return parse_length(f, s);
}

static void format(struct out *o, const char *fmt, struct args *args)
{
	while (*fmt) {
		const char *start = fmt;
		struct spec s;

		if (*fmt != '%') {
			put(o, *fmt++);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, args);
		if (*fmt && convert(o, &s, args, *fmt)) {
			fmt++;
			continue;
		}
		/* Not ours: show it as it stands, so that the mistake is seen. */
		while (start < fmt)
			put(o, *start++);
	}
}

static int total(const struct out *o)
{
	return o->total > INT32_MAX ? INT32_MAX : (int)o->total;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size ? size - 1 : 0 };
	struct args args;

	va_copy(args.ap, ap);
	format(&o, fmt, &args);
	va_end(args.ap);
	if (size)
		buf[o.used] = '\0';
	return total(&o);
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int kvprintf(const char *fmt, va_list ap)
{
	char chunk[CHUNK];
	struct out o = { .buf = chunk, .size = sizeof(chunk), .console = true };
	struct args args;

	va_copy(args.ap, ap);
	format(&o, fmt, &args);
	va_end(args.ap);
	if (o.used)
		console_write(o.buf, o.used);
	return total(&o);
}

int kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = kvprintf(fmt, ap);
	va_end(ap);
	return n;
}
