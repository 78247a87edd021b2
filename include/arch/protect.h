/* SPDX-License-Identifier: MIT */
/* What the processor itself forbids the kernel to do, switched on and kept on. */
#pragma once

#include <stddef.h>

/**
 * protect_cpu() - switch the running CPU's protection on
 *
 * Read-only pages bind the kernel too (CR0.WP), data cannot be executed (EFER.NXE);
 * where the first CPU has them: user memory can be neither executed (SMEP) nor touched
 * (SMAP), and user programs cannot read where the tables are (UMIP).  All CPUs are taken
 * to have the same features.
 *
 * Context: boot of each CPU, after features_init() and before seal() on the first.
 */
void protect_cpu(void);

/**
 * protect_check() - is it all still on?
 * @report: called with one sentence for each fault found; may be NULL
 *
 * Looks at the running CPU's control registers, and whether its interrupt and segment
 * tables are writable.  A control bit found cleared is
 * set again: to go on unprotected would hide the next fault, and a panic would hide who
 * was harmed meanwhile.  The caller decides what the finding is worth; in a run of the
 * tests it fails the test.
 *
 * Context: any, after seal().
 * Return:  the number of faults found.
 */
size_t protect_check(void (*report)(const char *what));
