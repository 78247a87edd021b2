/* SPDX-License-Identifier: MIT */
/* How well an allocator keeps large blocks free while small ones come and go. */
#pragma once

#include <stdio.h>

/**
 * fragmentation_run() - the test on both allocators and on the greedy oracle
 * @csv: receives lines allocator,fragmentation_ROUND,9,1,PERCENT, ; may be NULL
 *
 * 8 GiB: fill 90 % with single pages, free half of them at random, then rounds
 * of freeing 10 % of the rest at random and allocating as many.  Counted are
 * the 2 MiB frames that are wholly free, of those that the free memory would
 * make.  The same random numbers for all.
 */
void fragmentation_run(FILE *csv);
