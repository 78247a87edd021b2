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

#include <arch/cpu.h>
#include <arch/trap.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>

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

/* --- the thread that moves */

static uint64_t in_a_thread(void *run)
{
	gate_with_a_world(cpus, (void (*)(void))run);
	return 0;
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
	gate_crowd_create(cpus);
	thread_join(on_first("wanderer", in_a_thread, (void *)run), NULL);
	gate_crowd_join();
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
