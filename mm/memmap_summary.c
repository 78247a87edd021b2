/* SPDX-License-Identifier: MIT */
/* Questions about a sane memory map: what is usable, where something fits, names. */
#include <labyrinth/frame.h>
#include <labyrinth/memmap.h>
#include <labyrinth/zone.h>

#define FRAMES_ALL ((uint64_t)1 << (64 - PAGE_SHIFT))

uint64_t memmap_find(const struct memmap *m, uint64_t size, uint64_t align,
		     uint64_t min, uint64_t max)
{
	for (size_t i = m->n; size > 0 && i-- > 0;) {
		const struct mem_range *r = &m->r[i];
		uint64_t low = r->start > min ? r->start : min;
		uint64_t high = r->end < max ? r->end : max;

		if (r->type != MEM_USABLE || high < low || high - low < size)
			continue;
		uint64_t start = (high - size) & ~(align - 1);

		if (start >= low)
			return start;
	}
	return UINT64_MAX;
}

/* How many of the frames [first, end) lie in [from, to). */
static uint64_t frames_within(uint64_t first, uint64_t end, uint64_t from, uint64_t to)
{
	if (first < from)
		first = from;
	if (end > to)
		end = to;
	return first < end ? end - first : 0;
}

void memmap_summarize(const struct memmap *m, struct memmap_summary *out)
{
	*out = (struct memmap_summary){ 0 };
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->r[i];
		bool to_top = r->end == UINT64_MAX;
		uint64_t first = (r->start >> PAGE_SHIFT) + !!(r->start & (PAGE_SIZE - 1));
		uint64_t end = to_top ? FRAMES_ALL : r->end >> PAGE_SHIFT;

		if (r->type != MEM_USABLE || first >= end)
			continue;
		out->usable_frames += end - first;
		out->dma_frames += frames_within(first, end, 0, ZONE_DMA_END);
		out->dma32_frames += frames_within(first, end, ZONE_DMA_END, ZONE_DMA32_END);
		out->normal_frames += frames_within(first, end, ZONE_DMA32_END, FRAMES_ALL);
		out->usable_ranges++;
		out->highest_usable = (end << PAGE_SHIFT) - 1;	/* wraps to the top byte */
	}
}

const char *mem_type_name(enum mem_type type)
{
	static const char *const name[MEM_TYPE_COUNT] = {
		[MEM_USABLE] = "usable",
		[MEM_ACPI_RECLAIM] = "ACPI tables",
		[MEM_ACPI_NVS] = "ACPI non-volatile",
		[MEM_RESERVED] = "reserved",
		[MEM_BAD] = "bad RAM",
		[MEM_FIRMWARE] = "first megabyte",
		[MEM_BOOT] = "boot data",
		[MEM_FRAMEBUFFER] = "framebuffer",
		[MEM_KERNEL] = "kernel image",
		[MEM_METADATA] = "frame metadata",
		[MEM_LIMITED] = "beyond memlimit",
	};

	return type < MEM_TYPE_COUNT ? name[type] : "unknown";
}

enum mem_type mem_type_from_e820(uint32_t type)
{
	switch (type) {
	case 1:
		return MEM_USABLE;
	case 3:
		return MEM_ACPI_RECLAIM;
	case 4:
		return MEM_ACPI_NVS;
	case 5:
		return MEM_BAD;
	default:	/* whatever it is, nobody said that it is ours */
		return MEM_RESERVED;
	}
}
