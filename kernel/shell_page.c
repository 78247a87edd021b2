/* SPDX-License-Identifier: MIT */
/* page: everything the kernel knows about an address. */
#include <arch/pagetable.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>

#include "kernel/shell.h"
#include "kernel/size_text.h"

static void show_symbol(uint64_t addr)
{
	struct ksym sym;
	const char *file;
	unsigned line;

	if (!ksym_lookup((uintptr_t)addr, &sym))
		return;
	kprintf("  function    %s+%#zx", sym.name, sym.offset);
	if (kline_lookup((uintptr_t)addr, &file, &line))
		kprintf(", %s:%u", file, line);
	kprintf("\n");
}

/* Return: false when nothing is mapped there; else *@phys is what is. */
static bool show_mapping(uint64_t addr, uint64_t *phys)
{
	struct mapping m;
	char size[SIZE_TEXT_MAX];

	if (!pagetable_lookup((const void *)(uintptr_t)addr, &m)) {
		kprintf("  mapped      nothing is: an access faults\n");
		return false;
	}
	*phys = m.phys + (addr - m.virt);
	kprintf("  mapped      physical %#llx, by a page of %s\n"
		"  access      %s, %s, %s\n",
		(unsigned long long)*phys, size_text(size, m.size),
		m.writable ? "writable" : "read-only",
		m.executable ? "executable" : "not executable", m.cache);
	return true;
}

static void show_range(uint64_t phys)
{
	const struct memmap *m = &boot_info.map;
	char size[SIZE_TEXT_MAX];

	for (size_t i = 0; i < m->n; i++) {
		if (phys < m->r[i].start || phys >= m->r[i].end)
			continue;
		kprintf("  memory map  %s, %#llx - %#llx (%s)\n", mem_type_name(m->r[i].type),
			(unsigned long long)m->r[i].start, (unsigned long long)m->r[i].end - 1,
			size_text(size, m->r[i].end - m->r[i].start));
		return;
	}
	kprintf("  memory map  in no entry: a hole\n");
}

static void show_frame(uint64_t phys)
{
	struct page_info info;
	char size[SIZE_TEXT_MAX];

	if (phys >> PAGE_SHIFT >= FRAME_NONE.n) {
		kprintf("  frame       none: beyond what a frame number can say\n");
		return;
	}
	page_query(phys_to_frame((phys_t){ phys }), &info);
	kprintf("  frame       %#x, %s", info.frame.n, page_state_name(info.state));
	if (info.state == PAGE_RESERVED) {
		kprintf(": a dead end\n");
		return;
	}
	if (info.state == PAGE_QUARANTINED) {
		kprintf(": the hardware reported damage\n");
		return;
	}
	kprintf(", in a block of order %u (%s) from frame %#x\n", info.order,
		size_text(size, (uint64_t)PAGE_SIZE << info.order), info.head.n);
	if (info.state != PAGE_FREE)
		kprintf("  owner       %s\n", owner_name(info.owner));
	if (info.state == PAGE_SHARED)
		kprintf("  references  %u besides the owner's\n", info.refs);
	if (info.damaged)
		kprintf("  damaged     the hardware says so of a page in it\n");
	kprintf("  generation  %u\n", info.generation);
	if (info.in_zone)
		kprintf("  zone        %s\n", zone_name(info.zone));
}

COMMAND(page, "ADDR", "tell what an address is",
	"  ADDR is hexadecimal with or without 0x, or 16M, or a function's name, also\n"
	"  with +OFFSET.  Below ffff800000000000 it is a physical address.\n")
{
	uint64_t addr, phys;

	if (argc != 2)
		return false;
	if (!shell_address(argv[1], &addr)) {
		kprintf("\"%s\" is neither an address nor the name of a function.\n", argv[1]);
		return false;
	}
	kprintf("%#llx\n", (unsigned long long)addr);
	phys = addr;
	if (addr >= UPPER_HALF) {
		show_symbol(addr);
		if (!show_mapping(addr, &phys))
			return true;
	}
	show_range(phys);
	show_frame(phys);
	return true;
}
