/* SPDX-License-Identifier: MIT */
/*
 * The step gate in the kernel: debug exceptions on their own stack, worlds in
 * memory that is borrowed from the live allocator, which stands still meanwhile.
 */
#define SUITE "step"
#include "../../test.h"
#include "../step.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/mm_sleep.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

/* linker.ld keeps what belongs to mm/ together. */
extern unsigned char mm_text_start[], mm_text_end[];
extern unsigned char mm_data_start[], mm_data_end[], mm_bss_start[], mm_bss_end[];

#define TRAP_FLAG 0x100u		/* RFLAGS.TF */
#define DATA_MAX  0x1000u
#define BSS_MAX   0x8000u
#define STACK_MAX 0x4000u

static struct {
	unsigned char data[DATA_MAX], bss[BSS_MAX], local[CPU_LOCAL_BYTES];
} live;				/* the live allocator, while worlds come and go */

static struct { void *page; unsigned order; } lent[ZONE_COUNT];
static struct step_place place;

/* --- the trap flag */

/* RFLAGS.TF: a debug exception after each instruction.  Intel SDM vol. 3, 18.3.1.4. */
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

static bool on_trap(struct trap_frame *f)
{
	exception_top = (unsigned char *)(f + 1);
	if (!step_trap(f->rip))
		f->rflags &= ~(uint64_t)TRAP_FLAG;
	return true;
}

/* --- memory */

static unsigned char *local_area(void)
{
	return (unsigned char *)(uintptr_t)cpu_local_area(cpu_number());
}

static bool borrow(void)
{
	static const gfp_t where[ZONE_COUNT] = { GFP_DMA, GFP_DMA32, 0 };
	static const unsigned orders[ZONE_COUNT][2] = { { 9, 9 }, { 15, 9 }, { 11, 9 } };

	page_drain();
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		place.base[z] = place.frames[z] = 0;
		for (unsigned i = 0; i < 2 && !lent[z].page; i++) {
			unsigned order = orders[z][i];
			void *page = allocpages(GFP_NOWAIT | where[z], order, OWNER_KERNEL);
			uint32_t f = page ? page_to_frame(page).n : 0;

			if (!page)
				continue;
			if ((f < ZONE_DMA_END ? 0u : f < ZONE_DMA32_END ? 1u : 2u) != z) {
				freepages(page, order, OWNER_KERNEL);
				continue;
			}
			lent[z].page = page;
			lent[z].order = order;
			place.base[z] = f;
			place.frames[z] = 1u << order;
		}
	}
	return lent[ZONE_DMA].page;
}

static void give_back(void)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		if (lent[z].page)
			freepages(lent[z].page, lent[z].order, OWNER_KERNEL);
	memset(lent, 0, sizeof lent);
}

static void put_aside(void)
{
	memcpy(live.data, mm_data_start, (size_t)(mm_data_end - mm_data_start));
	memcpy(live.bss, mm_bss_start, (size_t)(mm_bss_end - mm_bss_start));
	memcpy(live.local, local_area(), CPU_LOCAL_BYTES);
}

static void bring_back(void)
{
	memcpy(mm_data_start, live.data, (size_t)(mm_data_end - mm_data_start));
	memcpy(mm_bss_start, live.bss, (size_t)(mm_bss_end - mm_bss_start));
	memcpy(local_area(), live.local, CPU_LOCAL_BYTES);
}

bool runner_world(struct step_place *out)
{
	memset(local_area(), 0, CPU_LOCAL_BYTES);
	*out = place;
	return true;
}

/* --- the tests */

/* A panic is what many faults end in: then the report says where the last visit was. */
static void print_where(void)
{
	char where[256];

	step_where(where, sizeof where);
	kprintf("  # STEP-FAIL panic %s\n", where);
}

static void announce(void)
{
	static bool done;

	if (!done)
		panic_add_section("The step gate", print_where);
	done = true;
}

/* Interrupts off: nobody else on this CPU may come to the allocator that is not there. */
static void with_a_world(void (*run)(void))
{
	uint64_t flags = __builtin_ia32_readeflags_u64();

	ASSERT((size_t)(mm_bss_end - mm_bss_start) <= sizeof live.bss);
	ASSERT((size_t)(mm_data_end - mm_data_start) <= sizeof live.data);
	ASSERT((size_t)(mm_text_end - mm_text_start) <= STEP_TEXT_MAX);
	if (!borrow()) {
		give_back();
		test_skip("no 2 MiB below 16 MiB are free");
		return;
	}
	__asm__ volatile("cli" : : : "memory");
	announce();
	put_aside();
	mm_set_sleeper(NULL);		/* until it is brought back with the rest */
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, on_trap);
	run();
	trap_set_handler(TRAP_DEBUG, old);
	bring_back();
	__builtin_ia32_writeeflags_u64(flags);
	give_back();
}

#define SAMPLE 1500000u		/* steps: a second or two */

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
	const char *names[64] = { NULL };
	struct step_run r = { .seed = number("stepseed", test_random()) };

	for (unsigned i = 0; i < step_script_count && i < 64; i++)
		names[i] = step_scripts[i].name;
	r.script = index_of("stepscript", names, step_script_count, step_script_count);
	r.world = index_of("stepworld", step_world_names, STEP_WORLDS, 0);
	r.mode = index_of("stepmode", step_mode_names, STEP_MODES, STEP_FRESH);
	r.program = index_of("stepprogram", step_program_names, STEP_PROGRAMS, 0);
	r.at = number("stepat", 0);
	memset(&step_totals, 0, sizeof step_totals);
	if (r.script < step_script_count)
		step_again(&r);
	else
		step_sweep(r.seed, number("stepsteps", 0), number("stepfull", 0));
}

/* One line for each 32 bytes of text in which a visitor has been: two digits a byte. */
static void print_cover(void)
{
	char line[80];

	for (size_t at = 0; at < STEP_TEXT_MAX; at += 32) {
		bool any = false;
		size_t n = 0;

		for (size_t i = at; i < at + 32; i++) {
			any |= step_cover[i] != 0;
			n += (size_t)ksnprintf(line + n, sizeof line - n, "%02x", step_cover[i]);
		}
		if (any)
			kprintf("STEP-COVER %zx %s\n", at, line);
	}
}

TEST_BY_NAME(as_told)
{
	memset(step_cover, 0, sizeof step_cover);
	with_a_world(sweep_as_told);
	step_print_totals();
	kprintf("STEP-TOTALS %llu %llu %llu %llu %llu %u\n",
		(unsigned long long)step_totals.steps, (unsigned long long)step_totals.visits,
		(unsigned long long)step_totals.nested, (unsigned long long)step_totals.calls,
		(unsigned long long)step_totals.runs, step_totals.violations);
	print_cover();
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
	with_a_world(sample);
	step_print_totals();
	EXPECT_EQ(step_totals.violations, 0);
}
