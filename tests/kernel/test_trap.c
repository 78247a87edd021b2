/* SPDX-License-Identifier: MIT */
/* Exceptions arrive, on the right stack, with the registers as they were, and can be survived. */
#define SUITE "trap"
#include <tests/test.h>

#include <arch/directmap.h>
#include <arch/trap.h>
#include <boot/layout.h>
#include <labyrinth/string.h>
#include <port/io.h>
#include <port/nest.h>
#include <port/stack.h>

#define PF_PRESENT 0x01u	/* page-fault error code: Intel SDM vol. 3, 4.7 */
#define PF_WRITE   0x02u
#define PF_FETCH   0x10u

static struct trap_frame seen;
static uint64_t seen_cr2, seen_at;
static unsigned times;
static uint64_t resume_at, resume_stack;

static bool note(struct trap_frame *f)
{
	seen = *f;
	seen_cr2 = read_cr2();
	seen_at = (uint64_t)f;
	times++;
	return true;
}

static bool note_and_resume(struct trap_frame *f)
{
	note(f);
	f->rip = resume_at;
	return true;
}

static bool note_and_change_stack(struct trap_frame *f)
{
	note_and_resume(f);
	f->rsp = resume_stack;
	return true;
}

static bool on_stack(enum stack_id id)
{
	uint64_t low = (uint64_t)kernel_stacks[id].space;

	return seen_at >= low && seen_at < low + STACK_SIZE;
}

#define SOFTWARE_INT(v)                                                       \
	do {                                                                  \
		trap_handler_t old = trap_set_handler(v, note);               \
		times = 0;                                                    \
		seen.vector = 99;                                             \
		__asm__ volatile("int %0" : : "i"(v) : "memory");             \
		trap_set_handler(v, old);                                     \
		EXPECT_EQ(times, 1);                                          \
		EXPECT_EQ(seen.vector, v);                                    \
		EXPECT_EQ(seen.error, 0);                                     \
	} while (0)

/* All that push no error code: the int instruction pushes none either. */
TEST(each_vector_reaches_its_handler)
{
	SOFTWARE_INT(0);
	SOFTWARE_INT(1);
	SOFTWARE_INT(2);
	SOFTWARE_INT(3);
	SOFTWARE_INT(4);
	SOFTWARE_INT(5);
	SOFTWARE_INT(6);
	SOFTWARE_INT(7);
	SOFTWARE_INT(9);
	SOFTWARE_INT(15);
	SOFTWARE_INT(16);
	SOFTWARE_INT(18);
	SOFTWARE_INT(19);
	SOFTWARE_INT(20);
	SOFTWARE_INT(22);
	SOFTWARE_INT(28);
	SOFTWARE_INT(31);
}

static bool on_nest(void)
{
	return seen_at - (uint64_t)first_nest.space < NEST_SIZE;
}

TEST(some_run_on_a_stack_that_they_share)
{
	SOFTWARE_INT(TRAP_NMI);
	EXPECT(on_nest());
	SOFTWARE_INT(TRAP_MACHINE_CHECK);
	EXPECT(on_nest());
	SOFTWARE_INT(TRAP_DEBUG);
	EXPECT(on_nest());
	SOFTWARE_INT(TRAP_BREAKPOINT);
	EXPECT(on_stack(STACK_MAIN));
}

TEST(registers_are_seen_and_kept)
{
	trap_handler_t old = trap_set_handler(TRAP_BREAKPOINT, note);
	uint64_t a = 0xa, b = 0xb, c = 0xc, d = 0xd, s = 0x51;

	__asm__ volatile("movq $0xd1, %%rdi\n\t"
			 "movq $0x8, %%r8\n\t"
			 "movq $0x15, %%r15\n\t"
			 "int3\n\t"
			 "addq %%r8, %%r15\n\t"
			 "addq %%rdi, %%r15\n\t"
			 "addq %%r15, %0"
			 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(s)
			 : : "rdi", "r8", "r15", "memory", "cc");
	trap_set_handler(TRAP_BREAKPOINT, old);
	EXPECT_EQ(seen.rax, 0xa);
	EXPECT_EQ(seen.rbx, 0xb);
	EXPECT_EQ(seen.rcx, 0xc);
	EXPECT_EQ(seen.rdx, 0xd);
	EXPECT_EQ(seen.rsi, 0x51);
	EXPECT_EQ(seen.rdi, 0xd1);
	EXPECT_EQ(seen.r8, 0x8);
	EXPECT_EQ(seen.r15, 0x15);
	EXPECT_EQ(a, 0xa + 0x8 + 0xd1 + 0x15);
	EXPECT_EQ(b, 0xb);
	EXPECT_EQ(c, 0xc);
	EXPECT_EQ(d, 0xd);
	EXPECT_EQ(s, 0x51);
}

/* Write a zero to @p or go there.   Return: the error code, or UINT64_MAX if it did not fault. */
static uint64_t fault_of(void *p, bool fetch, unsigned vector)
{
	trap_handler_t old = trap_set_handler(vector, note_and_resume);

	times = 0;
	if (fetch)
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
				 "movq %%rax, %0\n\t"
				 "jmpq *%1\n"
				 "1:" : "=m"(resume_at) : "r"(p) : "rax", "memory");
	else
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
				 "movq %%rax, %0\n\t"
				 "movb $0, (%1)\n"
				 "1:" : "=m"(resume_at) : "r"(p) : "rax", "memory");
	trap_set_handler(vector, old);
	return times ? seen.error : UINT64_MAX;
}

TEST(writing_where_it_is_forbidden_faults)
{
	void *alias = directmap_of((phys_t){ (uint64_t)text_start & ~KERNEL_BASE });

	EXPECT_EQ(fault_of(text_start, false, TRAP_PAGE_FAULT), PF_PRESENT | PF_WRITE);
	EXPECT_EQ(seen_cr2, (uint64_t)text_start);
	EXPECT_EQ(fault_of(rodata_start, false, TRAP_PAGE_FAULT), PF_PRESENT | PF_WRITE);
	EXPECT_EQ(fault_of(sealed_start, false, TRAP_PAGE_FAULT), PF_PRESENT | PF_WRITE);
	EXPECT_EQ(fault_of(alias, false, TRAP_PAGE_FAULT), PF_PRESENT | PF_WRITE);
	EXPECT_EQ(fault_of(kernel_stacks[STACK_NMI].guard, false, TRAP_PAGE_FAULT), PF_WRITE);
	EXPECT_EQ(fault_of(NULL, false, TRAP_PAGE_FAULT), PF_WRITE);
	EXPECT_EQ(fault_of(&seen, false, TRAP_PAGE_FAULT), UINT64_MAX);
}

TEST(executing_data_faults)
{
	void *alias = directmap_of((phys_t){ (uint64_t)text_start & ~KERNEL_BASE });

	EXPECT_EQ(fault_of(sealed_end, true, TRAP_PAGE_FAULT), PF_PRESENT | PF_FETCH);
	EXPECT_EQ(seen.rip, (uint64_t)sealed_end);
	EXPECT_EQ(fault_of(rodata_start, true, TRAP_PAGE_FAULT), PF_PRESENT | PF_FETCH);
	EXPECT_EQ(fault_of(alias, true, TRAP_PAGE_FAULT), PF_PRESENT | PF_FETCH);
}

TEST(an_impossible_address_is_a_general_protection_fault)
{
	EXPECT_EQ(fault_of((void *)0x123456789abcdef0, false, TRAP_GENERAL_PROTECTION), 0);
}

/*
 * The page fault finds no stack to be reported on; that is a double fault,
 * which has one.
 */
TEST(a_stack_overflow_is_survived_by_the_double_fault)
{
	trap_handler_t old = trap_set_handler(TRAP_DOUBLE_FAULT, note_and_change_stack);
	uint64_t bottom = (uint64_t)kernel_stacks[STACK_MACHINE_CHECK].space;

	times = 0;
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, %0\n\t"
			 "movq %%rsp, %1\n\t"
			 "movq %2, %%rsp\n\t"
			 "pushq $0\n"
			 "1:" : "=m"(resume_at), "=m"(resume_stack)
			 : "r"(bottom) : "rax", "memory");
	trap_set_handler(TRAP_DOUBLE_FAULT, old);
	EXPECT_EQ(times, 1);
	EXPECT_EQ(seen.vector, TRAP_DOUBLE_FAULT);
	EXPECT_EQ(seen.error, 0);
	EXPECT_EQ(seen.rsp, bottom);
	EXPECT(on_stack(STACK_DOUBLE_FAULT));
}

TEST(every_exception_has_a_name)
{
	EXPECT(strcmp(trap_name(TRAP_PAGE_FAULT), "page fault") == 0);
	EXPECT(strcmp(trap_name(30), "security exception") == 0);
	EXPECT(strcmp(trap_name(15), "unknown") == 0);
	EXPECT(strcmp(trap_name(32), "hardware interrupt") == 0);
	EXPECT(strcmp(trap_name(255), "hardware interrupt") == 0);
	EXPECT(strcmp(trap_name(256), "unknown") == 0);
}
