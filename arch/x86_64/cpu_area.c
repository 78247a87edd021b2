/* SPDX-License-Identifier: MIT */
/* Memory for one more CPU: frames from the allocator, entered into the region of slots. */
#include <port/cpu_area.h>

#include <arch/directmap.h>
#include <labyrinth/page.h>
#include <labyrinth/string.h>
#include <port/paging.h>

static owner_t owner;

static void *new_page(void)
{
	if (!owner.id)
		owner = owner_register("CPU");
	return owner.id ? allocpage(GFP_KERNEL | GFP_ZERO, owner) : NULL;
}

static pte_t *new_table(void)
{
	return new_page();
}

/* Return: where the new page at @v can be written, or NULL. */
static void *map_page(const void *v)
{
	void *page = new_page();

	if (!page)
		return NULL;
	if (paging_map((uint64_t)v, directmap_phys(page).v, PAGE_SIZE, PTE_WRITE | PTE_NX,
		       new_table))
		return page;
	freepage(page, owner);
	return NULL;
}

static bool map_pages(const void *start, size_t size)
{
	const uint8_t *v = start;

	for (size_t i = 0; i < size; i += PAGE_SIZE)
		if (!map_page(v + i))
			return false;
	return true;
}

/* No other CPU has seen these pages, and this one has not used them by this name. */
static void unmap(struct cpu_area *a)
{
	for (uint64_t v = (uint64_t)a; v < (uint64_t)(a + 1); v += PAGE_SIZE) {
		unsigned level;
		pte_t *e = paging_entry(v, &level);

		if (!e)
			continue;
		freepage(directmap_of((phys_t){ *e & PTE_ADDRESS }), owner);
		*e = 0;
	}
}

static struct cpu_tables *map_all(struct cpu_area *a)
{
	for (unsigned i = 0; i < STACK_COUNT; i++)
		if (!map_pages(a->stack[i].space, STACK_SIZE))
			return NULL;
	if (!map_pages(a->nest.space, NEST_SIZE))
		return NULL;
	if (!map_pages(&a->percpu, (sizeof(a->percpu) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1)))
		return NULL;
	return map_page(&a->tables);
}

bool cpu_area_make(unsigned cpu)
{
	struct cpu_area *a = cpu_area(cpu);
	struct cpu_tables *tables = map_all(a);

	if (!tables) {
		unmap(a);
		return false;
	}
	cpu_tables_fill(tables, &a->tables, a->stack);
	percpu_fill(&a->percpu, &a->percpu, cpu, a->stack, &a->nest);
	return true;
}

/* The task state is marked busy by the load, and never written again. */
void cpu_area_enter(unsigned cpu)
{
	struct cpu_area *a = cpu_area(cpu);
	unsigned level;

	percpu_install(&a->percpu);
	cpu_tables_load(&a->tables);
	*paging_entry((uint64_t)&a->tables, &level) &= ~(pte_t)PTE_WRITE;
	invlpg(&a->tables);
}
