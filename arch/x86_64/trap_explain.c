/* SPDX-License-Identifier: MIT */
/*
 * What an exception means, in plain words: for whoever sees the report and does
 * not know the processor's manual by heart.
 */
#include <arch/trap.h>

#include <arch/directmap.h>
#include <arch/pagetable.h>
#include <arch/unwind.h>
#include <boot/layout.h>
#include <labyrinth/print.h>
#include <labyrinth/thread.h>
#include <port/cpu_area.h>
#include <port/io.h>
#include <port/mce.h>
#include <port/stack.h>

/* Page-fault error code: Intel SDM vol. 3, figure 4-12. */
#define FAULT_PRESENT	0x01u
#define FAULT_WRITE	0x02u
#define FAULT_RESERVED	0x08u
#define FAULT_FETCH	0x10u

/* Selector error code: SDM vol. 3, 6.13. */
#define SELECTOR_IDT	0x02u
#define SELECTOR_LDT	0x04u

/* The stack in whose guard page @addr lies, or NULL. */
static const char *guarded_stack(uintptr_t addr)
{
	const struct kernel_stack *stack = kernel_stacks;
	const struct nest_stack *nest = &first_nest;

	if (cpu_area_contains(addr)) {
		stack = cpu_area((unsigned)((addr - CPU_AREA_BASE) / CPU_AREA_SIZE))->stack;
		nest = &cpu_area((unsigned)((addr - CPU_AREA_BASE) / CPU_AREA_SIZE))->nest;
	}
	if (addr - (uintptr_t)nest->guard < STACK_GUARD)
		return "nested exceptions'";
	for (unsigned id = 0; id < STACK_COUNT; id++)
		if (addr - (uintptr_t)stack[id].guard < STACK_GUARD)
			return stack_name(id);
	return NULL;
}

/* Was it a stack that overflowed, @addr being where it should have grown?  Then says so. */
static bool explain_overflow(uintptr_t addr, char *buf, size_t size)
{
	const struct thread *t = thread_of_guard(addr);
	const char *stack = guarded_stack(addr);

	if (t)
		ksnprintf(buf, size, "kernel stack overflow: the guard below thread %s was "
			  "touched", thread_name(t));
	else if (stack)
		ksnprintf(buf, size, "kernel stack overflow: the guard page below the %s stack "
			  "was touched", stack);
	return t || stack;
}

/* The part of the image that @addr lies in, or NULL. */
static const char *image_part(uintptr_t addr)
{
	static const struct { const char *start, *end, *name; } part[] = {
		{ text_start, text_end, "kernel code" },
		{ rodata_start, rodata_end, "read-only data" },
		{ sealed_start, sealed_end, "data sealed after boot" },
		{ data_start, kernel_end, "kernel data" },
	};

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (addr >= (uintptr_t)part[i].start && addr < (uintptr_t)part[i].end)
			return part[i].name;
	return NULL;
}

/* Why @addr could not be used, in @why. */
static void explain_place(uintptr_t addr, uint64_t error, char *why, size_t size)
{
	const void *p = (const void *)addr;
	const char *part = image_part(addr);
	const char *missing = (error & FAULT_FETCH) ? "not executable" : "read-only";

	if (error & FAULT_RESERVED)
		ksnprintf(why, size, "its page table entry is damaged");
	else if (!(error & FAULT_PRESENT) && addr < PAGE_SIZE)
		ksnprintf(why, size, "a NULL pointer");
	else if (!(error & FAULT_PRESENT) && directmap_contains(p))
		ksnprintf(why, size, "no RAM at physical 0x%lx", directmap_phys(p).v);
	else if (!(error & FAULT_PRESENT))
		ksnprintf(why, size, "nothing is mapped there");
	else if (part)
		ksnprintf(why, size, "%s, %s", part, missing);
	else
		ksnprintf(why, size, "a page that is %s", missing);
}

/* The read-only table of the running CPU that @addr lies in, or NULL. */
static const char *table_at(uintptr_t addr)
{
	struct table_bounds idt = read_idtr(), gdt = read_gdtr();

	if (addr - idt.base <= idt.limit)
		return "interrupt table";
	return addr - gdt.base <= gdt.limit ? "segment table" : NULL;
}

/*
 * SMEP and SMAP have no bit of their own in the error code (SDM vol. 3, 4.7): a
 * page that is there, a user's, and would allow it otherwise.
 */
static bool forbidden_as_user_memory(uintptr_t addr, uint64_t error)
{
	struct mapping m;

	return (error & FAULT_PRESENT) && !(error & FAULT_RESERVED) &&
	       pagetable_lookup((const void *)addr, &m) && m.user &&
	       ((error & FAULT_FETCH) ? m.executable : (m.writable || !(error & FAULT_WRITE)));
}

static void explain_user_memory(uintptr_t addr, uint64_t error, char *buf, size_t size)
{
	const char *attempt = (error & FAULT_WRITE) ? "wrote to" : "read";

	if (error & FAULT_FETCH)
		ksnprintf(buf, size, "the kernel executed user memory at 0x%lx (SMEP)", addr);
	else
		ksnprintf(buf, size, "the kernel %s user memory at 0x%lx (SMAP)", attempt, addr);
}

static void explain_page_fault(const struct trap_frame *f, char *buf, size_t size)
{
	uintptr_t addr = read_cr2();
	const char *table = table_at(addr);
	const char *attempt = "read from";
	char why[64];

	if (explain_overflow(addr, buf, size))
		return;
	if (table && (f->error & FAULT_WRITE)) {
		ksnprintf(buf, size, "write to the read-only %s at 0x%lx (page fault)", table,
			  addr);
		return;
	}
	if (forbidden_as_user_memory(addr, f->error)) {
		explain_user_memory(addr, f->error, buf, size);
		return;
	}
	if (f->error & FAULT_FETCH)
		attempt = "jump to";
	else if (f->error & FAULT_WRITE)
		attempt = "write to";
	explain_place(addr, f->error, why, sizeof(why));
	ksnprintf(buf, size, "%s 0x%lx: %s (page fault)", attempt, addr, why);
}

/*
 * Most double faults are stack overflows: the page fault cannot be delivered,
 * because the processor would push its frame onto the very same stack.
 */
static void explain_double_fault(const struct trap_frame *f, char *buf, size_t size)
{
	uintptr_t word;

	if (explain_overflow(f->rsp - 8, buf, size) || explain_overflow(read_cr2(), buf, size))
		return;
	if (!peek((f->rsp - 8) & ~(uintptr_t)7, &word))
		ksnprintf(buf, size, "the stack pointer 0x%lx is no stack (double fault)", f->rsp);
	else
		ksnprintf(buf, size, "an exception while another was delivered (double fault)");
}

static void explain_protection(const struct trap_frame *f, char *buf, size_t size)
{
	const char *table = "GDT";

	if (f->error & SELECTOR_IDT)
		table = "IDT";
	else if (f->error & SELECTOR_LDT)
		table = "LDT";
	if (f->error)
		ksnprintf(buf, size, "entry %lu of the %s is not usable (%s)",
			  f->error >> 3 & 0x1fff, table, trap_name((unsigned)f->vector));
	else
		ksnprintf(buf, size, "non-canonical address or forbidden operation (%s)",
			  trap_name((unsigned)f->vector));
}

/* UD2 is what compilers put where control must not come (SDM vol. 2, UD). */
static bool is_ud2(const struct trap_frame *f)
{
	return f->rip - (uintptr_t)text_start < (uintptr_t)(text_end - text_start) - 1 &&
	       ((const uint8_t *)f->rip)[0] == 0x0f && ((const uint8_t *)f->rip)[1] == 0x0b;
}

static const char *plain_words(unsigned vector)
{
	static const char *const words[TRAP_COUNT] = {
		[0] = "division by zero, or a quotient that does not fit",
		[1] = "a breakpoint or single step that nobody handles",
		[2] = "the hardware calls, and nobody knows why",
		[3] = "a breakpoint that nobody handles",
		[4] = "an arithmetic overflow",
		[5] = "an array index out of bounds",
		[7] = "a floating-point or vector instruction in the kernel",
		[16] = "a floating-point calculation failed",
		[17] = "a misaligned address",
		[19] = "a vector calculation failed",
		[21] = "a return or jump to where none may lead",
	};

	return vector < TRAP_COUNT && words[vector] ? words[vector] :
	       "an exception that should never come here";
}

void trap_explain(const struct trap_frame *f, char *buf, size_t size)
{
	switch (f->vector) {
	case TRAP_PAGE_FAULT:
		explain_page_fault(f, buf, size);
		break;
	case TRAP_DOUBLE_FAULT:
		explain_double_fault(f, buf, size);
		break;
	case 10: case 11: case 12:		/* task state, segment, stack segment */
	case TRAP_GENERAL_PROTECTION:
		explain_protection(f, buf, size);
		break;
	case TRAP_MACHINE_CHECK:
		ksnprintf(buf, size, "%s", *mce_reason() ? mce_reason() :
			  "the hardware reports damage of its own (machine check)");
		break;
	case TRAP_INVALID_OPCODE:
		ksnprintf(buf, size, "%s (invalid instruction)",
			  is_ud2(f) ? "a ud2: the code came to where it never should" :
			  "an instruction that the processor does not know");
		break;
	default:
		ksnprintf(buf, size, "%s (%s)", plain_words((unsigned)f->vector),
			  trap_name((unsigned)f->vector));
	}
}
