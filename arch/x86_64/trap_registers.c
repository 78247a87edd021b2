/* SPDX-License-Identifier: MIT */
/* The registers of an exception or a panic, in columns, and the instruction's bytes. */
#include <arch/trap.h>

#include <arch/unwind.h>
#include <labyrinth/print.h>
#include <port/io.h>

#define COLUMNS 3u		/* of 23 characters: within 80 columns */
#define CODE_BYTES 16u		/* no instruction is longer than 15 (SDM vol. 2, 2.3.11) */

static void print_table(const struct trap_frame *f)
{
	const struct { const char *name; uint64_t value; } reg[] = {
		{ "rip", f->rip }, { "rsp", f->rsp }, { "rbp", f->rbp },
		{ "rax", f->rax }, { "rbx", f->rbx }, { "rcx", f->rcx },
		{ "rdx", f->rdx }, { "rsi", f->rsi }, { "rdi", f->rdi },
		{ "r8 ", f->r8 },  { "r9 ", f->r9 },  { "r10", f->r10 },
		{ "r11", f->r11 }, { "r12", f->r12 }, { "r13", f->r13 },
		{ "r14", f->r14 }, { "r15", f->r15 }, { "cr0", read_cr0() },
		{ "cr2", read_cr2() }, { "cr3", read_cr3() }, { "cr4", read_cr4() },
	};

	for (unsigned i = 0; i < sizeof(reg) / sizeof(reg[0]); i++)
		kprintf("  %s %016lx%s", reg[i].name, reg[i].value,
			i % COLUMNS == COLUMNS - 1 ? "\n" : "");
}

/* SDM vol. 1, figure 3-8. */
static void print_flags(uint64_t flags)
{
	static const struct { uint8_t bit; const char *name; } flag[] = {
		{ 0, "carry" }, { 2, "parity" }, { 4, "adjust" }, { 6, "zero" }, { 7, "sign" },
		{ 8, "trap" }, { 9, "interrupts" }, { 10, "direction" }, { 11, "overflow" },
		{ 14, "nested" }, { 16, "resume" }, { 18, "access" },
	};

	kprintf("  rflags %lx", flags);
	for (unsigned i = 0; i < sizeof(flag) / sizeof(flag[0]); i++)
		if (flags >> flag[i].bit & 1)
			kprintf(" %s", flag[i].name);
	kprintf("\n");
}

static void print_code(uint64_t rip)
{
	kprintf("  code ");
	for (uint64_t at = rip; at < rip + CODE_BYTES; at++) {
		uintptr_t word;

		if (!peek(at & ~(uint64_t)7, &word))
			break;
		kprintf(" %02x", (unsigned)(word >> at % 8 * 8 & 0xff));
	}
	kprintf("\n");
}

void trap_print_registers(const struct trap_frame *f)
{
	print_table(f);
	print_flags(f->rflags);
	if (f->vector == TRAP_CALLED)
		return;
	print_code(f->rip);
	kprintf("  vector %lu (%s), error code 0x%lx\n", f->vector,
		trap_name((unsigned)f->vector), f->error);
}
