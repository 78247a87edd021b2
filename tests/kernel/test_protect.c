/* SPDX-License-Identifier: MIT */
/* What the processor must forbid the kernel is forbidden, named, and stays so. */
#define SUITE "protect"
#include <tests/test.h>

#include <arch/directmap.h>
#include <arch/protect.h>
#include <arch/trap.h>
#include <boot/layout.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <port/features.h>
#include <port/io.h>
#include <port/paging.h>

#include "user_page.h"

#define CR0_WP   ((uint64_t)1 << 16)
#define CR4_UMIP ((uint64_t)1 << 11)
#define CR4_SMEP ((uint64_t)1 << 20)
#define CR4_SMAP ((uint64_t)1 << 21)

static uint64_t resume_at;
static unsigned faults;
static char said[96];

static bool explain_and_resume(struct trap_frame *f)
{
	trap_explain(f, said, sizeof(said));
	faults++;
	f->rip = resume_at;
	return true;
}

/* Set where to go on after a fault: at the label 1 of the same statement. */
#define RESUME_HERE "leaq 1f(%%rip), %%rax\n\tmovq %%rax, %0\n\t"

static void write_to(void *p)
{
	__asm__ volatile(RESUME_HERE "movb $0, (%1)\n1:"
			 : "=m"(resume_at) : "r"(p) : "rax", "memory");
}

static void read_from(void *p)
{
	__asm__ volatile(RESUME_HERE "movb (%1), %%al\n1:"
			 : "=m"(resume_at) : "r"(p) : "rax", "memory");
}

/* What is called there returns; what faults there has its return address left over. */
static void call_to(void *p)
{
	__asm__ volatile(RESUME_HERE "movq %%rsp, %%rbx\n\tcallq *%1\n1:\tmovq %%rbx, %%rsp"
			 : "=m"(resume_at) : "r"(p) : "rax", "rbx", "memory", "cc");
}

/* Return: what trap_explain() says of the page fault; "" when there was none. */
static const char *fault_of(void (*attempt)(void *p), void *p)
{
	trap_handler_t old = trap_set_handler(TRAP_PAGE_FAULT, explain_and_resume);

	said[0] = '\0';
	faults = 0;
	attempt(p);
	trap_set_handler(TRAP_PAGE_FAULT, old);
	EXPECT_CMP(faults, <=, 1);
	return said;
}

static void expect_sentence(const char *have, const char *start, const char *end)
{
	size_t len = strlen(have), tail = strlen(end);

	EXPECT(strncmp(have, start, strlen(start)) == 0);
	EXPECT(len >= tail && strcmp(have + len - tail, end) == 0);
	EXPECT_CMP(len, <=, 73);
	test_note("%s", have);
}

/* A function of its own, so that all of it lies in one page. */
__asm__(".pushsection .text\n\t"
	".balign 16\n\t"
	".type just_return, @function\n"
	"just_return:\tret\n\t"
	".size just_return, . - just_return\n\t"
	".popsection");
void just_return(void);

static uint8_t user_data[64] __attribute__((aligned(64)));

TEST(executing_user_memory_faults)
{
	if (!cpu_features.smep) {
		test_skip("this processor has no SMEP");
		return;
	}
	void *p = user_page_open((const void *)just_return, false, true);

	expect_sentence(fault_of(call_to, p), "the kernel executed user memory at 0x4", " (SMEP)");
	write_cr4(read_cr4() & ~CR4_SMEP);
	EXPECT(!*fault_of(call_to, p));		/* so it was SMEP, and nothing else */
	EXPECT_EQ(protect_check(NULL), 1);
	EXPECT(*fault_of(call_to, p));
	user_page_close();
}

TEST(touching_user_memory_faults)
{
	if (!cpu_features.smap) {
		test_skip("this processor has no SMAP");
		return;
	}
	void *p = user_page_open(user_data, true, false);

	expect_sentence(fault_of(read_from, p), "the kernel read user memory at 0x4", " (SMAP)");
	expect_sentence(fault_of(write_to, p), "the kernel wrote to user memory at 0x4", " (SMAP)");
	write_cr4(read_cr4() & ~CR4_SMAP);
	EXPECT(!*fault_of(write_to, p));
	EXPECT_EQ(protect_check(NULL), 1);
	EXPECT(*fault_of(write_to, p));
	user_page_close();
}

/* Other faults on user memory keep their own names. */
TEST(read_only_user_memory_is_called_read_only)
{
	void *p = user_page_open(user_data, false, false);

	expect_sentence(fault_of(write_to, p), "write to 0x4", "read-only (page fault)");
	expect_sentence(fault_of(call_to, p), "jump to 0x4", "not executable (page fault)");
	user_page_close();
}

TEST(the_tables_cannot_be_written)
{
	struct table_bounds idt = read_idtr(), gdt = read_gdtr();

	expect_sentence(fault_of(write_to, (void *)(idt.base + 16 * TRAP_NMI)),
			"write to the read-only interrupt table at 0x", " (page fault)");
	expect_sentence(fault_of(write_to, (void *)(gdt.base + 8)),
			"write to the read-only segment table at 0x", " (page fault)");
	EXPECT_EQ(protect_check(NULL), 0);
}

static SEALED uint8_t sealed_byte;

TEST(code_and_sealed_data_cannot_be_written)
{
	expect_sentence(fault_of(write_to, text_start), "write to 0x",
			": kernel code, read-only (page fault)");
	write_cr0(read_cr0() & ~CR0_WP);
	EXPECT(!*fault_of(write_to, &sealed_byte));
	EXPECT_EQ(protect_check(NULL), 1);
	EXPECT(*fault_of(write_to, &sealed_byte));
}

/* Return: how many faults there are while the page of @v is writable. */
static size_t faults_when_writable(const void *v)
{
	unsigned level;
	pte_t *e = paging_entry((uint64_t)v, &level);
	size_t n;

	if (!e)
		return 0;
	*e |= PTE_WRITE;
	invlpg(v);
	n = protect_check(NULL);
	*e &= ~(pte_t)PTE_WRITE;
	invlpg(v);
	return n;
}

TEST(a_writable_table_is_noticed)
{
	const void *idt = (const void *)read_idtr().base, *gdt = (const void *)read_gdtr().base;

	EXPECT_CMP(faults_when_writable(idt), >=, 1);
	EXPECT_CMP(faults_when_writable(gdt), >=, 1);
	EXPECT_CMP(faults_when_writable(directmap_of((phys_t){ (uint64_t)idt - KERNEL_BASE })),
		   >=, 1);
	EXPECT_EQ(protect_check(NULL), 0);
}

static unsigned reported;

static void report(const char *what)
{
	reported++;
	test_note("%s", what);
}

TEST(a_bit_taken_away_is_reported_and_comes_back)
{
	const uint64_t cr4 = read_cr4(), cr0 = read_cr0();
	unsigned expected = 1u + cpu_features.smep + cpu_features.smap + cpu_features.umip;

	reported = 0;
	write_cr0(cr0 & ~CR0_WP);
	write_cr4(cr4 & ~(CR4_SMEP | CR4_SMAP | CR4_UMIP));
	EXPECT_EQ(protect_check(report), expected);
	EXPECT_EQ(reported, expected);
	EXPECT_EQ(read_cr0(), cr0);
	EXPECT_EQ(read_cr4(), cr4);
	EXPECT_EQ(protect_check(report), 0);
}

TEST(all_that_the_processor_has_is_on)
{
	EXPECT(read_cr0() & CR0_WP);
	EXPECT_EQ(!!(read_cr4() & CR4_SMEP), cpu_features.smep);
	EXPECT_EQ(!!(read_cr4() & CR4_SMAP), cpu_features.smap);
	EXPECT_EQ(!!(read_cr4() & CR4_UMIP), cpu_features.umip);
}

static void check_here(void *arg)
{
	size_t *broken = arg;

	/* relaxed: read when the calls have returned, which orders it */
	__atomic_fetch_add(broken, protect_check(NULL), __ATOMIC_RELAXED);
}

TEST(every_cpu_is_protected)
{
	size_t broken = 0;

	ASSERT(cpu_call_all(check_here, &broken));
	EXPECT_EQ(broken, 0);
}
