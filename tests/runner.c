/* SPDX-License-Identifier: MIT */
/*
 * The harness behind tests/test.h: finds the tests that match a pattern, runs
 * them suite by suite, and reports KTAP version 1 (the format is described in
 * the Linux documentation, dev-tools/ktap.rst).  One source for both worlds.
 */
#include <stdarg.h>

#include <arch/console.h>
#include <labyrinth/print.h>

#include "test.h"

/* The linker puts these around the section "labtests". */
extern const struct test *const __start_labtests[];
extern const struct test *const __stop_labtests[];

/* A loop that fails a million times says so ten times. */
#define FAILURES_SHOWN 10u

struct totals { unsigned passed, failed, skipped; };

static uint64_t run_seed, random_state;

/* Of the running test. */
static unsigned failures;
static const char *skipped;

/* --- what tests call */

static void failed(const char *file, int line)
{
	if (++failures <= FAILURES_SHOWN)
		kprintf("  # %s:%d: ", file, line);
}

void test_fail(const char *file, int line, const char *what)
{
	failed(file, line);
	if (failures <= FAILURES_SHOWN)
		kprintf("%s\n", what);
}

void test_differ(const char *file, int line, const char *as, uint64_t a, const char *op,
		 const char *bs, uint64_t b)
{
	failed(file, line);
	if (failures <= FAILURES_SHOWN)
		kprintf("expected %s %s %s, but left is %llu (0x%llx), right is %llu (0x%llx)\n",
			as, op, bs, (unsigned long long)a, (unsigned long long)a,
			(unsigned long long)b, (unsigned long long)b);
}

bool test_equal(const char *file, int line, const char *as, uint64_t a,
		const char *bs, uint64_t b)
{
	if (a != b)
		test_differ(file, line, as, a, "==", bs, b);
	return a == b;
}

void test_skip(const char *why)
{
	skipped = why;
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kprintf("  # ");
	kvprintf(fmt, ap);
	kprintf("\n");
	va_end(ap);
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t test_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t test_random_below(uint64_t limit)
{
	/* Numbers from the last, incomplete stretch of @limit would favour the small ones. */
	uint64_t excess = limit ? (UINT64_MAX % limit + 1) % limit : 0;
	uint64_t r;

	if (!limit)
		return 0;
	do {
		r = test_random();
	} while (r > UINT64_MAX - excess);
	return r % limit;
}

/* --- which tests */

/* A test's full name, "suite.name", read by position without putting it together. */
struct full_name { const char *part[3]; };

static char char_at(const struct full_name *n, size_t i)
{
	for (unsigned p = 0; p < 3; p++)
		for (const char *s = n->part[p]; *s; s++)
			if (i-- == 0)
				return *s;
	return '\0';
}

/* Glob: on a mismatch, let the last * swallow one character more. */
static bool glob(const struct full_name *n, const char *pattern)
{
	const char *star = NULL;
	size_t i = 0, resume = 0;

	while (char_at(n, i)) {
		if (*pattern == '*') {
			star = pattern++;
			resume = i;
		} else if (*pattern == '?' || *pattern == char_at(n, i)) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star + 1;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool starts_at(const struct full_name *n, size_t i, const char *text)
{
	for (; *text; text++, i++)
		if (char_at(n, i) != *text)
			return false;
	return true;
}

static bool substring(const struct full_name *n, const char *text)
{
	for (size_t i = 0; char_at(n, i); i++)
		if (starts_at(n, i, text))
			return true;
	return false;
}

static bool has_wildcard(const char *s)
{
	while (*s && *s != '*' && *s != '?')
		s++;
	return *s;
}

bool test_selected(const struct test *t, const char *pattern)
{
	struct full_name name = { { t->suite, ".", t->name } };

	if (t->by_name)
		return pattern && !has_wildcard(pattern) && glob(&name, pattern);
	if (!pattern || !*pattern)
		return true;
	return has_wildcard(pattern) ? glob(&name, pattern) : substring(&name, pattern);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static const struct test *const *next_in_suite(const struct test *const *t, const char *suite,
					       const char *pattern)
{
	while (t < __stop_labtests && !(same((*t)->suite, suite) && test_selected(*t, pattern)))
		t++;
	return t;
}

/* True for the first selected test of each suite; a suite may span several files. */
static bool opens_suite(const struct test *const *t, const char *pattern)
{
	return test_selected(*t, pattern) &&
	       next_in_suite(__start_labtests, (*t)->suite, pattern) == t;
}

void test_list(const char *pattern)
{
	for (const struct test *const *t = __start_labtests; t < __stop_labtests; t++)
		if (test_selected(*t, pattern))
			kprintf("%s.%s\n", (*t)->suite, (*t)->name);
}

/* --- running and reporting */

static void report_fault(const char *what)
{
	if (++failures <= FAILURES_SHOWN)
		kprintf("  # after the test: %s\n", what);
}

static void print_time(const char *indent, unsigned long long start)
{
	unsigned long long end = clock_ns();

	if (start && end >= start)
		kprintf("%s# time %llu.%03llu ms\n", indent, (end - start) / 1000000,
			(end - start) / 1000 % 1000);
}

static void check_after(void)
{
	unsigned before = failures;

	/* A check that finds faults but names none still fails the test. */
	if (test_after_each && test_after_each(report_fault) && failures == before)
		report_fault("a check failed without saying why");
}

static void run_one(const struct test *t, unsigned number, struct totals *sum)
{
	failures = 0;
	skipped = NULL;
	random_state = run_seed;

	/* Announced first: if the machine dies in it, the log says in what. */
	kprintf("  # run %s.%s\n", t->suite, t->name);
	if (test_before_each)
		test_before_each();
	unsigned long long start = clock_ns();
	t->run();
	print_time("  ", start);
	check_after();

	if (failures > FAILURES_SHOWN)
		kprintf("  # and %u failures more\n", failures - FAILURES_SHOWN);
	kprintf("  %s %u - %s", failures ? "not ok" : "ok", number, t->name);
	if (skipped && !failures)
		kprintf(" # SKIP %s", skipped);
	kprintf("\n");

	if (failures)
		sum->failed++;
	else if (skipped)
		sum->skipped++;
	else
		sum->passed++;
}

static unsigned suite_size(const char *suite, const char *pattern)
{
	const struct test *const *t = __start_labtests;
	unsigned n = 0;

	while ((t = next_in_suite(t, suite, pattern)) < __stop_labtests) {
		t++;
		n++;
	}
	return n;
}

static void run_suite(const char *suite, unsigned number, const char *pattern, struct totals *sum)
{
	const struct test *const *t = __start_labtests;
	struct totals mine = { 0, 0, 0 };
	unsigned n = 0;

	kprintf("  KTAP version 1\n  # Subtest: %s\n  1..%u\n", suite, suite_size(suite, pattern));
	while ((t = next_in_suite(t, suite, pattern)) < __stop_labtests)
		run_one(*t++, ++n, &mine);

	kprintf("%s %u - %s%s\n", mine.failed ? "not ok" : "ok", number, suite,
		mine.skipped == n ? " # SKIP all of its tests" : "");
	sum->passed += mine.passed;
	sum->failed += mine.failed;
	sum->skipped += mine.skipped;
}

int test_run_all(const char *pattern, uint64_t seed)
{
	struct totals sum = { 0, 0, 0 };
	unsigned suites = 0, n = 0;
	unsigned long long start = clock_ns();

	run_seed = seed;
	for (const struct test *const *t = __start_labtests; t < __stop_labtests; t++)
		suites += opens_suite(t, pattern);

	kprintf("KTAP version 1\n1..%u\n# seed 0x%llx\n", suites, (unsigned long long)seed);
	if (!suites) {
		kprintf("# no test matches '%s'\n", pattern);
		return -1;
	}
	for (const struct test *const *t = __start_labtests; t < __stop_labtests; t++)
		if (opens_suite(t, pattern))
			run_suite((*t)->suite, ++n, pattern, &sum);

	print_time("", start);
	kprintf("# totals: %u passed, %u failed, %u skipped\n", sum.passed, sum.failed,
		sum.skipped);
	return (int)sum.failed;
}
