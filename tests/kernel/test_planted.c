/* SPDX-License-Identifier: MIT */
/* Planted faults that only a machine has; see tests/planted.c. */
#include <stdint.h>

#include <labyrinth/page.h>

#include "../test.h"

#define SUITE "planted"

/*
 * Without a descriptor table the first exception cannot be delivered, nor the
 * double fault that follows: the CPU shuts down (Intel SDM vol. 3, 6.15).
 */
TEST_BY_NAME(triple_fault)
{
	static const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

TEST_BY_NAME(leak)
{
	EXPECT(allocpage(GFP_NOWAIT, OWNER_KERNEL));
}
