/* SPDX-License-Identifier: MIT */
/*
 * Faults on purpose, one a boot: tests/panic-check runs each by its name and
 * reads the report.  It finds the line of the culprit by the comment FAULT.
 */
#include <arch/irq.h>
#include <arch/trap.h>
#include <labyrinth/console.h>
#include <labyrinth/irq.h>
#include <labyrinth/page.h>
#include <labyrinth/panic.h>
#include <labyrinth/thread.h>
#include <port/io.h>

#include "../test.h"
#include "user_page.h"

#define SUITE "planted"

#define NOINLINE __attribute__((noinline))

/* Where the compiler cannot see what the pointer is, it cannot use that it is wrong. */
static volatile uintptr_t hidden;

static void *hide(uintptr_t address)
{
	hidden = address;
	return (void *)hidden;
}

/* A volatile after the call keeps it from becoming a jump, which leaves no caller behind. */
#define CALL(function) do { function(); hidden = 0; } while (0)

static NOINLINE void write_null(void)
{
	*(volatile int *)hide(0x10) = 1;	/* FAULT null_write */
}

TEST_BY_NAME(null_write) { CALL(write_null); }

static NOINLINE void read_hole(void)
{
	*(volatile uint64_t *)hide(0xffffbadbadbad000u);	/* FAULT unmapped_read */
}

TEST_BY_NAME(unmapped_read) { CALL(read_hole); }

static NOINLINE void change_code(void)
{
	*(volatile uint8_t *)hide((uintptr_t)write_null) = 0x90;	/* FAULT write_text */
}

TEST_BY_NAME(write_text) { CALL(change_code); }

static NOINLINE void change_table(uint64_t base)
{
	*(volatile uint64_t *)hide(base + 8) = 0;	/* FAULT write_idt, write_gdt */
}

static NOINLINE void change_idt(void) { change_table(read_idtr().base); hidden = 0; }
static NOINLINE void change_gdt(void) { change_table(read_gdtr().base); hidden = 0; }

TEST_BY_NAME(write_idt) { CALL(change_idt); }
TEST_BY_NAME(write_gdt) { CALL(change_gdt); }

static NOINLINE void read_user_memory(void)
{
	uintptr_t p = (uintptr_t)user_page_open("data", false, false);

	hidden = *(volatile uint8_t *)hide(p);	/* FAULT smap */
}

TEST_BY_NAME(smap) { CALL(read_user_memory); }

static NOINLINE void call_address(uintptr_t address)
{
	void (*f)(void) = (void (*)(void))(uintptr_t)hide(address);

	f();			/* FAULT exec_data, call_null, smep */
	hidden = 0;
}

TEST_BY_NAME(exec_data)
{
	static uint8_t code[16] = { 0xc3 };

	call_address((uintptr_t)code);
}

TEST_BY_NAME(call_null) { call_address(0); }

TEST_BY_NAME(smep)
{
	call_address((uintptr_t)user_page_open((const void *)write_null, false, true));
}

static NOINLINE void undefined_instruction(void)
{
	__asm__ volatile("ud2");	/* FAULT ud */
}

TEST_BY_NAME(ud) { CALL(undefined_instruction); }

static NOINLINE void follow_bad_pointer(void)
{
	*(volatile int *)hide(0x1234567800000000u) = 1;	/* FAULT gp */
}

TEST_BY_NAME(gp) { CALL(follow_bad_pointer); }

static NOINLINE void divide_by_zero(void)
{
	uint32_t high = 0, low = 1;

	__asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(0));	/* FAULT div0 */
}

TEST_BY_NAME(div0) { CALL(divide_by_zero); }

static NOINLINE unsigned recurse(unsigned n)
{
	volatile unsigned here[16];

	here[n % 16] = n;
	if (hidden == UINTPTR_MAX)	/* never, but the compiler need not know */
		return 0;
	return recurse(n + 1) + here[n % 16];	/* FAULT stack_overflow, thread_overflow */
}

TEST_BY_NAME(stack_overflow) { hidden = recurse(0); }

static NOINLINE void large_frame(void)
{
	/* Larger than stack and guard page together: it must not step over the guard. */
	volatile uint8_t here[65536];	/* FAULT stack_leap */

	here[0] = 1;
	hidden = here[test_random_below(16)];
}

TEST_BY_NAME(stack_leap) { CALL(large_frame); }

static uint64_t recurse_in_thread(void *arg)
{
	(void)arg;
	hidden = recurse(0);
	return hidden;
}

/* Another thread's stack lies in a region of its own, and is named after the thread. */
TEST_BY_NAME(thread_overflow)
{
	struct thread *t = thread_create("minotaur", THREAD_NORMAL, OWNER_KERNEL,
					 recurse_in_thread, NULL);

	thread_join(t, NULL);
}

static NOINLINE void lose_stack(void)
{
	__asm__ volatile("movq $0x5000, %%rsp\n\t"	/* FAULT double_fault */
			 "pushq $0" : : : "memory");
}

TEST_BY_NAME(double_fault) { CALL(lose_stack); }

static NOINLINE void damage_frames(void)
{
	/* The chain of frames is cut; the place itself must still be named. */
	__asm__ volatile("movq $0x1230, %%rbp\n\tud2" : : : "memory");	/* FAULT bad_frames */
}

TEST_BY_NAME(bad_frames) { CALL(damage_frames); }

static NOINLINE void break_invariant(void)
{
	KASSERT(hidden == 42);	/* FAULT assertion */
}

TEST_BY_NAME(assertion) { CALL(break_invariant); }

static NOINLINE void give_up(void)
{
	/* 8 arguments: some travel in registers, some on the stack */
	panic("%d%d%d%d%d%d%d %s", 1, 2, 3, 4, 5, 6, 7, "reasons");	/* FAULT call */
}

TEST_BY_NAME(call) { CALL(give_up); }

/* A number for each register; r14 tells what rip will be, and r15 what rsp. */
#define FILL_REGISTERS \
	"movq $0x101, %%rax\n\tmovq $0x102, %%rbx\n\tmovq $0x103, %%rcx\n\t" \
	"movq $0x104, %%rdx\n\tmovq $0x105, %%rsi\n\tmovq $0x106, %%rbp\n\t" \
	"movq $0x108, %%r8\n\tmovq $0x109, %%r9\n\tmovq $0x110, %%r10\n\t" \
	"movq $0x111, %%r11\n\tmovq $0x112, %%r12\n\tmovq $0x113, %%r13\n\t" \
	"leaq 1f(%%rip), %%r14\n\tmovq %%rsp, %%r15\n\t"

TEST_BY_NAME(registers_of_call)
{
	__asm__ volatile(FILL_REGISTERS
		"movq %0, %%rdi\n\t"
		"stc\n\tcall panic\n1:" : : "i"("registers at a call") : "memory");
}

TEST_BY_NAME(registers_of_trap)
{
	__asm__ volatile(FILL_REGISTERS
		"movq $0x107, %%rdi\n\t"
		"stc\n1:\tud2" : : : "memory");
}

/* The report ends with what the allocator did last, newest first. */
TEST_BY_NAME(allocator_events)
{
	owner_t owner = owner_register("planted"), other = owner_register("second");
	void *block = allocpages(GFP_ATOMIC, 6, owner);

	ASSERT(block);
	page_transfer(block, 6, owner, other);
	freepages(block, 6, owner);
	freepages(block, 6, other);
	allocpages(GFP_ATOMIC, ORDER_MAX, owner);	/* 256 MiB hold no such block */
	panic("events follow");
}

static bool on_breakpoint(struct trap_frame *f)
{
	panic("from a handler of vector %lu", f->vector);	/* FAULT in_handler */
}

static NOINLINE void take_breakpoint(void)
{
	trap_set_handler(TRAP_BREAKPOINT, on_breakpoint);
	__asm__ volatile("int3");
}

TEST_BY_NAME(in_handler) { CALL(take_breakpoint); }

/* Gates and stacks are those that the hardware would use; rip is behind the int. */
static NOINLINE void call_nmi(void)
{
	__asm__ volatile("int $2\n\tnop");	/* FAULT nmi */
}

TEST_BY_NAME(nmi) { CALL(call_nmi); }

static NOINLINE void call_machine_check(void)
{
	__asm__ volatile("int $18\n\tnop");	/* FAULT machine_check */
}

TEST_BY_NAME(machine_check) { CALL(call_machine_check); }

static bool on_nmi(struct trap_frame *f)
{
	(void)f;
	*(volatile int *)hide(0x40) = 1;	/* FAULT fault_in_nmi */
	return true;
}

/* Two exceptions, on two stacks, between the report and who began. */
TEST_BY_NAME(fault_in_nmi)
{
	trap_set_handler(TRAP_NMI, on_nmi);
	CALL(call_nmi);
}

static NOINLINE void *want_to_sleep(void)
{
	/* Memory is there, and no sleep needed: it is wrong all the same. */
	owner_t me = OWNER_KERNEL;
	void *p;

	p = allocpage(GFP_KERNEL, me);	/* FAULT sleep_irq, sleep_nmi, sleep_kept, sleep_masked */
	hidden = (uintptr_t)p;
	return p;
}

static void on_interrupt(struct trap_frame *f)
{
	(void)f;
	CALL(want_to_sleep);
}

TEST_BY_NAME(sleep_irq)
{
	irq_set_handler(IRQ_TEST, on_interrupt);
	__asm__ volatile("int %0" : : "i"(IRQ_TEST) : "memory");
}

static bool sleep_in_handler(struct trap_frame *f)
{
	(void)f;
	CALL(want_to_sleep);
	return true;
}

TEST_BY_NAME(sleep_nmi)
{
	trap_set_handler(TRAP_NMI, sleep_in_handler);
	CALL(call_nmi);
}

TEST_BY_NAME(sleep_kept)
{
	preempt_disable();
	CALL(want_to_sleep);
}

TEST_BY_NAME(sleep_masked)
{
	irq_disable();
	CALL(want_to_sleep);
}

static NOINLINE void report_badly(void)
{
	*(volatile int *)hide(0x20) = 1;	/* FAULT section */
}

TEST_BY_NAME(panic_in_panic)
{
	panic_add_section("A section that faults", report_badly);
	panic("the first of two");	/* FAULT panic_in_panic */
}

/* Its handler faults in the same way, and again, until the stack is used up. */
static bool on_page_fault(struct trap_frame *f)
{
	(void)f;
	*(volatile int *)hide(0x30) = 1;	/* FAULT handler_recursion */
	return true;
}

TEST_BY_NAME(handler_recursion)
{
	trap_set_handler(TRAP_PAGE_FAULT, on_page_fault);
	*(volatile int *)hide(0x10) = 1;
}

static void write_nothing(const char *s, size_t n)
{
	(void)s;
	if (hidden == 1)	/* not while console_add() repeats the log */
		panic("cannot print %zu bytes", n);
}

/* Every attempt to report, and to report that, fails: the machine must still end. */
TEST_BY_NAME(broken_console)
{
	static const struct console_sink sink = { "broken", write_nothing };

	console_add(&sink);
	hidden = 1;
	panic("never to be read in full");
}
