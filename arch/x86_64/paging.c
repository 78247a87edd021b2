/* SPDX-License-Identifier: MIT */
/* Entering pages into the kernel's tables, and finding them there. */
#include <arch/directmap.h>

#include <boot/layout.h>
#include <port/features.h>
#include <port/paging.h>

__attribute__((aligned(4096))) pte_t kernel_pml4[TABLE_ENTRIES];

static pte_t *table_of(pte_t entry)
{
	return directmap_of((phys_t){ entry & PTE_ADDRESS });
}

/* The entry of @level for @virt, with the tables above it made as needed. */
static pte_t *make_entry(uint64_t virt, unsigned level, table_source_t source)
{
	pte_t *table = kernel_pml4;

	for (unsigned l = TABLE_LEVELS; l > level; l--) {
		pte_t *e = &table[level_index(virt, l)];

		if (!(*e & PTE_PRESENT)) {
			pte_t *lower = source();

			if (!lower)
				return NULL;
			*e = directmap_phys(lower).v | PTE_PRESENT | PTE_WRITE;
		}
		table = table_of(*e);
	}
	return &table[level_index(virt, level)];
}

/* The level of the largest page that begins at both addresses and fits. */
static unsigned best_level(uint64_t virt, uint64_t phys, uint64_t size)
{
	unsigned level = cpu_features.gib_pages ? 3 : 2;

	while (level > 1 && (((virt | phys) & (level_size(level) - 1)) || size < level_size(level)))
		level--;
	return level;
}

/* Large pages have the PAT bit elsewhere, because its place says "large". */
static pte_t bits_at(unsigned level, pte_t bits)
{
	if (level == 1)
		return bits | PTE_PRESENT;
	if (bits & PTE_PAT)
		bits = (bits & ~(pte_t)PTE_PAT) | PTE_PAT_LARGE;
	return bits | PTE_PRESENT | PTE_LARGE;
}

bool paging_map(uint64_t virt, uint64_t phys, uint64_t size, pte_t bits, table_source_t source)
{
	while (size) {
		unsigned level = best_level(virt, phys, size);
		uint64_t step = level_size(level);
		pte_t *e = make_entry(virt, level, source);

		if (!e)
			return false;
		do {			/* up to the end of this table, without walking again */
			*e++ = phys | bits_at(level, bits);
			virt += step;
			phys += step;
			size -= step;
		} while (size >= step && level_index(virt, level) != 0);
	}
	return true;
}

pte_t *paging_entry(uint64_t virt, unsigned *level)
{
	pte_t *table = kernel_pml4;

	for (unsigned l = TABLE_LEVELS; l > 0; l--) {
		pte_t *e = &table[level_index(virt, l)];

		if (!(*e & PTE_PRESENT))
			return NULL;
		if (l == 1 || (l < TABLE_LEVELS && (*e & PTE_LARGE))) {
			*level = l;
			return e;
		}
		table = table_of(*e);
	}
	return NULL;
}
