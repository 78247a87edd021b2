/* SPDX-License-Identifier: MIT */
/*
 * Windows: a region of 1 GiB in which pieces of physical memory are mapped one
 * after the other, remembered, and never unmapped.
 */
#include <arch/map.h>

#include <boot/layout.h>
#include <labyrinth/panic.h>
#include <arch/directmap.h>
#include <port/features.h>
#include <port/paging.h>

#define WINDOWS_BASE	0xffffa00000000000u
#define WINDOWS_END	(WINDOWS_BASE + ((uint64_t)1 << 30))
#define WINDOWS_MAX	128u
#define LARGE_PAGE	((uint64_t)2 << 20)

static struct window {
	uint64_t phys, end, virt;	/* whole pages */
	enum map_kind kind;
} windows[WINDOWS_MAX];
static size_t nwindows;
static uint64_t next_free = WINDOWS_BASE;

/*
 * One table for level 3, one for level 2, the rest for level 1: of these a
 * large piece needs one for each end, small ones share.
 */
static __attribute__((aligned(4096))) pte_t tables[18][TABLE_ENTRIES];

static pte_t *new_table(void)
{
	static size_t used;

	if (used == sizeof(tables) / sizeof(tables[0]))
		return NULL;
	/* by its name in the direct map, as paging_map() wants it */
	return directmap_of((phys_t){ (uint64_t)tables[used++] - KERNEL_BASE });
}

static pte_t bits_of(enum map_kind kind)
{
	switch (kind) {
	case MAP_READONLY:        return PTE_NX;
	case MAP_UNCACHED:        return PTE_NX | PTE_WRITE | PTE_PCD | PTE_PWT;
	case MAP_WRITE_COMBINING: return PTE_NX | PTE_WRITE | PTE_PAT;
	}
	panic("map_phys: there is no kind %d", (int)kind);
}

static const struct window *find(uint64_t phys, uint64_t end, enum map_kind kind)
{
	for (size_t i = 0; i < nwindows; i++) {
		const struct window *w = &windows[i];

		if (w->kind == kind && w->phys <= phys && end <= w->end)
			return w;
	}
	return NULL;
}

/* A large piece is placed so that large pages fit it. */
static uint64_t place(uint64_t phys, uint64_t size)
{
	uint64_t virt = next_free;

	if (size >= LARGE_PAGE)
		virt += (phys - virt) & (LARGE_PAGE - 1);
	return virt;
}

static const struct window *open_window(uint64_t phys, uint64_t end, enum map_kind kind)
{
	struct window w = { phys, end, place(phys, end - phys), kind };

	if (nwindows == WINDOWS_MAX || w.virt > WINDOWS_END || end - phys > WINDOWS_END - w.virt)
		return NULL;
	next_free = w.virt + (end - phys);	/* also when it fails half-way */
	if (!paging_map(w.virt, phys, end - phys, bits_of(kind), new_table))
		return NULL;
	windows[nwindows] = w;
	return &windows[nwindows++];
}

void *map_phys(phys_t start, size_t size, enum map_kind kind)
{
	uint64_t limit = (uint64_t)1 << cpu_features.phys_bits;
	uint64_t phys, end;
	const struct window *w;

	if (!size || start.v >= limit || size > limit - start.v)
		return NULL;
	phys = start.v & ~(PAGE_SIZE - 1);
	end = (start.v + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	w = find(phys, end, kind);
	if (!w)
		w = open_window(phys, end, kind);
	return w ? (void *)(w->virt + (start.v - w->phys)) : NULL;
}
