/* SPDX-License-Identifier: MIT */
/* The loader's story, read once through the first page tables. */
#include <arch/directmap.h>
#include <arch/init.h>
#include <labyrinth/panic.h>

#include "boot.h"
#include "layout.h"

SEALED struct boot_info boot_info;

/* The first page tables reach 4 GiB.  Page 0 is no place for anything to be in. */
static const void *reach(uint64_t phys, uint64_t size)
{
	const uint64_t end = (uint64_t)1 << 32;

	if (phys == 0 || phys >= end || size > end - phys)
		return NULL;
	return directmap_of((phys_t){ phys });
}

void boot_info_init(const struct handover *h)
{
	struct boot_info *bi = &boot_info;
	const char *why;

	memmap_init(&bi->map);
	bi->kernel_start = (uint64_t)boot_start;
	bi->kernel_end = (uint64_t)kernel_end - KERNEL_BASE;
	why = h->way == BOOT_PVH ? pvh_read(bi, h->info, reach)
				 : multiboot2_read(bi, h->magic, h->info, reach);
	if (why)
		panic("%s", why);
	boot_claim_memory(bi);
}
