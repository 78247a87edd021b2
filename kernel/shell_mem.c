/* SPDX-License-Identifier: MIT */
/* mem: zones, free blocks, owners and dead ends, as tables. */
#include <labyrinth/boot_info.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "kernel/shell.h"
#include "kernel/size_text.h"

#define DEAD_ENDS_SHOWN 16u		/* real machines have a hundred */

static void show_zones(const struct zone_stats zone[ZONE_COUNT])
{
	kprintf("Zones, in frames of 4 KiB:\n"
		"            usable       free       held  promised cached     asleep"
		"  min   low\n");
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		kprintf("  %-6s %9llu  %9llu  %9llu  %8llu %6llu  %9llu %4llu %5llu\n",
			zone_name(z), (unsigned long long)zone[z].total,
			(unsigned long long)zone[z].free, (unsigned long long)zone[z].held,
			(unsigned long long)zone[z].contracted,
			(unsigned long long)zone[z].cached, (unsigned long long)zone[z].asleep,
			(unsigned long long)zone[z].min, (unsigned long long)zone[z].low);
}

static void show_quarantine(const struct zone_stats zone[ZONE_COUNT])
{
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (zone[z].quarantined)
			kprintf("  In quarantine in %s, for the hardware reports damage: %llu\n",
				zone_name(z), (unsigned long long)zone[z].quarantined);
}

static void show_unusable(const struct zone_stats *zone, unsigned order)
{
	unsigned share = zone_unusable(zone, order);

	if (zone->free)
		kprintf("  %3u.%u%%", share / 10, share % 10);
	else
		kprintf("  %6s", "-");
}

static void show_blocks(const struct zone_stats zone[ZONE_COUNT])
{
	char size[SIZE_TEXT_MAX];

	kprintf("Free blocks, and how much of the free memory is in smaller ones:\n"
		"  order  of        ");
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		kprintf("  %9s", zone_name(z));
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		kprintf("  %6s", zone_name(z));
	kprintf("\n");
	for (unsigned order = 0; order < ORDER_COUNT; order++) {
		uint64_t any = 0;

		for (enum zone_id z = 0; z < ZONE_COUNT; z++)
			any |= zone[z].blocks[order];
		if (!any)
			continue;
		kprintf("  %5u  %-10s", order, size_text(size, (uint64_t)PAGE_SIZE << order));
		for (enum zone_id z = 0; z < ZONE_COUNT; z++)
			kprintf("  %9llu", (unsigned long long)zone[z].blocks[order]);
		for (enum zone_id z = 0; z < ZONE_COUNT; z++)
			show_unusable(&zone[z], order);
		kprintf("\n");
	}
}

/* Zeroes, but where several CPUs or an interrupt met at one word. */
static void show_retries(void)
{
	struct zone_counts s;

	kprintf("Lost compare-and-swaps: ");
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_counts(z, &s);
		kprintf(" %s %llu%s", zone_name(z), (unsigned long long)s.retries,
			z + 1 < ZONE_COUNT ? "," : "\n");
	}
}

static void show_owners(void)
{
	struct owner_stats s;
	struct mm_stats mm;
	char size[SIZE_TEXT_MAX];

	kprintf("Owners, in frames:\n"
		"                               held       peak    retries\n");
	for (uint8_t id = 1; id < OWNER_COUNT; id++) {
		const char *name = owner_name((owner_t){ id });

		if (strcmp(name, "unknown") == 0)
			continue;
		owner_stats((owner_t){ id }, &s);
		kprintf("  %-24s  %9llu  %9llu  %9llu\n", name, (unsigned long long)s.held,
			(unsigned long long)s.peak, (unsigned long long)s.retries);
	}
	mm_stats(&mm);
	kprintf("Metadata: %s", size_text(size, mm.metadata_bytes));
	if (mm.frames)			/* in tenths, as there is no floating point */
		kprintf(", %llu.%llu bytes a frame",
			(unsigned long long)(mm.metadata_bytes / mm.frames),
			(unsigned long long)(mm.metadata_bytes * 10 / mm.frames % 10));
	kprintf("\n");
}

/* Not to be walked in for another reason than that they are dead ends, as the banner has it. */
static bool is_taken(enum mem_type type)
{
	return type == MEM_KERNEL || type == MEM_METADATA || type == MEM_BOOT ||
	       type == MEM_LIMITED;
}

static void count_dead_ends(const struct memmap *m)
{
	size_t dead = 0, taken = 0;

	for (size_t i = 0; i < m->n; i++) {
		taken += is_taken(m->r[i].type);
		dead += m->r[i].type != MEM_USABLE && !is_taken(m->r[i].type);
	}
	kprintf("Dead ends: %zu, besides %zu ranges that the kernel took or memlimit left out.\n"
		"What has no entry is one as well.\n", dead, taken);
}

static void show_dead_ends(bool all)
{
	const struct memmap *m = &boot_info.map;
	char size[SIZE_TEXT_MAX];
	size_t shown = 0, left_out = 0;

	count_dead_ends(m);
	for (size_t i = 0; i < m->n; i++) {
		if (m->r[i].type == MEM_USABLE)
			continue;
		if (!all && shown == DEAD_ENDS_SHOWN) {
			left_out++;
			continue;
		}
		shown++;
		kprintf("  %#14llx - %#14llx  %10s  %s\n", (unsigned long long)m->r[i].start,
			(unsigned long long)m->r[i].end - 1,
			size_text(size, m->r[i].end - m->r[i].start),
			mem_type_name(m->r[i].type));
	}
	if (left_out)
		kprintf("  ... and %zu more: mem all\n", left_out);
}

COMMAND(mem, "[all]", "show zones, free blocks, owners and dead ends",
	"  Cached frames lie in the caches of CPUs, asleep ones have never been touched;\n"
	"  both are free.  Promised frames are set aside for owners with a reserve\n"
	"  contract.  Below its min mark a zone serves atomic requests only.  Retries are\n"
	"  compare-and-swaps that an owner's operations lost to others.\n")
{
	struct zone_stats zone[ZONE_COUNT];

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "all") != 0))
		return false;
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		zone_stats(z, &zone[z]);
	show_zones(zone);
	show_quarantine(zone);
	show_blocks(zone);
	show_owners();
	show_retries();
	show_dead_ends(argc == 2);
	return true;
}
