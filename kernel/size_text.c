/* SPDX-License-Identifier: MIT */
/* Numbers of bytes, written for people. */
#include "kernel/size_text.h"

#include <labyrinth/print.h>

static const char units[] = "BKMGTPE";

const char *size_text(char out[SIZE_TEXT_MAX], uint64_t bytes)
{
	unsigned unit = 0;

	while (unit < 6 && bytes >> (10 * (unit + 1)))
		unit++;
	uint64_t whole = bytes >> (10 * unit);
	uint64_t rest = bytes & (((uint64_t)1 << (10 * unit)) - 1);
	if (bytes == 0)
		ksnprintf(out, SIZE_TEXT_MAX, "0");
	else if (unit == 0)
		ksnprintf(out, SIZE_TEXT_MAX, "%u bytes", (unsigned)whole);
	else if (rest == 0)
		ksnprintf(out, SIZE_TEXT_MAX, "%u %ciB", (unsigned)whole, units[unit]);
	else	/* ten bits of the rest are plenty for one decimal */
		ksnprintf(out, SIZE_TEXT_MAX, "%u.%u %ciB", (unsigned)whole,
			  (unsigned)((rest >> (10 * (unit - 1))) * 10 / 1024), units[unit]);
	return out;
}

const char *address_text(char out[SIZE_TEXT_MAX], uint64_t address)
{
	unsigned unit = 0;

	while (unit < 6 && address && (address & 1023) == 0) {
		address >>= 10;
		unit++;
	}
	if (unit == 0)
		ksnprintf(out, SIZE_TEXT_MAX, "%llu", (unsigned long long)address);
	else
		ksnprintf(out, SIZE_TEXT_MAX, "%llu%c", (unsigned long long)address, units[unit]);
	return out;
}
