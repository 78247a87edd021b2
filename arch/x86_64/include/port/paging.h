/* SPDX-License-Identifier: MIT */
/* Page tables as the processor reads them (Intel SDM vol. 3, section 4.5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t pte_t;

#define PTE_PRESENT  0x001u
#define PTE_WRITE    0x002u
#define PTE_USER     0x004u
#define PTE_PWT      0x008u
#define PTE_PCD      0x010u
#define PTE_LARGE    0x080u		/* in levels 2 and 3: maps memory, not a table */
#define PTE_PAT      0x080u		/* in level 1 */
#define PTE_PAT_LARGE 0x1000u		/* in large pages of levels 2 and 3 */
#define PTE_NX       ((pte_t)1 << 63)
#define PTE_ADDRESS  0x000ffffffffff000u

#define TABLE_ENTRIES 512u
#define TABLE_LEVELS  4u		/* level 4 is the root, entries of level 1 map 4 KiB */

/* Bytes that one entry of @level stands for. */
static inline uint64_t level_size(unsigned level)
{
	return (uint64_t)1 << (12 + 9 * (level - 1));
}

static inline unsigned level_index(uint64_t virt, unsigned level)
{
	return virt >> (12 + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}

/* The first root (boot/entry.S), the one in use after it, and the tables of the
 * image that both share: one entry a page from physical 0 on. */
extern pte_t boot_pml4[TABLE_ENTRIES];
extern pte_t kernel_pml4[TABLE_ENTRIES];
extern pte_t image_pt[4 * TABLE_ENTRIES];

/* What the cache bits of an entry mean; the same on every CPU.  Context: boot of each CPU. */
void pat_init(void);

/* An empty table in the direct map, or NULL. */
typedef pte_t *(*table_source_t)(void);

/**
 * paging_map() - enter @size bytes at @phys into the kernel's tables
 * @virt: as @phys a multiple of 4 KiB, nothing mapped there yet
 * @bits: PTE_WRITE, PTE_NX, cache bits as for level 1
 *
 * Uses the largest pages that fit.  No TLB entry can be stale, as nothing was
 * mapped before.
 *
 * Context: boot, one CPU.
 * Return:  false when @source had no more tables; a part may be mapped then.
 */
bool paging_map(uint64_t virt, uint64_t phys, uint64_t size, pte_t bits, table_source_t source);

/* The entry that maps @virt, and its level; NULL when nothing does.  Context: any. */
pte_t *paging_entry(uint64_t virt, unsigned *level);
