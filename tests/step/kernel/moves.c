/* SPDX-License-Identifier: MIT */
/*
 * A thread that is interrupted at one CPU and goes on at another.
 *
 * A debug exception cannot switch threads on its own stack.  So it lays the interrupted
 * registers on the thread's stack, below what is there, and returns to a few instructions
 * (stack.S) that call go_elsewhere() and then return from there as from the exception.
 */
#define SUITE "step"
#include "../../test.h"
#include "gate.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

void step_thunk(void);			/* stack.S */

void gate_send_away(struct trap_frame *f)
{
	uintptr_t below = (f->rsp - sizeof(*f)) & ~(uintptr_t)15;
	struct trap_frame *copy = (struct trap_frame *)below;

	*copy = *f;
	f->rip = (uintptr_t)step_thunk;
	f->rsp = below;
	f->rflags &= ~(uint64_t)(TRAP_FLAG | DIRECTION);
}

static void (*away)(void) = step_away;

void step_go_elsewhere(void);

/* Called by stack.S, on the thread's stack. */
void step_go_elsewhere(void)
{
	away();
}

/* --- CPUs */

static unsigned cpus = 1;

unsigned runner_cpus(void) { return cpus; }

void runner_move(unsigned cpu)
{
	if (cpus > 1)
		KASSERT(thread_move(cpu));
}

/* --- a crowd: a thread a CPU that allocates, transfers and frees */

#define SLOTS 3u

struct slot { uint64_t *page; unsigned order; owner_t owner; };

static struct member {
	struct thread *thread;
	struct semaphore start, stopped;
	_Atomic uint64_t rounds;
	uint64_t random;
	struct slot slot[SLOTS];
} crowd[GATE_CPUS];
static _Atomic bool crowded, over;

static void sign(const struct slot *s, uint64_t what)
{
	for (size_t i = 0; i < 1u << s->order; i++)
		s->page[i * (PAGE_SIZE / sizeof(*s->page))] = what + i;
}

static void check(const struct slot *s)
{
	for (size_t i = 0; i < 1u << s->order; i++)
		if (s->page[i * (PAGE_SIZE / sizeof(*s->page))] != (uintptr_t)s->page + i)
			step_violation("I2", "a page of the crowd's was changed");
	book_check_word(s->page, s->order, s->owner, PAGE_HELD);
}

static void expect_ok(enum page_error e, const char *what)
{
	if (e != PAGE_OK)
		step_violation("I5", "the crowd's %s: %s", what, page_error_name(e));
}

static void take(struct member *m, struct slot *s)
{
	s->order = (unsigned)(step_mix(&m->random) % 6);
	s->order = s->order < 3 ? 0 : s->order - 2;
	s->owner = step_owner[STEP_CROWDED];
	s->page = allocpages(GFP_ATOMIC, s->order, s->owner);
	if (s->page)
		sign(s, (uintptr_t)s->page);
}

static void pass_on(struct slot *s)
{
	owner_t to = step_owner[s->owner.id == step_owner[STEP_HEIR].id ? STEP_CROWDED : STEP_HEIR];

	expect_ok(page_transfer(s->page, s->order, s->owner, to), "transfer");
	s->owner = to;
}

static void give(struct slot *s)
{
	check(s);
	sign(s, 0);
	expect_ok(freepages(s->page, s->order, s->owner), "free");
	s->page = NULL;
}

static void round(struct member *m)
{
	struct slot *s = &m->slot[step_mix(&m->random) % SLOTS];

	if (!s->page)
		take(m, s);
	else if (step_mix(&m->random) % 4 == 0)
		pass_on(s);
	else
		give(s);
	atomic_fetch_add(&m->rounds, 1);
}

static uint64_t be_in_the_crowd(void *arg)
{
	struct member *m = arg;

	while (semaphore_down(&m->start, WAIT_FOREVER) && !over) {
		while (crowded && !step_failed())
			round(m);
		for (unsigned i = 0; i < SLOTS; i++)
			if (m->slot[i].page)
				give(&m->slot[i]);
		page_drain();
		semaphore_up(&m->stopped);
	}
	return 0;
}

void runner_crowd(bool on)
{
	crowded = on;
	for (unsigned c = 0; c < cpus; c++) {
		if (on)
			semaphore_up(&crowd[c].start);
		else
			semaphore_down(&crowd[c].stopped, WAIT_FOREVER);
	}
}

#define PATIENCE_NS ((uint64_t)1000000000)

void runner_let_others(unsigned cpu)
{
	uint64_t before = crowd[cpu].rounds, end = clock_ns() + PATIENCE_NS;

	while (crowd[cpu].rounds < before + 2 && clock_ns() < end && !step_failed())
		cpu_relax();
}

/* --- the thread that moves */

static uint64_t in_a_thread(void *run)
{
	gate_with_a_world(cpus, (void (*)(void))run);
	return 0;
}

/* Threads, before the allocator that their stacks come from is put aside. */
static void join_all(struct thread *t)
{
	thread_join(t, NULL);
	over = true;
	for (unsigned c = 0; c < cpus; c++) {
		semaphore_up(&crowd[c].start);
		thread_join(crowd[c].thread, NULL);
	}
}

static uint64_t look_for_cpus(void *unused)
{
	(void)unused;
	for (cpus = 1; cpus < GATE_CPUS && thread_move(cpus); cpus++)
		;
	return cpus;
}

static struct thread *on_first(const char *name, thread_fn_t fn, void *arg)
{
	struct thread *t = thread_create_on(0, name, THREAD_HIGH, OWNER_KERNEL, fn, arg);

	KASSERT(t);
	return t;
}

static bool find_cpus(void)
{
	thread_join(on_first("finder", look_for_cpus, NULL), NULL);
	return cpus > 1;
}

bool gate_with_moves(void (*run)(void))
{
	if (!find_cpus())
		return false;
	memset(crowd, 0, sizeof crowd);
	crowded = over = false;
	for (unsigned c = 0; c < cpus; c++)
		crowd[c].thread = thread_create_on(c, "crowd", THREAD_LOW, OWNER_KERNEL,
						   be_in_the_crowd, &crowd[c]);
	join_all(on_first("wanderer", in_a_thread, (void *)run));
	return true;
}

/* --- what a thread takes with it */

#define REGISTERS 15u			/* the last one is for the flags */
#define FLAGS     0x4d5u		/* of RFLAGS: DF, SF, ZF, AF, PF, CF */

void step_keep_registers(uint64_t r[REGISTERS]);	/* stack.S */

static unsigned registers_moved;

static void move_on(void)
{
	registers_moved++;
	KASSERT(thread_move((cpu_number() + 1) % cpus));
}

static bool send_away(struct trap_frame *f)
{
	gate_send_away(f);
	return true;
}

static uint64_t keep_registers(void *r)
{
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, send_away);

	away = move_on;
	step_keep_registers(r);
	away = step_away;
	trap_set_handler(TRAP_DEBUG, old);
	return 0;
}

TEST(a_moved_thread_keeps_its_registers)
{
	uint64_t r[REGISTERS], flags;

	if (!find_cpus()) {
		test_skip("needs another CPU");
		return;
	}
	for (unsigned i = 0; i < REGISTERS; i++)
		r[i] = i * 0x0123456789abcdefu + 1;
	flags = r[REGISTERS - 1] = __builtin_ia32_readeflags_u64() | FLAGS | TRAP_FLAG;
	registers_moved = 0;
	thread_join(on_first("wanderer", keep_registers, r), NULL);
	for (unsigned i = 0; i < REGISTERS - 1; i++)
		EXPECT_EQ(r[i], i * 0x0123456789abcdefu + 1);
	EXPECT_EQ(r[REGISTERS - 1], flags);
	EXPECT_EQ(registers_moved, 21);
}
