/* SPDX-License-Identifier: MIT */
/* The allocator's metadata stay within the place that was found for them. */
#define SUITE "conform.metadata"
#include "../conform.h"

#include <arch/directmap.h>
#include <labyrinth/mm.h>
#include <labyrinth/string.h>

#include "../../../arch/host/machine.h"

#define RANGES		MEMMAP_MAX	/* 8 bytes each: all ways to fill the last page */
#define LAST		0xc00000u	/* the last usable range ends here; metadata is below */
#define PATTERN		0x5a

/* A map of @n crumbs and a large range, behind which a foreign page lies. */
static unsigned char *start_with(unsigned n)
{
	unsigned char *foreign;

	mm_reset();
	host_machine_init(LAST + PAGE_SIZE);
	memmap_init(&labyrinth_map);
	for (uint64_t i = 0; i < n; i++)
		memmap_add(&labyrinth_map, (0x100 + 2 * i) << PAGE_SHIFT,
			   (0x101 + 2 * i) << PAGE_SHIFT, MEM_USABLE);
	memmap_add(&labyrinth_map, 0x800000, LAST, MEM_USABLE);
	foreign = directmap_of((phys_t){ LAST });
	memset(foreign, PATTERN, PAGE_SIZE);
	return mm_init(&labyrinth_map, 1) == 0 ? foreign : NULL;
}

TEST(nothing_is_written_behind_it)
{
	for (unsigned n = 0; n < RANGES - 3; n++) {
		const unsigned char *foreign = start_with(n);

		ASSERT(foreign);
		for (unsigned i = 0; i < PAGE_SIZE; i++)
			if (foreign[i] != PATTERN) {
				test_note("byte %u behind it, map of %u ranges", i, n + 1);
				ASSERT_EQ(foreign[i], PATTERN);
			}
	}
}
