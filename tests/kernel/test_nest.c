/* SPDX-License-Identifier: MIT */
/* NMIs, machine checks and debug exceptions inside each other: nothing is lost. */
#define SUITE "nest"
#include <tests/test.h>

#include <arch/nmi.h>
#include <arch/trap.h>
#include <arch/unwind.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/page.h>
#include <labyrinth/string.h>
#include <port/apic.h>
#include <port/io.h>
#include <port/nest.h>
#include <port/percpu.h>

#define DEPTH 32u

extern const char trap_stubs[TRAP_COUNT][16];

static void send_nmi(void)
{
	apic_send(apic_id(), APIC_NMI);
}

static bool ignore(struct trap_frame *f)
{
	(void)f;
	return true;
}

/* --- depth 32, by real NMIs: each is let in by the IRET of another exception */

static struct {
	unsigned depth, deepest, begun, ended, broken, unwound;
	owner_t owner;
} nesting;

static bool skip_ud2(struct trap_frame *f)
{
	f->rip += 2;
	return true;
}

/* What lets NMIs in, by turns. */
static void take_exception(unsigned which)
{
	switch (which % 4) {
	case 0:
		__asm__ volatile("int3" : : : "memory");
		break;
	case 1:
		__asm__ volatile("ud2" : : : "memory");
		break;
	case 2:
		__asm__ volatile("int $1" : : : "memory");	/* a debug exception */
		break;
	default:
		__asm__ volatile("int $18" : : : "memory");	/* a machine check */
	}
}

/* How many NMIs lie between here and the test. */
static unsigned nmis_above(void)
{
	struct unwind u;
	unsigned n = 0;

	if (!unwind_call(&u, (uintptr_t)__builtin_frame_address(0)))
		return 0;
	do
		n += u.trap && u.trap->vector == TRAP_NMI;
	while (unwind_next(&u));
	return n;
}

static bool nest(struct trap_frame *f)
{
	volatile uint64_t mine[4] = { f->rip, f->rsp, f->rflags, nesting.begun };
	void *page = allocpage(GFP_ATOMIC, nesting.owner);
	unsigned level = ++nesting.depth;

	nesting.begun++;
	if (level > nesting.deepest)
		nesting.deepest = level;
	if (page)
		*(uint64_t *)page = level;
	nesting.unwound += nmis_above() == level;
	if (level < DEPTH) {
		send_nmi();			/* waits: NMIs are blocked ... */
		if (nesting.begun != mine[3] + 1)
			nesting.broken++;
		take_exception(level);		/* ... until this one's IRET */
	}
	if (page && *(uint64_t *)page != level)
		nesting.broken++;
	if (!page || freepage(page, nesting.owner) != PAGE_OK)
		nesting.broken++;
	if (f->rip != mine[0] || f->rsp != mine[1] || f->rflags != mine[2])
		nesting.broken++;
	nesting.depth--;
	nesting.ended++;
	return true;
}

TEST(nmis_nest_32_deep_and_none_is_lost)
{
	trap_handler_t old[] = {
		trap_set_handler(TRAP_BREAKPOINT, ignore), trap_set_handler(TRAP_DEBUG, ignore),
		trap_set_handler(TRAP_MACHINE_CHECK, ignore),
		trap_set_handler(TRAP_INVALID_OPCODE, skip_ud2),
	};

	memset(&nesting, 0, sizeof(nesting));
	nesting.owner = owner_register("nest");
	if (!apic_present()) {
		test_skip("no local APIC to send an NMI with");
	} else if (nmi_add(nest)) {
		send_nmi();
		__asm__ volatile("nop\n\tnop" : : : "memory");
		nmi_remove(nest);
		EXPECT_EQ(nesting.begun, DEPTH);
		EXPECT_EQ(nesting.ended, DEPTH);
		EXPECT_EQ(nesting.deepest, DEPTH);
		EXPECT_EQ(nesting.broken, 0);
		EXPECT_EQ(nesting.unwound, DEPTH);
	}
	trap_set_handler(TRAP_INVALID_OPCODE, old[3]);
	trap_set_handler(TRAP_MACHINE_CHECK, old[2]);
	trap_set_handler(TRAP_DEBUG, old[1]);
	trap_set_handler(TRAP_BREAKPOINT, old[0]);
	EXPECT_EQ(owner_unregister(nesting.owner), 0);
}

/* --- the same kind inside itself, by instructions */

static unsigned levels, wrong;

static bool again(struct trap_frame *f)
{
	uint64_t rip = f->rip, rsp = f->rsp;

	if (++levels < DEPTH) {
		if (f->vector == TRAP_DEBUG)
			__asm__ volatile("int $1" : : : "memory");
		else if (f->vector == TRAP_NMI)
			__asm__ volatile("int $2" : : : "memory");
		else
			__asm__ volatile("int $18" : : : "memory");
	}
	wrong += f->rip != rip || f->rsp != rsp;
	return true;
}

#define NEST_IN_ITSELF(v)                                                     \
	do {                                                                  \
		trap_handler_t old = trap_set_handler(v, again);              \
		levels = wrong = 0;                                           \
		__asm__ volatile("int %0" : : "i"(v) : "memory");             \
		trap_set_handler(v, old);                                     \
		EXPECT_EQ(levels, DEPTH);                                     \
		EXPECT_EQ(wrong, 0);                                          \
	} while (0)

TEST(each_kind_nests_in_itself)
{
	NEST_IN_ITSELF(TRAP_DEBUG);
	NEST_IN_ITSELF(TRAP_NMI);
	NEST_IN_ITSELF(TRAP_MACHINE_CHECK);
}

/* --- windows: an NMI has landed and not yet moved; or it is about to return */

#define DR7_EXECUTE_0 0x402u		/* DR0 of all tasks: at execution (SDM vol. 3, 17.2.4) */

extern const char nest_landed[], nest_return[];

static struct {
	unsigned landed, leaving;	/* instructions at which another NMI was sent */
	unsigned nmis, lost;
	uint64_t lowest;		/* stack pointer seen while landed */
} window;

static void set_breakpoint(uint64_t address, uint64_t control)
{
	__asm__ volatile("movq %0, %%dr0\n\tmovq %1, %%dr7" : : "r"(address), "r"(control));
}

static bool has_landed(uint64_t sp)
{
	return sp - 1 - (uint64_t)percpu()->stacks[STACK_NMI].space < STACK_SIZE;
}

static bool is_nested(uint64_t sp)
{
	return sp - 1 - (uint64_t)percpu()->nest->space < NEST_SIZE;
}

/* At the breakpoint: if that is in an NMI's entry or exit, there comes another one. */
static bool strike(struct trap_frame *f)
{
	set_breakpoint(0, 0);
	if (has_landed(f->rsp)) {
		window.landed++;
		if (f->rsp < window.lowest)
			window.lowest = f->rsp;
	} else if (is_nested(f->rsp)) {
		window.leaving++;
	} else {
		return true;
	}
	window.nmis = 0;
	send_nmi();
	return true;
}

/* One that were to come in the window would find the other's landing stack in use. */
static bool count_nmi(struct trap_frame *f)
{
	window.nmis++;
	window.lost += has_landed(f->rsp);
	return true;
}

static void attack_at(uintptr_t address)
{
	unsigned before = window.landed + window.leaving, nmis;

	window.nmis = 0;
	set_breakpoint(address, DR7_EXECUTE_0);
	send_nmi();
	__asm__ volatile("nop\n\tnop\n\tnop" : : : "memory");
	set_breakpoint(0, 0);
	nmis = window.nmis;
	if (window.landed + window.leaving == before)
		EXPECT_EQ(nmis, 1);	/* no instruction begins there, or it is another's */
	else if (nmis == 0 || nmis > 2)
		window.lost++;		/* leaving, the first one is counted already */
}

/* Where the code of @path, which holds @start, is; each of its bytes, as any may begin one. */
static void attack_file(const void *start, const char *path)
{
	const char *file;
	unsigned line;

	for (uintptr_t a = (uintptr_t)start - 1024; a < (uintptr_t)start + 1024; a++)
		if (kline_lookup(a, &file, &line) && strcmp(file, path) == 0)
			attack_at(a);
}

TEST(an_nmi_at_any_instruction_of_entry_and_exit)
{
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, strike);
	uint64_t top = (uint64_t)(&percpu()->stacks[STACK_NMI] + 1);

	memset(&window, 0, sizeof(window));
	window.lowest = top;
	if (!apic_present()) {
		test_skip("no local APIC to send an NMI with");
	} else if (nmi_add(count_nmi)) {
		for (unsigned i = 0; i < sizeof(trap_stubs[0]); i++)
			attack_at((uintptr_t)&trap_stubs[TRAP_NMI][i]);
		attack_file(nest_landed, "arch/x86_64/trap_entry.S");
		attack_file((const void *)nest_enter, "arch/x86_64/nest.c");
		nmi_remove(count_nmi);
		EXPECT_EQ(window.lost, 0);
		/* or it attacked next to nothing; how many there are is the compiler's choice */
		EXPECT_CMP(window.landed, >, 40);
		EXPECT_CMP(window.leaving, >, 40);
		EXPECT_CMP(top - window.lowest, <=, NEST_LANDED);
		test_note("%u instructions landed, %u leaving; %llu bytes of a landing stack",
			  window.landed, window.leaving,
			  (unsigned long long)(top - window.lowest));
	}
	trap_set_handler(TRAP_DEBUG, old);
}
