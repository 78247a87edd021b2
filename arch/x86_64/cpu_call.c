/* SPDX-License-Identifier: MIT */
/*
 * Calls between CPUs.  Each CPU has one mailbox, whose word is
 *
 *    63                  2 1   0
 *   +---------------------+-----+
 *   | n: calls before it  | st  |   FREE -> CLAIMED -> POSTED -> RUNNING -> FREE, n + 1
 *   +---------------------+-----+                        |
 *                                                        +-> FREE, n + 1: given up
 *
 * A caller claims it, writes the call, posts it and sends the interrupt; the CPU itself
 * runs it.  The caller waits for n to move on and keeps no other memory in the game, so
 * that a call given up leaves nothing behind that could be answered too late.
 *
 * Between CLAIMED and POSTED interrupts are masked: a handler on the same CPU would wait
 * for the mailbox that the code it interrupted has claimed.
 */
#include <labyrinth/smp.h>

#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/switch.h>
#include <labyrinth/irq.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <port/apic.h>
#include <port/cpu_call.h>
#include <port/patience.h>
#include <port/percpu.h>

enum { FREE, CLAIMED, POSTED, RUNNING, STATES };

#define STATE(w)	((w) & (STATES - 1))
#define NUMBER(w)	((w) / STATES)
#define WORD(n, state)	((uint64_t)(n) * STATES + (state))

static struct mailbox {
	_Alignas(64) _Atomic uint64_t word;
	cpu_fn_t fn;			/* written in CLAIMED, read in RUNNING */
	void *arg;
} mailboxes[CPUS_MAX];

/* Generous: 255 emulated CPUs may share two cores, and each may stand still for seconds. */
uint64_t cpu_call_patience_ns = (uint64_t)20 * 1000000000;

void cpu_call_answer(void)
{
	uint64_t flags = irq_save();
	struct mailbox *m = &mailboxes[cpu_number()];
	uint64_t w = atomic_load_explicit(&m->word, memory_order_relaxed);

	/* Acquire: pairs with post(), for the call and all that it leads to.  Against give_up(). */
	if (STATE(w) == POSTED &&
	    atomic_compare_exchange_strong_explicit(&m->word, &w, WORD(NUMBER(w), RUNNING),
						    memory_order_acquire, memory_order_relaxed)) {
		m->fn(m->arg);
		/* Release: pairs with is_over() and claim(). */
		atomic_store_explicit(&m->word, WORD(NUMBER(w) + 1, FREE), memory_order_release);
	}
	irq_restore(flags);
}

/* Acquire: the call before, whoever made it, has been read and run. */
static bool claim(struct mailbox *m, uint64_t *w)
{
	*w = atomic_load_explicit(&m->word, memory_order_relaxed);
	return STATE(*w) == FREE &&
	       atomic_compare_exchange_strong_explicit(&m->word, w, WORD(NUMBER(*w), CLAIMED),
						       memory_order_acquire, memory_order_relaxed);
}

/* Return: false when the mailbox was never free. */
static bool post(unsigned cpu, cpu_fn_t fn, void *arg, uint32_t *number)
{
	struct mailbox *m = &mailboxes[cpu];
	struct patience p;
	uint64_t w, flags = irq_save();

	patience_begin(&p, cpu_call_patience_ns);
	while (!claim(m, &w)) {
		irq_restore(flags);
		cpu_call_answer();
		if (!patience_left(&p))
			return false;
		irq_disable();
	}
	m->fn = fn;
	m->arg = arg;
	/* Release: pairs with the acquire in cpu_call_answer(). */
	atomic_store_explicit(&m->word, WORD(NUMBER(w), POSTED), memory_order_release);
	irq_restore(flags);
	*number = (uint32_t)NUMBER(w);
	apic_send(cpu_apic_id[cpu], APIC_FIXED | IRQ_CALL);
	return true;
}

static bool is_over(struct mailbox *m, uint32_t number)
{
	/* Acquire: pairs with the release in cpu_call_answer(). */
	return (uint32_t)NUMBER(atomic_load_explicit(&m->word, memory_order_acquire)) != number;
}

/* Return: false when the call is running, or over after all. */
static bool give_up(struct mailbox *m, uint32_t number)
{
	uint64_t w = atomic_load_explicit(&m->word, memory_order_relaxed);

	/* Against the CAS in cpu_call_answer(): one of them comes first.  Hands over nothing. */
	return (uint32_t)NUMBER(w) == number && STATE(w) == POSTED &&
	       atomic_compare_exchange_strong_explicit(&m->word, &w, WORD(NUMBER(w) + 1, FREE),
						       memory_order_relaxed, memory_order_relaxed);
}

static void no_answer(unsigned cpu)
{
	kprintf("CPU %u (APIC id %u) does not answer\n", cpu, cpu_apic_id[cpu]);
}

/* Return: has it been run? */
static bool await(unsigned cpu, uint32_t number)
{
	struct mailbox *m = &mailboxes[cpu];
	struct patience p;

	patience_begin(&p, cpu_call_patience_ns);
	while (!is_over(m, number)) {
		cpu_call_answer();
		if (patience_left(&p))
			continue;
		if (give_up(m, number)) {
			no_answer(cpu);
			return false;
		}
		if (!is_over(m, number))
			panic("CPU %u does not end what it was called for", cpu);
	}
	return true;
}

/* On the running CPU, which is the one asked for. */
static void run_here(cpu_fn_t fn, void *arg)
{
	uint64_t flags = irq_save();

	fn(arg);
	irq_restore(flags);
}

bool cpu_call(unsigned cpu, cpu_fn_t fn, void *arg)
{
	uint32_t number;
	bool done = false;

	KASSERT(!in_nmi());
	switch_forbid();
	if (cpu == cpu_number()) {
		run_here(fn, arg);
		done = true;
	} else if (cpu_online(cpu)) {
		done = post(cpu, fn, arg, &number);
		if (done)
			done = await(cpu, number);
		else
			no_answer(cpu);
	}
	switch_allow();
	return done;
}

static bool call_others(cpu_fn_t fn, void *arg)
{
	uint32_t number[CPUS_MAX];
	uint64_t posted[CPUS_MAX / 64] = { 0 };
	unsigned me = cpu_number();
	bool all = true;

	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		if (cpu == me || !cpu_online(cpu))
			continue;
		if (post(cpu, fn, arg, &number[cpu])) {
			posted[cpu / 64] |= (uint64_t)1 << cpu % 64;
		} else {
			no_answer(cpu);
			all = false;
		}
	}
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		if (posted[cpu / 64] >> cpu % 64 & 1)
			all = await(cpu, number[cpu]) && all;
	return all;
}

bool cpu_call_others(cpu_fn_t fn, void *arg)
{
	bool all;

	KASSERT(!in_nmi());
	switch_forbid();
	all = call_others(fn, arg);
	switch_allow();
	return all;
}

bool cpu_call_all(cpu_fn_t fn, void *arg)
{
	bool all;

	KASSERT(!in_nmi());
	switch_forbid();
	all = call_others(fn, arg);
	run_here(fn, arg);
	switch_allow();
	return all;
}

static void on_call(struct trap_frame *f)
{
	(void)f;
	cpu_call_answer();
}

static void on_kick(struct trap_frame *f)
{
	(void)f;
	percpu()->need_resched = 1;
}

void cpu_kick(unsigned cpu)
{
	if (cpu_online(cpu))
		apic_send(cpu_apic_id[cpu], APIC_FIXED | IRQ_KICK);
}

void cpu_call_init(void)
{
	irq_set_handler(IRQ_CALL, on_call);
	irq_set_handler(IRQ_KICK, on_kick);
}
