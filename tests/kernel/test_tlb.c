/* SPDX-License-Identifier: MIT */
/* I6: what is unmapped or moved is out of reach of every CPU once the flush has returned. */
#define SUITE "tlb"
#include <tests/test.h>

#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/directmap.h>
#include <arch/irq.h>
#include <arch/tlb.h>
#include <arch/trap.h>
#include <boot/layout.h>
#include <labyrinth/page.h>
#include <port/io.h>
#include <port/paging.h>

#include "all_cpus.h"

/* The last pages of the 8 MiB that the image's tables cover, where nothing is mapped. */
#define PAGES 160u
#define WINDOW (KERNEL_BASE + (4 * TABLE_ENTRIES - PAGES) * PAGE_SIZE)

static pte_t *entry(unsigned i) { return &image_pt[4 * TABLE_ENTRIES - PAGES + i]; }

static volatile uint64_t *window(unsigned i)
{
	return (volatile uint64_t *)(WINDOW + i * PAGE_SIZE);
}

static uint64_t *page[2];		/* whose first words are 1 and 2 */

static void set(unsigned i, unsigned which)
{
	*entry(i) = directmap_phys(page[which]).v | PTE_PRESENT | PTE_NX;
}

static bool begin(void)
{
	for (unsigned i = 0; i < 2; i++) {
		page[i] = allocpage(GFP_KERNEL, OWNER_KERNEL);
		if (!page[i])
			return false;
		page[i][0] = i + 1;
	}
	for (unsigned i = 0; i < PAGES; i++)
		if (*entry(i))
			return false;
	return true;
}

static void end(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		*entry(i) = 0;
	tlb_flush_range((const void *)window(0), PAGES * PAGE_SIZE);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(freepage(page[i], OWNER_KERNEL), PAGE_OK);
}

/* --- one CPU reads all the time while another takes the page away */

static struct {
	_Atomic uint64_t reads;
	_Atomic bool unmapped, flushed;		/* said before the change, and after the flush */
	_Atomic bool faulted, too_early, too_late;
	uint64_t resume_at;
} reader;

static bool on_fault(struct trap_frame *f)
{
	if (read_cr2() != WINDOW)
		return false;
	if (!atomic_load(&reader.unmapped))
		atomic_store(&reader.too_early, true);
	atomic_store(&reader.faulted, true);
	f->rip = reader.resume_at;
	return true;
}

static bool is_over(void)
{
	return atomic_load(&reader.faulted) || atomic_load(&reader.too_late);
}

static void read_until_it_faults(void *arg)
{
	(void)arg;
	while (!is_over()) {
		bool flushed = atomic_load(&reader.flushed);

		/* a fault goes on at 1: */
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
				 "movq %%rax, %0\n\t"
				 "movq (%1), %%rax\n"
				 "1:" : "=m"(reader.resume_at) : "r"(window(0))
				 : "rax", "memory");
		if (flushed && !atomic_load(&reader.faulted))
			atomic_store(&reader.too_late, true);
		atomic_fetch_add(&reader.reads, 1);
	}
}

static void wait_for_reads(uint64_t n)
{
	uint64_t before = atomic_load(&reader.reads);

	while (atomic_load(&reader.reads) - before < n && !is_over())
		cpu_relax();
}

/* @flush: without, it is only noted whether the other CPU still reaches the page. */
static uint64_t take_away(bool flush)
{
	uint64_t stale;

	set(0, 0);
	atomic_store(&reader.faulted, false);
	atomic_store(&reader.unmapped, false);
	atomic_store(&reader.flushed, false);
	EXPECT(cpu_start_job(1, read_until_it_faults, NULL));
	wait_for_reads(1000);
	atomic_store(&reader.unmapped, true);
	*entry(0) = 0;
	stale = atomic_load(&reader.reads);
	if (!flush)
		wait_for_reads(1000);
	stale = atomic_load(&reader.reads) - stale;
	tlb_flush_range((const void *)window(0), PAGE_SIZE);
	atomic_store(&reader.flushed, true);
	while (cpu_has_job(1))
		cpu_relax();
	return stale;
}

TEST(no_read_succeeds_once_the_flush_has_returned)
{
	trap_handler_t old;

	if (!cpu_online(1)) {
		test_skip("there is no other CPU");
		return;
	}
	ASSERT(begin());
	old = trap_set_handler(TRAP_PAGE_FAULT, on_fault);
	for (unsigned i = 0; i < 20 && !atomic_load(&reader.too_late); i++)
		take_away(true);
	test_note("without a flush %llu reads still succeed",
		  (unsigned long long)take_away(false));
	trap_set_handler(TRAP_PAGE_FAULT, old);
	EXPECT(atomic_load(&reader.faulted));
	EXPECT(!atomic_load(&reader.too_early));
	EXPECT(!atomic_load(&reader.too_late));
	end();
}

/* --- batches: all CPUs have seen the pages, then they are moved */

static _Atomic unsigned wrong;

/* @arg: the value that each page of the first @n has. */
struct expected { unsigned n, step; uint64_t value; };

static void look(void *arg)
{
	const struct expected *e = arg;

	for (unsigned i = 0; i < e->n; i++)
		if (*window(i * e->step) != e->value)
			atomic_fetch_add(&wrong, 1);
}

/* @n pages, @step apart: as many ranges, or one if they are neighbours. */
static void move_pages(unsigned n, unsigned step, bool masked)
{
	struct expected e = { n, step, 1 };
	struct tlb_batch b;
	uint64_t flags;

	for (unsigned i = 0; i < n; i++)
		set(i * step, 0);
	EXPECT(cpu_call_all(look, &e));
	tlb_batch_begin(&b);
	for (unsigned i = 0; i < n; i++) {
		set(i * step, 1);
		if (step > 1)
			tlb_batch_add(&b, (const void *)window(i * step), 8);
	}
	if (step == 1)
		tlb_batch_add(&b, (const void *)window(0), n * PAGE_SIZE);
	flags = irq_save();
	if (!masked)
		irq_restore(flags);
	tlb_batch_flush(&b);
	irq_restore(flags);
	EXPECT(b.n == 0 && !b.all);
	e.value = 2;
	EXPECT(cpu_call_all(look, &e));
	EXPECT_EQ(atomic_exchange(&wrong, 0), 0);
	for (unsigned i = 0; i < n; i++)
		*entry(i * step) = 0;
	tlb_flush_range((const void *)window(0), PAGES * PAGE_SIZE);
}

TEST(a_batch_reaches_every_page_on_every_cpu)
{
	ASSERT(begin());
	for (unsigned masked = 0; masked < 2; masked++) {
		move_pages(1, 1, masked);
		move_pages(TLB_PAGES, 1, masked);		/* the longest that is listed */
		move_pages(TLB_PAGES + 1, 1, masked);		/* all at once */
		move_pages(3, 40, masked);
		move_pages(TLB_RANGES, 9, masked);
		move_pages(TLB_RANGES + 1, 9, masked);
	}
	end();
}

TEST(a_batch_counts_pages_and_knows_when_all_is_less)
{
	struct tlb_batch b;

	tlb_batch_begin(&b);
	tlb_batch_add(&b, (const void *)0x1fff, 2);
	EXPECT(b.n == 1 && b.pages == 2 && b.range[0].start == 0x1000 && !b.all);
	tlb_batch_add(&b, (const void *)0x1000, 0);
	EXPECT(b.n == 1 && b.pages == 2);
	tlb_batch_add(&b, (const void *)0x10000, SIZE_MAX / 2);
	EXPECT(b.all);
}
