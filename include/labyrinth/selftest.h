/* SPDX-License-Identifier: MIT */
/* The self-tests and benchmarks as the kernel sees them.  How to write one: tests/test.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * test_run_all() - run every test whose full name matches @pattern, and report KTAP
 * @pattern: glob with * and ?, or a plain substring; NULL or "" is all
 * @seed:    of the tests' random numbers; each test starts from it afresh
 *
 * Context: one thread; the tests say what else they need.
 * Return:  the number of tests that failed; -1 if none matched.
 */
int test_run_all(const char *pattern, uint64_t seed);

/**
 * test_list() - print the full names of the tests that test_run_all() would run
 * Context: any.
 */
void test_list(const char *pattern);

/**
 * bench_run() - measure the allocator, and the textbook one beside it; print for tools/bench
 * @patterns: which cases, separated by commas, each as for test_run_all(); "" is all
 *
 * The numbers mean something under QEMU's -icount shift=0 only.
 *
 * Context: one thread.  Nothing may be allocated afterwards: the last case starts
 *          the allocator anew.
 */
void bench_run(const char *patterns);

/**
 * torture_machine() - torture the machine that this kernel runs on
 * @seconds: how long, about
 * @seed:    of everything random
 *
 * Context: a thread, the only one that allocates.
 * Return:  was no invariant violated?  All about it has been printed then.
 */
bool torture_machine(uint64_t seconds, uint64_t seed);
