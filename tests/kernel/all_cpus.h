/* SPDX-License-Identifier: MIT */
/* For tests: the same function on all CPUs, at the same time. */
#pragma once

#include <labyrinth/smp.h>

/**
 * on_all_cpus() - run @fn on every CPU online, each in its idle loop, interrupts enabled
 *
 * The caller's CPU runs it too, in the caller.  Returns when all have ended.  @fn may not
 * use EXPECT(), which is for one CPU: it counts what is wrong in *@arg.
 *
 * Context: a test, on the first CPU.
 * Panics:  when a CPU does not end, with the number of it.
 */
void on_all_cpus(cpu_fn_t fn, void *arg);

/* The same on CPUs 0..@n - 1, which must be online. */
void on_cpus(unsigned n, cpu_fn_t fn, void *arg);
