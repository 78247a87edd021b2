/* SPDX-License-Identifier: MIT */
/* The kernel's allocator on a machine made to measure; it can be started over and over. */
#include <labyrinth/mm.h>

#include "../../../arch/host/machine.h"
#include "../allocator.h"

struct memmap labyrinth_map;

int labyrinth_start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	mm_reset();
	host_machine_init((uint64_t)r[n - 1].end << PAGE_SHIFT);
	memmap_init(&labyrinth_map);
	for (size_t i = 0; i < n; i++)
		memmap_add(&labyrinth_map, (uint64_t)r[i].start << PAGE_SHIFT,
			   (uint64_t)r[i].end << PAGE_SHIFT, MEM_USABLE);
	return mm_init(&labyrinth_map, ncpu);
}

void labyrinth_stop(void)
{
	/* The next start resets it; until then its last state can be looked at. */
}
