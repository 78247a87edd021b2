/* SPDX-License-Identifier: MIT */
/*
 * A crowd: a thread on each CPU that allocates, transfers and frees while the gate's thread
 * comes by.
 *
 * The members are stepped, too.  At boundaries that chance picks the CPU pauses, which in QEMU is
 * the next one's turn (they all run in one thread of the emulator's): so everybody is stopped
 * half way through mm/ while others get on.  And behind an instruction where nobody has been
 * interrupted yet, somebody else comes in on the same CPU.
 */
#include "gate.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#define SLOTS        4u
#define BATCH        7u
#define TURN_EVERY   24u		/* boundaries of a member's, on the average */
#define VISIT_EVERY  512u
#define PATIENCE_NS  ((uint64_t)1000000000)

struct slot { uint64_t *page; unsigned order; owner_t owner; };

/* Who works on a CPU: its member of the crowd, and who interrupts that one. */
struct worker { uint64_t random; struct slot slot[SLOTS]; };

static struct member {
	struct thread *thread;
	struct semaphore start, stopped;
	struct worker self, visitor;
	_Atomic uint64_t steps;
	uintptr_t last;			/* the instruction that was executed last */
} crowd[GATE_CPUS];
static unsigned cpus;
static _Atomic bool crowded, over;

/* --- work */

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

static void take(struct worker *w, struct slot *s)
{
	static const uint8_t orders[] = { 0, 0, 0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9 };

	s->order = orders[step_mix(&w->random) % sizeof orders];
	s->owner = step_owner[STEP_CROWDED];
	s->page = s->order ? allocpages(GFP_ATOMIC, s->order, s->owner)
			   : allocpage(GFP_ATOMIC, s->owner);
	if (s->page)
		sign(s, (uintptr_t)s->page);
}

static void pass_on(struct slot *s)
{
	owner_t to = step_owner[s->owner.id == step_owner[STEP_HEIR].id ? STEP_CROWDED : STEP_HEIR];

	enum page_error e = page_transfer(s->page, s->order, s->owner, to);

	if (e == PAGE_WRONG_STATE && step_meeting.ndamaged)
		return;			/* what is damaged can be freed, but not passed on */
	expect_ok(e, "transfer");
	s->owner = to;
}

static void give(struct slot *s)
{
	check(s);
	sign(s, 0);
	expect_ok(s->order ? freepages(s->page, s->order, s->owner) : freepage(s->page, s->owner),
		  "free");
	s->page = NULL;
}

static void give_all(struct worker *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].page)
			give(&w->slot[i]);
}

static void batch(void)
{
	void *page[BATCH];
	size_t got = allocpages_bulk(GFP_NOWAIT, BATCH, page, step_owner[STEP_CROWDED]);

	if (freepages_bulk(got, page, step_owner[STEP_CROWDED]) != got)
		step_violation("I5", "the crowd's batch was not taken back");
}

static void work(struct worker *w)
{
	struct slot *s = &w->slot[step_mix(&w->random) % SLOTS];

	switch (step_mix(&w->random) % 32) {
	case 0:
		page_drain();
		break;
	case 1:
	case 2:
		batch();
		break;
	case 3:
		give_all(w);
		break;
	default:
		if (!s->page)
			take(w, s);
		else if (step_mix(&w->random) % 4 == 0)
			pass_on(s);
		else
			give(s);
	}
}

/* --- steps */

/* The crowd's member that runs on this CPU, if one does. */
static struct member *member_here(void)
{
	struct member *m = &crowd[cpu_number() % GATE_CPUS];

	return m->thread && m->thread == thread_current() ? m : NULL;
}

bool gate_crowd_step(uintptr_t pc)
{
	struct member *m = member_here();
	size_t before, behind;

	if (!m)
		return false;
	bool in = runner_in_mm(pc, &before), was = runner_in_mm(m->last, &behind);

	m->last = pc;
	atomic_fetch_add(&m->steps, 1);
	if ((!in && !was) || step_failed())
		return true;
	if ((was && step_is_new(behind)) || step_mix(&m->self.random) % VISIT_EVERY == 0) {
		work(&m->visitor);
	} else if (step_mix(&m->self.random) % TURN_EVERY == 0) {
		atomic_fetch_add(&step_totals.turns, 1);
		cpu_relax();
	}
	return true;
}

static uint64_t be_in_the_crowd(void *arg)
{
	struct member *m = arg;

	while (semaphore_down(&m->start, WAIT_FOREVER) && !over) {
		while (crowded && !step_failed()) {
			runner_flag(true);
			work(&m->self);
			runner_flag(false);
			cpu_relax();
		}
		give_all(&m->self);
		give_all(&m->visitor);
		page_drain();
		semaphore_up(&m->stopped);
	}
	return 0;
}

void runner_crowd(bool on, uint64_t seed)
{
	crowded = on;
	for (unsigned c = 0; c < cpus; c++) {
		if (on) {
			crowd[c].self.random = step_mix(&seed);
			crowd[c].visitor.random = step_mix(&seed);
			semaphore_up(&crowd[c].start);
		} else {
			semaphore_down(&crowd[c].stopped, WAIT_FOREVER);
		}
	}
}

void runner_let_others(unsigned cpu, uint64_t boundaries)
{
	uint64_t until = crowd[cpu].steps + boundaries, end = clock_ns() + PATIENCE_NS;

	while (crowd[cpu].steps < until && clock_ns() < end && !step_failed())
		cpu_relax();
}

void runner_turn(void)
{
	cpu_relax();
}

/* --- threads */

void gate_crowd_create(unsigned ncpu)
{
	memset(crowd, 0, sizeof crowd);
	crowded = over = false;
	cpus = ncpu;
	for (unsigned c = 0; c < cpus; c++) {
		crowd[c].thread = thread_create_on(c, "crowd", THREAD_LOW, OWNER_KERNEL,
						   be_in_the_crowd, &crowd[c]);
	}
}

void gate_crowd_join(void)
{
	over = true;
	for (unsigned c = 0; c < cpus; c++) {
		semaphore_up(&crowd[c].start);
		thread_join(crowd[c].thread, NULL);
		crowd[c].thread = NULL;
	}
}
