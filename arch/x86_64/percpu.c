/* SPDX-License-Identifier: MIT */
/*
 * What each CPU has of its own: the data found through gs, segments, task state
 * (Intel SDM vol. 3, chapters 3 and 7) and stacks.  The first CPU's are part of the
 * image, those of the others come from the allocator (cpu_area.c).
 */
#include <port/percpu.h>

#include <boot/layout.h>
#include <port/nest.h>
#include <port/segments.h>

static struct percpu first_cpu;
struct percpu *percpu_areas[CPUS_MAX] = { &first_cpu };

static SEALED struct cpu_tables first_tables;

/* Accessed bits set beforehand, so that the processor need not write to this page. */
static void fill_gdt(uint64_t gdt[GDT_ENTRIES], const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

	gdt[0] = 0;
	gdt[KERNEL_CODE / 8] = 0x00af9b000000ffff;	/* 64-bit, ring 0 */
	gdt[KERNEL_DATA / 8] = 0x00cf93000000ffff;
	/* available 64-bit TSS; SDM vol. 3, figure 7-4 */
	gdt[TASK_STATE / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
			      (uint64_t)0x89 << 40 | (base >> 24 & 0xff) << 56;
	gdt[TASK_STATE / 8 + 1] = base >> 32;
}

void cpu_tables_fill(struct cpu_tables *t, const struct cpu_tables *at,
		     const struct kernel_stack stack[STACK_COUNT])
{
	t->tss = (struct tss){ .io_map = sizeof(t->tss) };
	for (unsigned id = STACK_IST_FIRST; id <= STACK_IST_LAST; id++)
		t->tss.ist[id - 1] = (uint64_t)(&stack[id] + 1);
	fill_gdt(t->gdt, &at->tss);
}

void cpu_tables_load(const struct cpu_tables *t)
{
	struct table_register r = { sizeof(t->gdt) - 1, t->gdt };

	__asm__ volatile(
		"lgdt %0\n\t"
		"pushq %1\n\t"			/* a far return is the way to load cs */
		"leaq 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n"
		"1:\tmovl %2, %%eax\n\t"
		"movl %%eax, %%ss\n\t"
		"movl %%eax, %%ds\n\t"
		"movl %%eax, %%es\n\t"
		"ltr %w3"
		: : "m"(r), "i"(KERNEL_CODE), "i"(KERNEL_DATA), "r"(TASK_STATE) : "rax", "memory");
}

void percpu_fill(struct percpu *p, struct percpu *at, unsigned number,
		 struct kernel_stack stack[STACK_COUNT], struct nest_stack *nest)
{
	p->self = at;
	p->number = number;
	p->irq_stack = &stack[STACK_IRQ] + 1;
	p->stacks = stack;
	p->nest = nest;
}

void percpu_init_first(void)
{
	percpu_fill(&first_cpu, &first_cpu, 0, kernel_stacks, &first_nest);
	percpu_install(&first_cpu);
	cpu_tables_fill(&first_tables, &first_tables, kernel_stacks);
	cpu_tables_load(&first_tables);
}
