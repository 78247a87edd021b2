/* SPDX-License-Identifier: MIT */
/*
 * failnth=N: the N-th request for memory of the whole boot fails, so that what the
 * kernel does then can be seen.  tests/fail-check tries one after the other.
 */
#pragma once

/**
 * boot_fail_begin() - from here on requests count, and the one that was named fails
 * Context: boot, one CPU; mm/ is up, nobody has asked it for anything yet.
 */
void boot_fail_begin(void);

/**
 * boot_fail_end() - say how many there were; from here on none fails
 * Context: boot, the other CPUs idle.
 */
void boot_fail_end(void);
