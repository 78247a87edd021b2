/* SPDX-License-Identifier: MIT */
/* Between nanoseconds and the time stamp counter. */
#pragma once

#include <stdint.h>

/* @a * @scale / 2^32, in two halves: no 128-bit arithmetic in the kernel. */
static inline uint64_t scaled(uint64_t a, uint64_t scale)
{
	return (a >> 32) * scale + ((a & UINT32_MAX) * (scale & UINT32_MAX) >> 32) +
	       (a & UINT32_MAX) * (scale >> 32);
}

/* What the counter will show at @ns, not later.  Context: any, with a clock. */
uint64_t clock_tsc_at(uint64_t ns);
