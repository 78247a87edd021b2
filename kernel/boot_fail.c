/* SPDX-License-Identifier: MIT */
/* The option failnth=; boot_fail.h says what for. */
#include "kernel/boot_fail.h"

#include <labyrinth/cmdline.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>

static uint64_t nth;

void boot_fail_begin(void)
{
	if (!cmdline_get("failnth", NULL))
		return;
	if (!cmdline_u64("failnth", &nth) || nth == 0) {
		kprintf("boot: failnth= wants a number of at least 1: ignored\n");
		nth = 0;
		return;
	}
	mm_fail_nth(nth);
}

void boot_fail_end(void)
{
	uint64_t seen;

	if (nth == 0)
		return;
	seen = mm_fail_nth(0);
	kprintf("boot: %llu requests for memory; number %llu %s\n", (unsigned long long)seen,
		(unsigned long long)nth, nth <= seen ? "was made to fail" : "was never made");
}
