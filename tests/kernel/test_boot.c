/* SPDX-License-Identifier: MIT */
/* What the loader told has become a boot_info that the kernel can rely on. */
#define SUITE "boot"
#include <tests/test.h>

#include <arch/pagetable.h>
#include <boot/layout.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/mm.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <port/cpu_area.h>
#include <port/paging.h>

#include "kernel/options.h"

TEST(the_map_is_a_partition)
{
	const struct memmap *m = &boot_info.map;

	EXPECT(m->n > 0 && m->n <= MEMMAP_MAX);
	for (size_t i = 0; i < m->n; i++) {
		EXPECT(m->r[i].start < m->r[i].end);
		EXPECT(m->r[i].type < MEM_TYPE_COUNT);
		if (i > 0)
			EXPECT(m->r[i - 1].end <= m->r[i].start);
	}
}

TEST(there_is_usable_memory)
{
	const struct memmap *m = &boot_info.map;
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].type == MEM_USABLE)
			bytes += m->r[i].end - m->r[i].start;
	test_note("%llu KiB usable", (unsigned long long)bytes / 1024);
	EXPECT(bytes >= (uint64_t)4 << 20);
}

TEST(mistyped_options_are_found)
{
	const char *at = "memlimit=1G seed test=x.* nmis=3 stepat=1 memlmit=1G seeds memlimi";
	size_t len;
	const char *word = options_stranger(&at, &len);

	EXPECT(word && len == 10 && strncmp(word, "memlmit=1G", len) == 0);
	word = options_stranger(&at, &len);
	EXPECT(word && len == 5 && strncmp(word, "seeds", len) == 0);
	word = options_stranger(&at, &len);
	EXPECT(word && len == 7 && strncmp(word, "memlimi", len) == 0);
	EXPECT(!options_stranger(&at, &len));
}

static void expect_not_usable(uint64_t start, uint64_t end)
{
	const struct memmap *m = &boot_info.map;

	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].type == MEM_USABLE)
			EXPECT(m->r[i].end <= start || end <= m->r[i].start);
}

TEST(what_is_in_use_is_not_usable)
{
	const struct framebuffer *fb = &boot_info.fb;

	EXPECT_EQ(boot_info.kernel_start, (uint64_t)boot_start);
	EXPECT(boot_info.kernel_start < boot_info.kernel_end);
	expect_not_usable(0, 0x100000);
	expect_not_usable(boot_info.kernel_start, boot_info.kernel_end);
	for (size_t i = 0; i < boot_info.nmodules; i++)
		expect_not_usable(boot_info.module[i].start, boot_info.module[i].end);
	if (fb->type != FB_NONE)
		expect_not_usable(fb->phys, fb->phys + (uint64_t)fb->pitch * fb->height);
}

TEST(the_loader_has_a_name_and_the_line_an_end)
{
	EXPECT(boot_info.loader[0]);
	EXPECT(strnlen(boot_info.loader, sizeof(boot_info.loader)) < sizeof(boot_info.loader));
	EXPECT(strnlen(boot_info.cmdline, CMDLINE_MAX) < CMDLINE_MAX);
	test_note("%s%s, \"%s\"", boot_info.loader, boot_info.uefi ? ", UEFI" : "",
		  boot_info.cmdline);
}

TEST(the_root_of_acpi_adds_up)
{
	uint8_t sum = 0;

	if (!boot_info.rsdp) {
		test_skip("the loader named no ACPI root pointer");
		return;
	}
	EXPECT(strncmp((const char *)boot_info.rsdp_copy, "RSD PTR ", 8) == 0);
	for (unsigned i = 0; i < 20; i++)	/* the checksum of revision 0 (ACPI 6.5, 5.2.5.3) */
		sum = (uint8_t)(sum + boot_info.rsdp_copy[i]);
	EXPECT_EQ(sum, 0);
}

TEST(boot_info_is_sealed)
{
	struct mapping m;

	ASSERT(pagetable_lookup(&boot_info, &m));
	EXPECT(!m.writable);
}

/* The pages of CPU @cpu's stacks and data that are mapped. */
static uint64_t pages_of_cpu(unsigned cpu)
{
	uint64_t start = (uint64_t)cpu_area(cpu), pages = 0;

	for (uint64_t v = start; v < start + CPU_AREA_SIZE; v += PAGE_SIZE) {
		unsigned level;

		pages += paging_entry(v, &level) != NULL;
	}
	return pages;
}

/* A CPU that could not have all that it needs (failnth=) has given back what it had. */
TEST(what_cpus_hold_is_mapped)
{
	uint64_t tables = 3 + cpus_possible() * CPU_AREA_SIZE / ((uint64_t)2 << 20), mapped = 0;
	struct owner_stats s;

	for (unsigned cpu = 1; cpu < cpus_possible(); cpu++) {
		struct cpu_info info;
		uint64_t pages = pages_of_cpu(cpu);

		EXPECT(cpu_get_info(cpu, &info));
		if (info.state == CPU_ONLINE)
			EXPECT_CMP(pages, >, 0);
		else if (info.why && strcmp(info.why, "not enough memory for its stacks") == 0)
			EXPECT_EQ(pages, 0);
		mapped += pages;
	}
	for (uint8_t id = 1; id < OWNER_COUNT; id++) {
		if (strcmp(owner_name((owner_t){ id }), "CPU") != 0)
			continue;
		owner_stats((owner_t){ id }, &s);
		EXPECT_CMP(s.held, >=, mapped);
		EXPECT_CMP(s.held, <=, mapped + tables);
	}
}
