/* SPDX-License-Identifier: MIT */
/* Flushing by the list on every CPU: Intel SDM vol. 3, 4.10.4.1 and 4.10.5. */
#include <arch/tlb.h>

#include <labyrinth/frame.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <port/io.h>

void tlb_batch_begin(struct tlb_batch *b)
{
	b->n = 0;
	b->pages = 0;
	b->all = false;
}

void tlb_batch_add(struct tlb_batch *b, const void *start, size_t size)
{
	uintptr_t first = (uintptr_t)start & ~(PAGE_SIZE - 1);
	size_t pages = ((uintptr_t)start - first + size + PAGE_SIZE - 1) / PAGE_SIZE;

	if (size == 0)
		return;
	b->pages += pages;
	if (b->n == TLB_RANGES || pages > TLB_PAGES || b->pages > TLB_PAGES) {
		b->all = true;
		return;
	}
	b->range[b->n].start = first;
	b->range[b->n++].pages = pages;
}

/* No mapping is global and there are no process contexts, so that writing cr3 flushes all. */
static void flush_here(void *arg)
{
	const struct tlb_batch *b = arg;

	if (b->all) {
		write_cr3(read_cr3());
		return;
	}
	for (unsigned i = 0; i < b->n; i++)
		for (size_t p = 0; p < b->range[i].pages; p++)
			invlpg((const void *)(b->range[i].start + p * PAGE_SIZE));
}

void tlb_batch_flush(struct tlb_batch *b)
{
	/* Posting a call releases the change of the tables; the CPUs acquire it. */
	if ((b->n || b->all) && !cpu_call_all(flush_here, b))
		panic("a CPU does not flush mappings that are gone");
	tlb_batch_begin(b);
}

void tlb_flush_range(const void *start, size_t size)
{
	struct tlb_batch b;

	tlb_batch_begin(&b);
	tlb_batch_add(&b, start, size);
	tlb_batch_flush(&b);
}
