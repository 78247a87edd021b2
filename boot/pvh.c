/* SPDX-License-Identifier: MIT */
/*
 * What a hypervisor tells a kernel that it starts directly; the layout is from
 * Xen's public/arch-x86/hvm/start_info.h.
 */
#include <labyrinth/string.h>

#include "boot.h"

#define MAGIC		0x336ec578u
#define ENTRIES_MAX	4096u		/* of a memory map; more is nonsense */

struct start_info {
	uint32_t magic, version, flags, nmodules;
	uint64_t modules, cmdline, rsdp;	/* physical addresses, 0 for none */
	uint64_t memmap;			/* from here on: version 1 */
	uint32_t memmap_entries, reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "the hypervisor knows this layout");

struct module_entry {
	uint64_t start, size, cmdline, reserved;
};

struct map_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

static void read_cmdline(struct boot_info *bi, uint64_t phys, phys_reader_t at)
{
	/* its length is not told: near the end of what can be reached, try less */
	for (uint64_t n = sizeof(bi->cmdline); phys && n; n /= 2) {
		const char *text = at(phys, n);

		if (text) {
			boot_copy_text(bi, bi->cmdline, sizeof(bi->cmdline), text, n,
				       "command line");
			return;
		}
	}
}

static void read_modules(struct boot_info *bi, const struct start_info *si, phys_reader_t at)
{
	const struct module_entry *m;

	if (!si->nmodules)
		return;
	if (si->nmodules > ENTRIES_MAX || !(m = at(si->modules, si->nmodules * sizeof(*m)))) {
		boot_note(bi, "the list of modules has an impossible size or address: left out");
		return;
	}
	for (uint32_t i = 0; i < si->nmodules; i++)
		boot_add_module(bi, m[i].start, m[i].start + m[i].size);
	memmap_mark(&bi->map, si->modules, si->modules + si->nmodules * sizeof(*m), MEM_BOOT);
}

/* The root pointer is 20 bytes, from revision 2 on 36 (ACPI 6.5, table 5.3). */
static void read_rsdp(struct boot_info *bi, uint64_t phys, phys_reader_t at)
{
	const uint8_t *p = phys ? at(phys, sizeof(bi->rsdp_copy)) : NULL;

	if (!p)
		return;
	bi->rsdp = phys;
	bi->rsdp_xsdt = p[15] >= 2;
	memcpy(bi->rsdp_copy, p, bi->rsdp_xsdt ? 36 : 20);
}

const char *pvh_read(struct boot_info *bi, uint64_t info, phys_reader_t at)
{
	const struct start_info *si = at(info, sizeof(*si));
	const struct map_entry *e;

	bi->way = BOOT_PVH;
	if (!si || si->magic != MAGIC)
		return "started directly, but without a PVH start info; use QEMU's -kernel";
	if (si->version < 1 || !si->memmap_entries)
		return "the PVH start info has no memory map; a newer QEMU (4.0) gives one";
	if (si->memmap_entries > ENTRIES_MAX ||
	    !(e = at(si->memmap, si->memmap_entries * sizeof(*e))))
		return "the PVH memory map has an impossible size or address";
	for (uint32_t i = 0; i < si->memmap_entries; i++)
		memmap_add(&bi->map, e[i].start, e[i].start + e[i].size,
			   mem_type_from_e820(e[i].type));
	boot_copy_text(bi, bi->loader, sizeof(bi->loader), "PVH", 4, "loader's name");
	read_cmdline(bi, si->cmdline, at);
	read_modules(bi, si, at);
	read_rsdp(bi, si->rsdp, at);
	memmap_mark(&bi->map, info, info + sizeof(*si), MEM_BOOT);
	return NULL;
}
