/* SPDX-License-Identifier: MIT */
/*
 * The region of threads' stacks.  A slot is a guard and a stack above it:
 *
 *     +-----------------+-----------------+-----------------+----
 *     | nothing, 16 KiB | stack 0, 16 KiB | nothing, 16 KiB | ...
 *     +-----------------+-----------------+-----------------+----
 *
 * The page tables of level 3 and 2 are fixed; one of level 1, for 64 slots, comes with the
 * first of its stacks and goes with the last.
 */
#include <arch/kstack.h>

#include <arch/directmap.h>
#include <arch/tlb.h>
#include <boot/layout.h>
#include <labyrinth/page.h>
#include <labyrinth/panic.h>
#include <labyrinth/string.h>
#include <labyrinth/wait.h>
#include <port/paging.h>

#define REGION_BASE	0xffffa20000000000u
#define REGION_SIZE	((uint64_t)THREADS_MAX * SLOT_SIZE)
#define SLOT_SIZE	((uint64_t)2 * KSTACK_SIZE)
#define PAGES		(KSTACK_SIZE / PAGE_SIZE)
#define SLOTS_A_TABLE	(level_size(2) / SLOT_SIZE)
#define TABLES		(THREADS_MAX * SLOT_SIZE / ((uint64_t)1 << 21))

_Static_assert(TABLES <= TABLE_ENTRIES, "one table of level 2 is enough");
_Static_assert(KSTACK_SIZE == THREAD_STACK, "as promised");

static __attribute__((aligned(4096))) pte_t level3[TABLE_ENTRIES], level2[TABLE_ENTRIES];

/* All under this lock, but for what a panic looks at. */
static struct mutex lock;
static uint64_t used[THREADS_MAX / 64];		/* a bit a slot */
static unsigned first_free;			/* no slot below is free */
static owner_t tables_owner;

static uint64_t slot_address(unsigned slot) { return REGION_BASE + slot * SLOT_SIZE; }

static void *stack_of(unsigned slot) { return (void *)(slot_address(slot) + KSTACK_SIZE); }

static bool in_use(unsigned slot) { return used[slot / 64] >> slot % 64 & 1; }

bool kstack_contains(uintptr_t addr)
{
	return addr - REGION_BASE < REGION_SIZE;
}

void *kstack_guarded_by(uintptr_t addr)
{
	uint64_t offset = addr - REGION_BASE;

	if (offset >= REGION_SIZE || offset % SLOT_SIZE >= KSTACK_SIZE ||
	    !in_use((unsigned)(offset / SLOT_SIZE)))
		return NULL;
	return stack_of((unsigned)(offset / SLOT_SIZE));
}

/* --- tables */

static pte_t *table_of(unsigned slot)
{
	pte_t e = level2[slot / SLOTS_A_TABLE];

	return e & PTE_PRESENT ? directmap_of((phys_t){ e & PTE_ADDRESS }) : NULL;
}

/* The entries of a slot's stack. */
static pte_t *entries_of(unsigned slot)
{
	return table_of(slot) + level_index((uint64_t)stack_of(slot), 1);
}

static uint64_t image_phys(const void *v) { return (uint64_t)v - KERNEL_BASE; }

static void prepare(void)
{
	if (tables_owner.id)
		return;
	tables_owner = owner_register("stack tables");
	level3[0] = image_phys(level2) | PTE_PRESENT | PTE_WRITE;
	kernel_pml4[level_index(REGION_BASE, 4)] = image_phys(level3) | PTE_PRESENT | PTE_WRITE;
}

/* Return: THREADS_MAX when all are in use. */
static unsigned find_slot(void)
{
	unsigned slot = first_free;

	while (slot < THREADS_MAX && in_use(slot))
		slot++;
	first_free = slot;
	return slot;
}

static void enter(unsigned slot, void *const page[PAGES])
{
	pte_t *e = entries_of(slot);

	for (unsigned i = 0; i < PAGES; i++)
		e[i] = directmap_phys(page[i]).v | PTE_PRESENT | PTE_WRITE | PTE_NX;
	used[slot / 64] |= (uint64_t)1 << slot % 64;
}

static void remove(unsigned slot, void *page[PAGES])
{
	pte_t *e = entries_of(slot);

	for (unsigned i = 0; i < PAGES; i++) {
		page[i] = directmap_of((phys_t){ e[i] & PTE_ADDRESS });
		e[i] = 0;
	}
	used[slot / 64] &= ~((uint64_t)1 << slot % 64);
	if (slot < first_free)
		first_free = slot;
}

/* The table of @slot leaves, if no stack needs it. */
static pte_t *remove_empty_table(unsigned slot)
{
	pte_t *table = table_of(slot);

	_Static_assert(SLOT_SIZE * 64 == (uint64_t)1 << 21, "a word of used is a table");
	if (used[slot / 64])
		return NULL;
	level2[slot / SLOTS_A_TABLE] = 0;
	return table;
}

/* On all CPUs.  What they know of tables is forgotten too: SDM vol. 3, 4.10.4.1, INVLPG. */
static void forget(unsigned slot)
{
	struct tlb_batch b;

	tlb_batch_begin(&b);
	tlb_batch_add(&b, stack_of(slot), KSTACK_SIZE);
	tlb_batch_flush(&b);
}

/* --- making and freeing */

/* A slot with a table, of which @spare may become one.  Return: THREADS_MAX, or a slot. */
static unsigned slot_with_table(gfp_t gfp, void **spare)
{
	unsigned slot;

	for (;;) {
		mutex_lock(&lock);
		prepare();
		slot = find_slot();
		if (slot == THREADS_MAX || table_of(slot))
			return slot;
		if (*spare) {
			level2[slot / SLOTS_A_TABLE] =
				directmap_phys(*spare).v | PTE_PRESENT | PTE_WRITE;
			*spare = NULL;
			return slot;
		}
		/* Who waits for memory must not keep others from giving some back. */
		mutex_unlock(&lock);
		*spare = allocpage(gfp | GFP_ZERO, tables_owner);
		if (!*spare) {
			mutex_lock(&lock);
			return THREADS_MAX;
		}
	}
}

static void *make_from(void *const page[PAGES], gfp_t gfp)
{
	void *spare = NULL;
	unsigned slot = slot_with_table(gfp, &spare);

	if (slot < THREADS_MAX)
		enter(slot, page);
	mutex_unlock(&lock);
	if (spare)
		freepage(spare, tables_owner);
	return slot < THREADS_MAX ? stack_of(slot) : NULL;
}

void *kstack_make(gfp_t gfp, owner_t owner)
{
	void *page[PAGES], *stack = NULL;
	size_t n = allocpages_bulk(gfp, PAGES, page, owner);

	if (n == PAGES) {
		for (unsigned i = 0; i < PAGES; i++)
			memset(page[i], 0, PAGE_SIZE);
		stack = make_from(page, gfp);
	}
	if (!stack)
		freepages_bulk(n, page, owner);
	return stack;
}

void kstack_free(void *base, owner_t owner)
{
	unsigned slot = (unsigned)(((uint64_t)base - REGION_BASE) / SLOT_SIZE);
	void *page[PAGES];
	pte_t *table;

	mutex_lock(&lock);
	KASSERT(base == stack_of(slot) && in_use(slot));
	remove(slot, page);
	table = remove_empty_table(slot);
	forget(slot);
	mutex_unlock(&lock);
	freepages_bulk(PAGES, page, owner);
	if (table)
		freepage(table, tables_owner);
}
