/* SPDX-License-Identifier: MIT */
/* The live page tables keep their promises, and the walk that says so can see. */
#define SUITE "pagetable"
#include <tests/test.h>

#include <arch/directmap.h>
#include <arch/map.h>
#include <arch/pagetable.h>
#include <boot/layout.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/string.h>
#include <port/io.h>
#include <port/nest.h>
#include <port/paging.h>
#include <port/stack.h>

static void show(const struct mapping *m, const char *why)
{
	test_note("%#llx, %llu KiB: %s", (unsigned long long)m->virt,
		  (unsigned long long)m->size / 1024, why);
}

TEST(nothing_is_writable_and_executable)
{
	EXPECT_EQ(pagetable_check_wx(show), 0);
}

/* Give @bits to the page of @v, look, and take them back. */
static size_t violations_with(void *v, pte_t set, pte_t clear)
{
	unsigned level;
	pte_t *e = paging_entry((uint64_t)v, &level);
	pte_t old = e ? *e : 0;
	size_t n;

	if (!e)
		return 0;
	*e = (old | set) & ~clear;
	n = pagetable_check_wx(NULL);
	*e = old;
	invlpg(v);
	return n;
}

/* A check that finds nothing proves nothing unless it is known to find. */
TEST(a_broken_rule_is_found)
{
	void *alias = directmap_of((phys_t){ (uint64_t)text_start & ~KERNEL_BASE });

	EXPECT(violations_with(text_start, PTE_WRITE, 0) >= 1);
	EXPECT(violations_with(sealed_end, 0, PTE_NX) >= 1);
	EXPECT(violations_with(alias, PTE_WRITE, 0) >= 1);
	EXPECT_EQ(pagetable_check_wx(show), 0);
}

static void expect_rights(const char *start, const char *end, bool writable, bool executable)
{
	for (const char *p = start; p < end; p += PAGE_SIZE) {
		struct mapping m;

		ASSERT(pagetable_lookup(p, &m));
		EXPECT_EQ(m.phys, (uint64_t)p & ~KERNEL_BASE);
		EXPECT_EQ(m.size, PAGE_SIZE);
		EXPECT_EQ(m.writable, writable);
		EXPECT_EQ(m.executable, executable);
		EXPECT(!m.user);
		ASSERT(pagetable_lookup(directmap_of((phys_t){ m.phys }), &m));
		EXPECT_EQ(m.writable, writable);
		EXPECT(!m.executable);
	}
}

TEST(the_image_has_its_rights_and_its_aliases_no_more)
{
	expect_rights(text_start, text_end, false, true);
	expect_rights(rodata_start, rodata_end, false, false);
	expect_rights(sealed_start, sealed_end, false, false);
	expect_rights(sealed_end, (const char *)kernel_stacks, true, false);
	expect_rights((const char *)first_nest.space, kernel_end, true, false);
}

TEST(below_each_stack_lies_an_unmapped_page)
{
	for (unsigned i = 0; i < STACK_COUNT; i++) {
		const char *guard = (const char *)kernel_stacks[i].guard;
		phys_t phys = { (uint64_t)guard & ~KERNEL_BASE };
		struct mapping m;

		EXPECT(!pagetable_lookup(guard, &m));
		EXPECT(!pagetable_lookup(guard + STACK_GUARD - 1, &m));
		EXPECT(!pagetable_lookup(directmap_of(phys), &m));
		expect_rights(guard + STACK_GUARD, guard + STACK_GUARD + STACK_SIZE, true, false);
	}
}

static void count_lower_half(const struct mapping *m, void *arg)
{
	if (m->virt < (uint64_t)1 << 47)
		++*(size_t *)arg;
}

TEST(nothing_is_mapped_where_user_programs_will_be)
{
	size_t n = 0;

	pagetable_walk(count_lower_half, &n);
	EXPECT_EQ(n, 0);
}

/* First and last page of each range: mapped exactly if the kernel may touch it. */
TEST(the_direct_map_covers_what_is_ours_and_no_dead_end)
{
	const struct memmap *map = &boot_info.map;

	for (size_t i = 0; i < map->n; i++) {
		const struct mem_range *r = &map->r[i];
		uint64_t first = (r->start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		uint64_t last = (r->end & ~(PAGE_SIZE - 1)) - PAGE_SIZE;
		bool ours = r->type == MEM_USABLE || r->type == MEM_BOOT ||
			    r->type == MEM_METADATA || r->type == MEM_FIRMWARE;
		struct mapping m;

		if (r->type == MEM_KERNEL || r->end < PAGE_SIZE || last < first)
			continue;
		if (first == 0 && ours)
			first = PAGE_SIZE;
		if (r->end > DIRECT_MAP_SIZE)
			continue;
		EXPECT_EQ(pagetable_lookup(directmap_of((phys_t){ first }), &m), ours);
		EXPECT_EQ(pagetable_lookup(directmap_of((phys_t){ last }), &m), ours);
	}
	EXPECT(!pagetable_lookup(directmap_of((phys_t){ 0 }), &(struct mapping){ 0 }));
}

TEST(lookup_and_walk_agree_on_a_window)
{
	phys_t vga = { 0xb8000 };
	uint8_t *v = map_phys(vga, 4000, MAP_UNCACHED);
	struct mapping m;

	ASSERT(v && pagetable_lookup(v, &m));
	EXPECT_EQ(m.phys, vga.v);
	EXPECT(m.writable && !m.executable);
	EXPECT(strcmp(m.cache, "uncached") == 0);
	EXPECT(map_phys((phys_t){ 0xb8010 }, 16, MAP_UNCACHED) == v + 0x10);
	EXPECT(!map_phys(vga, 0, MAP_UNCACHED));
	EXPECT(!map_phys((phys_t){ UINT64_MAX }, 2, MAP_UNCACHED));
}
