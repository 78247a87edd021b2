/* SPDX-License-Identifier: MIT */
/* Printing a memory map. */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>

#include <labyrinth/frame.h>
#include <labyrinth/zone.h>

#define BAR_WIDTH 64u

/* Bytes with a unit, one decimal where it says more: "639 KiB", "1.5 GiB". */
static const char *size_text(uint64_t bytes)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	static char text[4][16];
	static unsigned turn;
	char *out = text[turn++ % 4];
	unsigned u = 0;

	while (u < 6 && bytes >> (10 * (u + 1)) != 0)
		u++;
	uint64_t whole = bytes >> (10 * u);
	uint64_t rest = bytes & (((uint64_t)1 << (10 * u)) - 1);
	uint64_t half = u > 0 ? (uint64_t)1 << (10 * u - 1) : 0;
	unsigned tenth = (unsigned)((rest * 10 + half) >> (10 * u));

	if (tenth == 10) {
		whole++;
		tenth = 0;
	}
	if (rest == 0)
		snprintf(out, sizeof(text[0]), "%" PRIu64 " %s", whole, unit[u]);
	else
		snprintf(out, sizeof(text[0]), "%" PRIu64 ".%u %s", whole, tenth, unit[u]);
	return out;
}

void show_tsv(const struct memmap *m)
{
	struct memmap_summary s;

	memmap_summarize(m, &s);
	printf("usable_frames\t%" PRIu64 "\n", s.usable_frames);
	printf("dma_frames\t%" PRIu64 "\n", s.dma_frames);
	printf("dma32_frames\t%" PRIu64 "\n", s.dma32_frames);
	printf("normal_frames\t%" PRIu64 "\n", s.normal_frames);
	printf("usable_ranges\t%" PRIu64 "\n", s.usable_ranges);
	printf("highest_usable\t0x%" PRIx64 "\n", s.highest_usable);
}

static void show_zone(const char *name, const char *where, uint64_t frames)
{
	printf("  %-8s %-20s %16" PRIu64 " %12s\n", name, where, frames,
	       size_text(frames << PAGE_SHIFT));
}

static void show_zones(const struct memmap_summary *s)
{
	printf("  %-8s %-20s %16s %12s\n", "zone", "", "usable frames", "size");
	show_zone("DMA", "below 16 MiB", s->dma_frames);
	show_zone("DMA32", "16 MiB to 4 GiB", s->dma32_frames);
	show_zone("Normal", "above 4 GiB", s->normal_frames);
	show_zone("total", "", s->usable_frames);
}

/* One cell of the picture: [start, end) is all usable, partly, dead, or in no entry. */
static char cell(const struct memmap *m, uint64_t start, uint64_t end)
{
	uint64_t usable = 0, dead = 0;

	for (size_t i = 0; i < m->n && m->r[i].start < end; i++) {
		uint64_t from = m->r[i].start > start ? m->r[i].start : start;
		uint64_t to = m->r[i].end < end ? m->r[i].end : end;

		if (from >= to)
			continue;
		if (m->r[i].type == MEM_USABLE)
			usable += to - from;
		else
			dead += to - from;
	}
	if (usable == end - start)
		return '#';
	if (usable > 0)
		return '+';
	return dead > 0 ? 'x' : '.';
}

static void show_bar(const struct memmap *m, const char *name, uint64_t start, uint64_t end)
{
	uint64_t step = (end - start) / BAR_WIDTH;
	char bar[BAR_WIDTH + 1];

	for (unsigned i = 0; i < BAR_WIDTH; i++) {
		uint64_t from = start + i * step;

		bar[i] = cell(m, from, i + 1 < BAR_WIDTH ? from + step : end);
	}
	bar[BAR_WIDTH] = '\0';
	printf("  %-8s %s\n", name, bar);
}

/* Three lines of the same width: each zone has its own scale. */
static void show_picture(const struct memmap *m)
{
	uint64_t dma = (uint64_t)ZONE_DMA_END << PAGE_SHIFT;
	uint64_t dma32 = (uint64_t)ZONE_DMA32_END << PAGE_SHIFT;
	uint64_t top = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->r[i].type == MEM_USABLE)
			top = m->r[i].end;
	}
	show_bar(m, "DMA", 0, dma);
	show_bar(m, "DMA32", dma, dma32);
	if (top > dma32 + BAR_WIDTH)
		show_bar(m, "Normal", dma32, top);
	printf("  %-8s # usable   + partly   x dead end   . hole\n", "");
	printf("  %-8s one cell: DMA %s, DMA32 %s", "", size_text(dma / BAR_WIDTH),
	       size_text((dma32 - dma) / BAR_WIDTH));
	if (top > dma32 + BAR_WIDTH)
		printf(", Normal %s", size_text((top - dma32) / BAR_WIDTH));
	printf("\n");
}

static void show_range(uint64_t start, uint64_t end, const char *what)
{
	uint64_t last = end == UINT64_MAX ? end : end - 1;

	printf("  0x%016" PRIx64 "-0x%016" PRIx64 " %11s  %s\n", start, last,
	       size_text(end - start), what);
}

/* All that is not usable, up to the last entry.  Return: bytes of dead ends and of holes. */
static void show_dead(const struct memmap *m, uint64_t *dead, uint64_t *holes)
{
	uint64_t at = 0;

	*dead = *holes = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct mem_range *r = &m->r[i];

		if (at < r->start) {
			show_range(at, r->start, "hole: in no entry");
			*holes += r->start - at;
		}
		if (r->type != MEM_USABLE) {
			show_range(r->start, r->end, mem_type_name(r->type));
			*dead += r->end - r->start;
		}
		at = r->end;
	}
	if (*dead + *holes == 0)
		printf("  none\n");
}

static void show_total(const char *name, uint64_t bytes, const char *what)
{
	printf("  %-12s %12s  %s\n", name, size_text(bytes), what);
}

void show_people(const struct memmap *m, const char *name)
{
	struct memmap_summary s;
	uint64_t dead, holes, usable = 0;

	memmap_summarize(m, &s);
	for (size_t i = 0; i < m->n; i++) {
		if (m->r[i].type == MEM_USABLE)
			usable += m->r[i].end - m->r[i].start;
	}
	printf("Memory map: %s\n\nZones\n", name);
	show_zones(&s);
	printf("\nPicture\n");
	show_picture(m);
	printf("\nDead ends\n");
	show_dead(m, &dead, &holes);
	printf("\nTotals\n");
	show_total("usable", s.usable_frames << PAGE_SHIFT, "in whole frames");
	show_total("rounded off", usable - (s.usable_frames << PAGE_SHIFT),
		   "usable, but not a whole frame");
	show_total("dead ends", dead, "in entries of other types");
	show_total("holes", holes, "in no entry, below the last one's end");
	printf("  %-12s %12" PRIu64 "  usable, neighbours joined\n", "ranges", s.usable_ranges);
	if (s.usable_frames > 0)
		printf("  %-12s 0x%" PRIx64 "\n", "highest byte", s.highest_usable);
}
