/* SPDX-License-Identifier: MIT */
/* What bringing up the allocator costs, and how much memory it takes for itself. */
#include "kbench.h"

#include <arch/cpu.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/print.h>

#include "../../../mm/mm_state.h"

static struct memmap map;

/* The map as mm_init() found it at boot: what is its own metadata now was usable then. */
static void map_before(uint64_t at, uint64_t end)
{
	const struct memmap *now = &boot_info.map;

	memmap_init(&map);
	for (size_t i = 0; i < now->n; i++) {
		const struct mem_range *r = &now->r[i];

		if (r->type != MEM_METADATA || r->end <= at || r->start >= end) {
			memmap_add(&map, r->start, r->end, r->type);
			continue;
		}
		memmap_add(&map, at, end, MEM_USABLE);
		if (r->start < at)
			memmap_add(&map, r->start, at, r->type);
		if (end < r->end)
			memmap_add(&map, end, r->end, r->type);
	}
}

static void part(const char *name, uint64_t bytes)
{
	kprintf("BENCH-METADATA %s %llu\n", name, (unsigned long long)bytes);
}

static void print_metadata(void)
{
	struct mm_stats s;
	uint64_t words = (mm.end - mm.gap) * sizeof(atom64_t), trees = 0;
	uint64_t awake = (mm.end / 64 + 63) / 64 * sizeof(uint64_t);

	mm_stats(&s);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (mm.zone[z].total)
			trees += tree_bytes(mm.zone[z].tree.nframes);
	part("frames", s.frames);
	part("spanned", mm.end);
	part("words", words);
	part("trees", trees);
	part("awake", awake);
	part("rest", s.metadata_bytes - words - trees - awake);
	part("per_cpu", CPU_LOCAL_BYTES);
}

void kbench_boot(void)
{
	phys_t at = directmap_phys(mm.words);

	print_metadata();
	map_before(at.v, at.v + mm.metadata_bytes);
	for (size_t off = 0; off < CPU_LOCAL_BYTES; off += sizeof(uint64_t))
		local_store(off, 0);
	kbench_open("labyrinth", "mm_init", 0, 1);
	kbench_start();
	mm_init(&map, 1);
	kbench_stop();
	kbench_close();
}
