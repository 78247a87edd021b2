/* SPDX-License-Identifier: MIT */
/*
 * The physical memory map, made sane.
 *
 * Firmware hands over a list of ranges that is unsorted, overlapping, with
 * empty and wrapping entries.  Here it becomes a partition: sorted, disjoint,
 * where two entries met the more restrictive type won.  Addresses in no entry
 * are holes: nobody's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In order of restriction: where entries overlap, the larger value wins. */
enum mem_type {
	MEM_USABLE,		/* RAM that is ours (firmware type 1) */
	MEM_ACPI_RECLAIM,	/* ACPI tables (type 3); kept, never reclaimed yet */
	MEM_ACPI_NVS,		/* firmware's own (type 4) */
	MEM_RESERVED,		/* anything of a type we do not know (type 2, 7, ...) */
	MEM_BAD,		/* defective RAM (type 5, or badram=) */
	MEM_FIRMWARE,		/* the first megabyte: real-mode data, option ROMs */
	MEM_BOOT,		/* boot information, modules, command line */
	MEM_FRAMEBUFFER,
	MEM_KERNEL,		/* the kernel image */
	MEM_METADATA,		/* frame words and the tree of free blocks */
	MEM_LIMITED,		/* usable, but beyond memlimit= */
	MEM_TYPE_COUNT
};

struct mem_range {
	uint64_t start;		/* first byte */
	uint64_t end;		/* one past the last byte, > start; UINT64_MAX is the very top */
	enum mem_type type;
};

/* Real machines have been seen with more than 100 entries; split ones add up. */
#define MEMMAP_MAX 512u

struct memmap {
	size_t n;			/* ranges in use */
	size_t dropped;			/* empty or wrapping entries not taken */
	bool overflow;			/* more than MEMMAP_MAX: the excess became dead */
	struct mem_range r[MEMMAP_MAX + 2];	/* sorted, disjoint, no equal neighbours touch; */
					/* the last two are scratch: a split needs room */
};

/**
 * memmap_init() - an empty map
 * Context: boot, one CPU; as everything in this file unless it says otherwise.
 */
void memmap_init(struct memmap *m);

/**
 * memmap_add() - lay a range over the map; the more restrictive type wins
 * @start: first byte
 * @end:   one past the last byte; 0 with start > 0 means the top of the address space
 *
 * The order of calls does not matter until the map overflows; then neighbours
 * are merged into dead ends, least usable memory first, so that nothing a later
 * entry says can revive what an earlier one forbade.
 *
 * Return: true if taken; false if the range is empty or wraps (counted in dropped).
 */
bool memmap_add(struct memmap *m, uint64_t start, uint64_t end, enum mem_type type);

/**
 * memmap_mark() - re-type the usable part of a range, leave the rest as it is
 *
 * For what the kernel itself takes out: its image, modules, badram=, memlimit=.
 * Ranges are rounded outward to frames first, because half a frame is no frame.
 * An @end of 0 or UINT64_MAX is the top of the address space; an empty or
 * wrapping range marks nothing.
 */
void memmap_mark(struct memmap *m, uint64_t start, uint64_t end, enum mem_type type);

/**
 * memmap_find() - a usable piece for boot-time allocation
 * @size:  bytes
 * @align: bytes, a power of two
 * @min:   lowest acceptable address
 * @max:   one past the highest acceptable byte
 *
 * Return: the start of the highest piece that fits, or UINT64_MAX, also for @size 0.
 */
uint64_t memmap_find(const struct memmap *m, uint64_t size, uint64_t align,
		     uint64_t min, uint64_t max);

/* The type at @addr; *hole tells whether no entry covers it (then MEM_RESERVED).
 * @hole may be NULL.  Context: any. */
enum mem_type memmap_type_at(const struct memmap *m, uint64_t addr, bool *hole);

/* A word for people: "usable", "reserved", ...  Context: any. */
const char *mem_type_name(enum mem_type type);

/* From the number in an E820 / Multiboot2 / PVH entry (ACPI 6.5, table 15.4). */
enum mem_type mem_type_from_e820(uint32_t type);

/* What the firmware map alone says, in whole frames (entries rounded inward). */
struct memmap_summary {
	uint64_t usable_frames, dma_frames, dma32_frames, normal_frames;
	uint64_t usable_ranges;		/* maximal runs of usable bytes, neighbours joined */
	uint64_t highest_usable;	/* last byte of the last usable frame; 0 if none */
};

/* Count what is usable in @m.  Context: any. */
void memmap_summarize(const struct memmap *m, struct memmap_summary *out);
