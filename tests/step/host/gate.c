/* SPDX-License-Identifier: MIT */
/*
 * The step gate in a Linux process: the trap flag makes a SIGTRAP of each
 * instruction, and its handler is the visitor.  Slower than the kernel's by far
 * (two switches to Linux a step), but it needs no emulator.
 */
#define SUITE "step"
#include "../../test.h"
#include "../step.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <labyrinth/print.h>

#include "../../../arch/host/machine.h"

#define TRAP_FLAG 0x100		/* RFLAGS.TF: Intel SDM vol. 1, 3.4.3.3 */
#define STACK     (1u << 20)	/* of the handler; nested visits go on below */
#define SAMPLE    100000u	/* steps: two seconds or so */

/* The Makefile puts mm/ into a section of its own; the linker gives its bounds. */
extern const unsigned char __start_mm_text[], __stop_mm_text[], __executable_start[];

void runner_flag(bool on)
{
	uint64_t set = on ? TRAP_FLAG : 0, keep = ~(uint64_t)TRAP_FLAG;

	/* Below the red zone. */
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq %0, (%%rsp)\n\t"
			 "orq %1, (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), %%rsp"
			 : : "r"(keep), "r"(set) : "memory", "cc");
}

bool runner_in_mm(uintptr_t pc, size_t *offset)
{
	*offset = pc - (uintptr_t)__start_mm_text;
	return *offset < runner_text_size();
}

static const ucontext_t *interrupted;

uint64_t runner_register(unsigned n)
{
	static const int r[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI,
				   REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13,
				   REG_R14, REG_R15 };

	return (uint64_t)interrupted->uc_mcontext.gregs[r[n % 16]];
}

size_t runner_text_size(void)
{
	return (size_t)(__stop_mm_text - __start_mm_text);
}

void runner_place_name(char *buf, size_t size, uintptr_t pc)
{
	ksnprintf(buf, size, "0x%zx (addr2line -fie %s)",
		  (size_t)(pc - (uintptr_t)__executable_start), "build/test/gcc/host/step");
}

/* The handler of a SIGTRAP may be traced like anything else: it runs on below itself. */
void runner_nested(void (*visit)(void))
{
	visit();
}

bool runner_world(struct step_place *out)
{
	static bool made;

	*out = (struct step_place){ { 0x400, 0x8000, 0x100000 }, { 0x400, 0x8000, 0x800 } };
	if (!made)
		host_machine_init((uint64_t)0x100800 << PAGE_SHIFT);
	made = true;
	memset(host_cpus[0].local, 0, sizeof host_cpus[0].local);
	host_bind_cpu(0);
	return true;
}

/* One process plays one CPU: nobody moves. */
unsigned runner_cpus(void) { return 1; }
void runner_move(unsigned cpu) { (void)cpu; }
void runner_crowd(bool on, uint64_t seed) { (void)on; (void)seed; }
void runner_let_others(unsigned cpu, uint64_t n) { (void)cpu; (void)n; }
void runner_turn(void) { }

static void on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	(void)info;
	interrupted = c;
	if (step_trap((uintptr_t)c->uc_mcontext.gregs[REG_RIP]) == STEP_ENOUGH)
		c->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

/* A panic in mm/ ends in abort(): say first where the last visit was. */
static void on_abort(int signal)
{
	char where[256];

	(void)signal;
	step_where(where, sizeof where);
	kprintf("  # STEP-FAIL panic %s\n", where);
}

TEST(a_visitor_between_any_two_instructions)
{
	stack_t stack = { .ss_sp = malloc(STACK), .ss_size = STACK }, old_stack;
	struct sigaction trap = { .sa_sigaction = on_trap,
				  .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER }, old_trap;
	struct sigaction fatal = { .sa_handler = on_abort }, old_fatal;

	ASSERT(stack.ss_sp && runner_text_size() <= STEP_TEXT_MAX);
	sigaltstack(&stack, &old_stack);
	sigaction(SIGTRAP, &trap, &old_trap);
	sigaction(SIGABRT, &fatal, &old_fatal);
	step_sample(test_random(), SAMPLE);
	sigaction(SIGABRT, &old_fatal, NULL);
	sigaction(SIGTRAP, &old_trap, NULL);
	sigaltstack(&old_stack, NULL);
	free(stack.ss_sp);
	step_print_totals();
	EXPECT_EQ(step_totals.violations, 0);
}
