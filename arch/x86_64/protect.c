/* SPDX-License-Identifier: MIT */
/*
 * Protection by the processor: Intel SDM vol. 3, 2.5 (control registers), 4.6
 * (access rights), 2.2.1 (EFER).
 *
 * The bits wanted are decided once, while booting, and kept where nothing can
 * write any more: what takes a bit away cannot take away the memory of it.
 */
#include <arch/protect.h>

#include <arch/cpu.h>
#include <arch/directmap.h>
#include <arch/pagetable.h>
#include <boot/layout.h>
#include <labyrinth/print.h>
#include <port/features.h>
#include <port/io.h>

#define CR0_WP   ((uint64_t)1 << 16)
#define CR4_UMIP ((uint64_t)1 << 11)
#define CR4_SMEP ((uint64_t)1 << 20)
#define CR4_SMAP ((uint64_t)1 << 21)
#define MSR_EFER 0xc0000080u
#define EFER_NXE ((uint64_t)1 << 11)

static SEALED uint64_t pinned_cr4;

struct check {
	void (*report)(const char *what);
	size_t found;
};

/* The first CPU decides; the others find the page sealed, and the decision in it. */
static void decide(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t wanted = (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) |
			  (f->umip ? CR4_UMIP : 0);

	if (pinned_cr4 != wanted)
		pinned_cr4 = wanted;
}

void protect_cpu(void)
{
	decide();
	write_cr0(read_cr0() | CR0_WP);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	write_cr4(read_cr4() | pinned_cr4);
	if (cpu_features.smap)
		__asm__ volatile("clac" : : : "cc");	/* no exception for anybody */
}

static void found(struct check *c, const char *what, const char *then)
{
	char line[96];

	c->found++;
	if (!c->report)
		return;
	ksnprintf(line, sizeof(line), "protection: CPU %u: %s%s", cpu_number(), what, then);
	c->report(line);
}

static void check_bits(struct check *c, uint64_t have, uint64_t want, const char *name)
{
	if (want & ~have)
		found(c, name, " was off; it is on again");
}

static void check_registers(struct check *c)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4(), efer = rdmsr(MSR_EFER);

	check_bits(c, cr0, CR0_WP, "CR0.WP");
	check_bits(c, efer, EFER_NXE, "EFER.NXE");
	check_bits(c, cr4, pinned_cr4 & CR4_SMEP, "CR4.SMEP");
	check_bits(c, cr4, pinned_cr4 & CR4_SMAP, "CR4.SMAP");
	check_bits(c, cr4, pinned_cr4 & CR4_UMIP, "CR4.UMIP");
	if (~cr0 & CR0_WP)
		write_cr0(cr0 | CR0_WP);
	if (~efer & EFER_NXE)
		wrmsr(MSR_EFER, efer | EFER_NXE);
	if (~cr4 & pinned_cr4)
		write_cr4(cr4 | pinned_cr4);
}

/* Tables in the image have an alias in the direct map, which was sealed with them. */
static bool writable_alias(const struct mapping *m)
{
	struct mapping alias;

	return m->virt >= KERNEL_BASE &&
	       pagetable_lookup(directmap_of((phys_t){ m->phys }), &alias) && alias.writable;
}

static void check_table(struct check *c, const struct table_bounds *t, const char *name)
{
	for (uint64_t at = t->base & ~(PAGE_SIZE - 1); at <= t->base + t->limit; at += PAGE_SIZE) {
		struct mapping m;

		if (!pagetable_lookup((const void *)at, &m) || m.writable)
			found(c, name, " is writable");
		else if (writable_alias(&m))
			found(c, name, " is writable in the direct map");
	}
}

size_t protect_check(void (*report)(const char *what))
{
	struct check c = { .report = report };
	struct table_bounds idt = read_idtr(), gdt = read_gdtr();

	check_registers(&c);
	check_table(&c, &idt, "the interrupt table");
	check_table(&c, &gdt, "the segment table");
	return c.found;
}
