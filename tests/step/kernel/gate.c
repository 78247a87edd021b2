/* SPDX-License-Identifier: MIT */
/* The step gate in the kernel: debug exceptions on their own stack, and the tests. */
#define SUITE "step"
#include "../../test.h"
#include "gate.h"

#include <arch/trap.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#define STACK_MAX 0x4000u

/* --- the trap flag */

/* A debug exception after each instruction. */
void runner_flag(bool on)
{
	uint64_t flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | TRAP_FLAG : flags & ~(uint64_t)TRAP_FLAG);
}

bool runner_in_mm(uintptr_t pc, size_t *offset)
{
	*offset = pc - (uintptr_t)mm_text_start;
	return *offset < (size_t)(mm_text_end - mm_text_start);
}

static const struct trap_frame *interrupted;

uint64_t runner_register(unsigned n)
{
	const struct trap_frame *f = interrupted;
	const uint64_t r[16] = { f->rax, f->rcx, f->rdx, f->rbx, f->rsp, f->rbp, f->rsi, f->rdi,
				 f->r8, f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15 };

	return r[n % 16];
}

size_t runner_text_size(void)
{
	return (size_t)(mm_text_end - mm_text_start);
}

void runner_place_name(char *buf, size_t size, uintptr_t pc)
{
	struct ksym sym;
	const char *file = "?";
	unsigned line = 0;

	kline_lookup(pc, &file, &line);
	if (ksym_lookup(pc, &sym))
		ksnprintf(buf, size, "0x%llx %s+0x%x %s:%u", (unsigned long long)pc, sym.name,
			  (unsigned)sym.offset, file, line);
	else
		ksnprintf(buf, size, "0x%llx", (unsigned long long)pc);
}

/*
 * A debug exception within the handler of one would use the same stack from its
 * top.  So a visit that is to be interrupted runs elsewhere, and what the stack of
 * the exception held is put back behind it.
 */
static unsigned char nest_stack[STACK_MAX] __attribute__((aligned(16)));
static unsigned char saved_stack[STACK_MAX];
static unsigned char *exception_top, *exception_at;
static void (*nested_visit)(void);

void step_on_stack(void (*fn)(void), void *top);	/* stack.S */

static void nested(void)
{
	size_t used = (size_t)(exception_top - exception_at);

	memcpy(saved_stack, exception_at, used);
	nested_visit();
	memcpy(exception_at, saved_stack, used);
}

void runner_nested(void (*visit)(void))
{
	/* All of the exception's stack from below this frame, red zone or not. */
	exception_at = (unsigned char *)__builtin_frame_address(0) - 512;
	nested_visit = visit;
	step_on_stack(nested, nest_stack + STACK_MAX);
}

bool gate_on_trap(struct trap_frame *f)
{
	if (gate_crowd_step(f->rip))
		return true;
	exception_top = (unsigned char *)(f + 1);
	interrupted = f;
	switch (step_trap(f->rip)) {
	case STEP_ENOUGH:
		f->rflags &= ~(uint64_t)TRAP_FLAG;
		break;
	case STEP_AWAY:
		gate_send_away(f);
		break;
	case STEP_MORE:
		break;
	}
	return true;
}

/* --- the tests */

#define SAMPLE 150000u		/* steps: a fifth of a second; tools/check-step --short does more */

static void sample(void)
{
	step_sample(test_random(), SAMPLE);
}

/* --- what tools/check-step asks for, by words on the command line */

static uint64_t number(const char *key, uint64_t otherwise)
{
	uint64_t v = otherwise;

	cmdline_u64(key, &v);
	return v;
}

static unsigned index_of(const char *key, const char *const names[], unsigned n,
			 unsigned otherwise)
{
	size_t len;
	const char *value = cmdline_get(key, &len);

	for (unsigned i = 0; value && i < n; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], value, len))
			return i;
	return otherwise;
}

static void sweep_as_told(void)
{
	const char *names[128] = { NULL };
	struct step_run r = { .seed = number("stepseed", test_random()) };

	for (unsigned i = 0; i < step_script_count && i < 128; i++)
		names[i] = step_scripts[i].name;
	r.cpus = (unsigned)number("stepcpus", 1);
	r.script = index_of("stepscript", names, step_script_count, STEP_ALL_SCRIPTS);
	r.world = index_of("stepworld", step_world_names, STEP_WORLDS, 0);
	r.mode = index_of("stepmode", step_mode_names, STEP_MODES, STEP_MODES);
	r.program = index_of("stepprogram", step_program_names, STEP_PROGRAMS, 0);
	r.at = number("stepat", 0);
	memset(&step_totals, 0, sizeof step_totals);
	if (r.script < step_script_count && r.mode < STEP_MODES)
		step_again(&r);
	else if (r.cpus > 1 && number("stepmoves", 0))
		step_sample_moves(r.seed, number("stepmoves", 0), false);
	else if (r.cpus > 1)
		step_sweep_moves(r.seed, number("stepfull", 0), number("stepcrowd", 0), r.script);
	else
		step_sweep(r.seed, number("stepsteps", 0), number("stepfull", 0), r.script);
}

/* One line for each 32 bytes of text in which a visitor has been: two digits a byte. */
static void print_cover(const uint8_t *cover)
{
	char line[80];

	for (size_t at = 0; at < STEP_TEXT_MAX; at += 32) {
		bool any = false;
		size_t n = 0;

		for (size_t i = at; i < at + 32; i++) {
			any |= cover[i] != 0;
			n += (size_t)ksnprintf(line + n, sizeof line - n, "%02x", cover[i]);
		}
		if (any)
			kprintf("STEP-COVER %zx %s\n", at, line);
	}
}

TEST_BY_NAME(as_told)
{
	bool moves = number("stepcpus", 1) > 1;

	memset(step_cover, 0, sizeof step_cover);
	memset(step_moved, 0, sizeof step_moved);
	if (!moves)
		gate_with_a_world(1, sweep_as_told);
	else
		EXPECT(gate_with_moves(sweep_as_told));
	step_print_totals();
	kprintf("STEP-TOTALS %llu %llu %llu %llu %llu %llu %llu %u\n",
		(unsigned long long)step_totals.steps, (unsigned long long)step_totals.visits,
		(unsigned long long)step_totals.nested, (unsigned long long)step_totals.calls,
		(unsigned long long)step_totals.runs,
		(unsigned long long)step_totals.moves,
		(unsigned long long)step_totals.turns, step_totals.violations);
	print_cover(moves ? step_moved : step_cover);
	kprintf("STEP-END\n");
	EXPECT_EQ(step_totals.violations, 0);
}

/* --- what a page costs, whoever asks for it */

static uint64_t counted, cost;
static bool entering;
static owner_t buyer;

static void measure(void)
{
	counted = 0;
	runner_flag(true);
	freepage(allocpage(GFP_ATOMIC, buyer), buyer);
	runner_flag(false);
	cost = counted;
}

static bool on_count(struct trap_frame *f)
{
	counted++;
	if (!entering)
		return true;
	entering = false;
	exception_top = (unsigned char *)(f + 1);
	runner_nested(measure);
	f->rflags &= ~(uint64_t)TRAP_FLAG;
	return true;
}

static bool on_nmi(struct trap_frame *f)
{
	(void)f;
	measure();
	return true;
}

TEST(a_page_costs_the_same_in_every_context)
{
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, on_count);
	trap_handler_t old_nmi = trap_set_handler(TRAP_NMI, on_nmi);
	uint64_t in_thread, in_debug;

	buyer = owner_register("buyer");
	measure();			/* fills the cache */
	measure();
	in_thread = cost;
	entering = true;
	runner_flag(true);		/* the exception comes here */
	runner_flag(false);
	in_debug = cost;
	__asm__ volatile("int $2" : : : "memory");
	trap_set_handler(TRAP_NMI, old_nmi);
	trap_set_handler(TRAP_DEBUG, old);
	test_note("a page and back: %llu instructions", (unsigned long long)in_thread);
	EXPECT_CMP(in_thread, >, 20);
	EXPECT_EQ(in_debug, in_thread);
	EXPECT_EQ(cost, in_thread);
	EXPECT_EQ(owner_unregister(buyer), 0);
}

/* Each call is followed by an audit of all memory. */
#define MOST_FRAMES ((uint64_t)128 << (30 - PAGE_SHIFT))

TEST(a_visitor_between_any_two_instructions)
{
	struct mm_stats s;

	mm_stats(&s);
	if (s.frames > MOST_FRAMES) {
		test_skip("auditing so much memory after each call takes too long");
		return;
	}
	gate_with_a_world(1, sample);
	step_print_totals();
	EXPECT_EQ(step_totals.violations, 0);
}

/* Two CPUs that each run in a thread of QEMU's need a millisecond or two for a move. */
#define MOVES 200u

static void sample_moves(void)
{
	step_sample_moves(test_random(), MOVES, true);
}

TEST(a_thread_that_goes_to_another_cpu_between_any_two_instructions)
{
	struct mm_stats s;

	mm_stats(&s);
	if (s.frames > MOST_FRAMES) {
		test_skip("auditing so much memory after each call takes too long");
		return;
	}
	if (!gate_with_moves(sample_moves)) {
		test_skip("needs another CPU");
		return;
	}
	step_print_totals();
	EXPECT_EQ(step_totals.violations, 0);
}
