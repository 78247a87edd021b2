/* SPDX-License-Identifier: MIT */
/* Three tables of its own under the first entry of the root, which is empty otherwise. */
#include "user_page.h"

#include <boot/layout.h>
#include <port/io.h>
#include <port/paging.h>

#define USER_PAGE 0x400000u

static __attribute__((aligned(4096))) pte_t tables[TABLE_LEVELS - 1][TABLE_ENTRIES];

static uint64_t phys_of(const void *p)
{
	return (uint64_t)p - KERNEL_BASE;
}

void *user_page_open(const void *p, bool writable, bool executable)
{
	const uint64_t inside = (uint64_t)p & 0xfff;
	pte_t *entry = &kernel_pml4[level_index(USER_PAGE, TABLE_LEVELS)];

	for (unsigned level = TABLE_LEVELS - 1; level > 0; level--) {
		pte_t *table = tables[level - 1];

		*entry = phys_of(table) | PTE_PRESENT | PTE_WRITE | PTE_USER;
		entry = &table[level_index(USER_PAGE, level)];
	}
	*entry = (phys_of(p) - inside) | PTE_PRESENT | PTE_USER | (writable ? PTE_WRITE : 0) |
		 (executable ? 0 : PTE_NX);
	write_cr3(read_cr3());
	return (void *)(USER_PAGE + inside);
}

void user_page_close(void)
{
	kernel_pml4[level_index(USER_PAGE, TABLE_LEVELS)] = 0;
	write_cr3(read_cr3());
}
