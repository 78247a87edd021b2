/* SPDX-License-Identifier: MIT */
/*
 * One test harness for both worlds.  TEST() drops a pointer into the section
 * "labtests"; tests/runner.c walks it, in a Linux process or at boot, and
 * reports KTAP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/selftest.h>

struct test {
	const char *suite;		/* the file's SUITE */
	const char *name;
	void (*run)(void);
	bool by_name;			/* runs only when the pattern is its full name */
};

/**
 * TEST(name) - define and register a test: TEST(it_does_this) { EXPECT(...); }
 *
 * The file defines SUITE, a string, before its first TEST; the full name is
 * "suite.name".  After each test the harness audits mm/ and compares free memory.
 */
#define TEST(id) TEST_ENTRY(id, false)

/* As TEST(), for what must not run unless asked for by its full name: faults on purpose. */
#define TEST_BY_NAME(id) TEST_ENTRY(id, true)

/* gcc would otherwise emit a file's tests last to first; clang never does. */
#if __has_attribute(no_reorder)
#define TEST_IN_ORDER __attribute__((no_reorder))
#else
#define TEST_IN_ORDER
#endif

#define TEST_ENTRY(id, only_by_name)                                          \
	static void test_##id(void);                                          \
	static const struct test case_##id = { SUITE, #id, test_##id, only_by_name }; \
	TEST_IN_ORDER __attribute__((section("labtests"), used))              \
	static const struct test *const entry_##id = &case_##id;              \
	static void test_##id(void)

/* Record a failure and go on; ASSERT also ends the test by returning. */
#define EXPECT(e)                                                             \
	do {                                                                  \
		if (!(e))                                                     \
			test_fail(__FILE__, __LINE__, "expected " #e);        \
	} while (0)
#define ASSERT(e)                                                             \
	do {                                                                  \
		if (!(e)) {                                                   \
			test_fail(__FILE__, __LINE__, "required " #e);        \
			return;                                               \
		}                                                             \
	} while (0)

/* Two integers that must be equal; prints both when they are not. */
#define EXPECT_EQ(a, b)                                                       \
	test_equal(__FILE__, __LINE__, #a, (uint64_t)(a), #b, (uint64_t)(b))
#define ASSERT_EQ(a, b)                                                       \
	do {                                                                  \
		if (!EXPECT_EQ(a, b))                                         \
			return;                                               \
	} while (0)

/* Two unsigned integers in a relation: EXPECT_CMP(used, <=, limit); prints both. */
#define EXPECT_CMP(a, op, b)                                                  \
	do {                                                                  \
		uint64_t cmp_a = (uint64_t)(a), cmp_b = (uint64_t)(b);        \
		if (!(cmp_a op cmp_b))                                        \
			test_differ(__FILE__, __LINE__, #a, cmp_a, #op, #b, cmp_b); \
	} while (0)

void test_fail(const char *file, int line, const char *what);
void test_differ(const char *file, int line, const char *as, uint64_t a, const char *op,
		 const char *bs, uint64_t b);

/* Return: true when equal; otherwise the failure has been recorded. */
bool test_equal(const char *file, int line, const char *as, uint64_t a,
		const char *bs, uint64_t b);

/* Mark the running test skipped, with the reason; the caller then returns. */
void test_skip(const char *why);

/* A diagnostic line "# ..." under the running test. */
void test_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The run's random numbers; the seed is printed and can be set again (seed=). */
uint64_t test_random(void);
uint64_t test_random_below(uint64_t limit);

/* Does @pattern, as test_run_all() reads it, select this test? */
bool test_selected(const struct test *t, const char *pattern);

/**
 * test_before_each() - remember what a test must leave as it was
 * test_after_each()  - check that it did
 * @report: called with one sentence for each fault found
 *
 * Where the program links definitions of these (tests/after_each.c: free memory
 * and the audit of mm/), the harness calls them around every test.
 *
 * Return: the number of faults; each fails the test.
 */
void test_before_each(void) __attribute__((weak));
size_t test_after_each(void (*report)(const char *what)) __attribute__((weak));
