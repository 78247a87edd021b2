/* SPDX-License-Identifier: MIT */
/* Walking the stack: calls and exceptions are found, damage ends the walk. */
#include <arch/trap.h>
#include <arch/unwind.h>
#include <labyrinth/irq.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SUITE "unwind"

#define NOINLINE __attribute__((noinline))
#define FRAME    ((uintptr_t)__builtin_frame_address(0))

/* Keeps a call from becoming a jump, which would leave no trace of the caller. */
#define STAY() __asm__ volatile("" : : : "memory")

static bool is_in(const struct unwind *u, const char *function)
{
	struct ksym sym;

	/* gcc may have split parts off: "function.part.0", "function.cold" */
	return ksym_lookup(u->pc - u->returns, &sym) &&
	       strncmp(sym.name, function, strlen(function)) == 0;
}

static NOINLINE void innermost(struct unwind *u, bool *found)
{
	*found = unwind_call(u, FRAME);
	STAY();
}

static NOINLINE void middle(struct unwind *u, bool *found)
{
	innermost(u, found);
	STAY();
	/* The frames above are still what they were, and that is all the walk reads. */
	EXPECT(*found && is_in(u, "middle") && u->returns && !u->trap);
	EXPECT(unwind_next(u) && is_in(u, "test_callers_come_in_order"));
	EXPECT(unwind_next(u) && is_in(u, "test_run"));
}

TEST(callers_come_in_order)
{
	struct unwind u;
	bool found;

	middle(&u, &found);
	STAY();
}

TEST(the_walk_ends_at_the_entry)
{
	struct unwind u;
	unsigned steps = 1;
	bool in_main = false;

	ASSERT(unwind_call(&u, FRAME));
	while (unwind_next(&u)) {
		in_main |= is_in(&u, "kernel_main");
		steps++;
	}
	EXPECT(in_main);
	EXPECT(!is_in(&u, "kernel_main"));	/* but in what called it */
	EXPECT_CMP(steps, <, 30);
}

/* What a breakpoint's handler saw. */
static struct {
	bool found, interrupted, called;
} seen;

static bool look(struct trap_frame *f)
{
	struct unwind u;

	seen.found = unwind_call(&u, FRAME) && is_in(&u, "exception");
	seen.interrupted = unwind_next(&u) && is_in(&u, "interrupt_me") && u.trap == f;
	seen.called = unwind_next(&u) && is_in(&u, "test_a_handler_sees_what_it_interrupted") &&
		      u.returns;
	return true;
}

static NOINLINE void interrupt_me(void)
{
	__asm__ volatile("int3");
	STAY();
}

TEST(a_handler_sees_what_it_interrupted)
{
	trap_handler_t before = trap_set_handler(TRAP_BREAKPOINT, look);

	interrupt_me();
	STAY();
	trap_set_handler(TRAP_BREAKPOINT, before);
	EXPECT(seen.found);
	EXPECT(seen.interrupted);
	EXPECT(seen.called);
}

static void look_from_interrupt(struct trap_frame *f)
{
	struct unwind u;

	seen.found = unwind_call(&u, FRAME) && is_in(&u, "irq_dispatch");
	seen.interrupted = unwind_next(&u) && is_in(&u, "interrupt_me_by_vector") && u.trap == f;
	seen.called = unwind_next(&u) && is_in(&u, "test_an_interrupt_s_handler_too") && u.returns;
}

static NOINLINE void interrupt_me_by_vector(void)
{
	__asm__ volatile("int %0" : : "i"(IRQ_TEST));
	STAY();
}

/* There the walk goes from one stack to another. */
TEST(an_interrupt_s_handler_too)
{
	irq_handler_t before = irq_set_handler(IRQ_TEST, look_from_interrupt);

	seen.found = seen.interrupted = seen.called = false;
	interrupt_me_by_vector();
	STAY();
	irq_set_handler(IRQ_TEST, before);
	EXPECT(seen.found);
	EXPECT(seen.interrupted);
	EXPECT(seen.called);
}

/* Before, between and behind the two instructions that make a frame, and when it is gone. */
__asm__(
	"	.pushsection .text\n"
	"	.type	three_breakpoints, @function\n"
	"three_breakpoints:\n"
	"	int3\n"
	"	pushq	%rbp\n"
	"	int3\n"
	"	movq	%rsp, %rbp\n"
	"	int3\n"
	"	popq	%rbp\n"
	"	int3\n"
	"	ret\n"
	"	.size	three_breakpoints, . - three_breakpoints\n"
	"	.popsection\n");
void three_breakpoints(void);

static unsigned stops, callers_found;

static bool look_for_caller(struct trap_frame *f)
{
	struct unwind u;

	stops++;
	unwind_trap(&u, f);
	if (is_in(&u, "three_breakpoints") && unwind_next(&u) &&
	    is_in(&u, "test_a_caller_is_found_without_a_frame") &&
	    unwind_next(&u) && is_in(&u, "test_run"))
		callers_found++;
	return true;
}

TEST(a_caller_is_found_without_a_frame)
{
	trap_handler_t before = trap_set_handler(TRAP_BREAKPOINT, look_for_caller);

	stops = callers_found = 0;
	three_breakpoints();
	STAY();
	trap_set_handler(TRAP_BREAKPOINT, before);
	EXPECT_EQ(stops, 4);
	EXPECT_EQ(callers_found, 4);
}

TEST(a_damaged_frame_ends_the_walk)
{
	uintptr_t good = FRAME, record[2];
	struct unwind u;

	EXPECT(!unwind_call(&u, 0));
	EXPECT(!unwind_call(&u, 8));
	EXPECT(!unwind_call(&u, good + 1));
	EXPECT(!unwind_call(&u, 0x8000000000000000u));
	EXPECT(!unwind_call(&u, UINTPTR_MAX - 7));

	/* a whole one; its own caller; one below its callee; a return to what is no code */
	ASSERT(peek(good + 8, &record[1]));
	record[0] = good;
	EXPECT(unwind_call(&u, (uintptr_t)record) && unwind_next(&u));
	record[0] = (uintptr_t)record;
	EXPECT(unwind_call(&u, (uintptr_t)record) && !unwind_next(&u));
	record[0] = (uintptr_t)record - 64;
	EXPECT(unwind_call(&u, (uintptr_t)record) && !unwind_next(&u));
	record[1] = (uintptr_t)record;
	EXPECT(!unwind_call(&u, (uintptr_t)record));
}

TEST(peek_reads_only_what_is_there)
{
	static uintptr_t datum = 0x1abc1abc;
	uintptr_t value = 0;

	EXPECT(peek((uintptr_t)&datum, &value));
	EXPECT_EQ(value, datum);
	EXPECT(!peek((uintptr_t)&datum + 4, &value));
	EXPECT(!peek(0, &value));
	EXPECT(!peek(0x100000, &value));
	EXPECT(!peek(0x7ffffffffff8u, &value));
	EXPECT(!peek(0xffff7ffffffffff8u, &value));	/* non-canonical */
	EXPECT(!peek(0xffffa00000000000u, &value));	/* device windows are not asked */
	EXPECT(!peek(0xfffffffffffff000u, &value));
	EXPECT_EQ(value, datum);
}
