/* SPDX-License-Identifier: MIT */
/*
 * The final tables: the image with its rights, and all RAM in the direct map.
 *
 * The tables are built while the first ones (boot/entry.S) are in use; these
 * reach 4 GiB, and nothing may be written below LOAD_END through them.
 */
#include <arch/directmap.h>
#include <arch/init.h>

#include <boot/layout.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/panic.h>
#include <labyrinth/string.h>
#include <port/features.h>
#include <port/io.h>
#include <port/nest.h>
#include <port/paging.h>
#include <port/stack.h>

#define TABLES_FROM	0x800000u		/* LOAD_END of linker.ld */
#define TABLES_TO	((uint64_t)1 << 32)

/* Page attributes (SDM vol. 3, 11.12): as at reset, but number 4 combines writes. */
#define MSR_PAT		0x277u
#define PAT_VALUE	0x0007040100070406u

/* A page of usable memory, taken for good.  One at a time: 1 TiB needs a thousand. */
static pte_t *new_table(void)
{
	struct memmap *m = &boot_info.map;
	uint64_t phys = memmap_find(m, PAGE_SIZE, PAGE_SIZE, TABLES_FROM, TABLES_TO);
	void *table;

	if (phys == UINT64_MAX)
		return NULL;
	memmap_mark(m, phys, phys + PAGE_SIZE, MEM_METADATA);
	table = directmap_of((phys_t){ phys });
	return memset(table, 0, PAGE_SIZE);
}

static void map_or_panic(uint64_t virt, uint64_t phys, uint64_t size, pte_t bits)
{
	if (!paging_map(virt, phys, size, bits, new_table))
		panic("no usable memory between 8 MiB and 4 GiB for page tables; "
		      "give the machine at least 16 MiB");
}

/* What the kernel may touch.  Its own image is mapped piece by piece instead. */
static bool is_ours(enum mem_type t)
{
	return t == MEM_USABLE || t == MEM_FIRMWARE || t == MEM_BOOT || t == MEM_METADATA;
}

/*
 * The first run of such memory that ends after @at.  By address, because new
 * tables change the ranges, though never what is ours.
 */
static bool next_run(uint64_t at, uint64_t *start, uint64_t *end)
{
	const struct memmap *m = &boot_info.map;
	size_t i = 0;

	while (i < m->n && (m->r[i].end <= at || !is_ours(m->r[i].type)))
		i++;
	if (i == m->n)
		return false;
	*start = m->r[i].start;
	do
		*end = m->r[i++].end;
	while (i < m->n && m->r[i].start == *end && is_ours(m->r[i].type));
	return true;
}

static void map_ram(void)
{
	uint64_t start, end, at = 0;

	for (; next_run(at, &start, &end); at = end) {
		uint64_t from = (start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		uint64_t to = end & ~(PAGE_SIZE - 1);

		if (from == 0)
			from = PAGE_SIZE;	/* physical null pointers shall fault */
		if (from < to)
			map_or_panic(DIRECT_MAP_BASE + from, from, to - from, PTE_WRITE | PTE_NX);
	}
}

/* Virtual addresses of the image as numbers; .boot is linked at its physical one. */
static void map_alias(const char *start, const char *end, pte_t bits)
{
	uint64_t phys = (uint64_t)start & ~KERNEL_BASE;

	map_or_panic(DIRECT_MAP_BASE + phys, phys, (uint64_t)(end - start), bits);
}

/* The image once more in the direct map, nowhere with more rights than in its own place. */
static void map_image_aliases(void)
{
	const char *at = data_start;

	map_alias(boot_start, boot_end, PTE_NX);
	map_alias(text_start, text_end, PTE_NX);
	map_alias(rodata_start, rodata_end, PTE_NX);
	for (unsigned i = 0; i < STACK_COUNT; i++) {
		const char *guard = (const char *)kernel_stacks[i].guard;

		map_alias(at, guard, PTE_WRITE | PTE_NX);
		at = guard + STACK_GUARD;
	}
	map_alias(at, (const char *)first_nest.guard, PTE_WRITE | PTE_NX);
	at = (const char *)first_nest.space;
	map_alias(at, kernel_end, PTE_WRITE | PTE_NX);
}

static pte_t *image_entry(const void *v)
{
	return &image_pt[((uint64_t)v - KERNEL_BASE) / PAGE_SIZE];
}

static void unmap_guards(void)
{
	for (unsigned i = 0; i < STACK_COUNT; i++)
		*image_entry(kernel_stacks[i].guard) = 0;
	*image_entry(first_nest.guard) = 0;
}

void pat_init(void)
{
	wrmsr(MSR_PAT, PAT_VALUE);
}

void directmap_init(void)
{
	/* entries beyond what the processor can address would fault on their reserved bits */
	memmap_mark(&boot_info.map, (uint64_t)1 << cpu_features.phys_bits, 0, MEM_LIMITED);
	pat_init();
	map_ram();
	map_image_aliases();
	unmap_guards();
	kernel_pml4[TABLE_ENTRIES - 1] = boot_pml4[TABLE_ENTRIES - 1];
	write_cr3((uint64_t)kernel_pml4 - KERNEL_BASE);
}

void seal(void)
{
	for (const char *p = sealed_start; p < sealed_end; p += PAGE_SIZE) {
		void *alias = directmap_of((phys_t){ (uint64_t)p - KERNEL_BASE });
		unsigned level;
		pte_t *e = paging_entry((uint64_t)alias, &level);

		KASSERT(e && level == 1);
		*image_entry(p) &= ~(pte_t)PTE_WRITE;
		*e &= ~(pte_t)PTE_WRITE;
		invlpg(p);
		invlpg(alias);
	}
}
