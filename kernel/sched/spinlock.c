/* SPDX-License-Identifier: MIT */
/*
 * Not being interrupted, or not being preempted.
 *
 * Spin locks: one word, taken by an exchange.  Not in order of arrival: on an emulated
 * machine a CPU may stand still for a second, and a queue would stand still behind it.
 */
#include <labyrinth/spinlock.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/switch.h>
#include <labyrinth/panic.h>

#include "sched.h"

#define PATIENCE ((uint64_t)60 * 1000000000)	/* ns */
#define LOOKS    100000u			/* at the lock, for each at the clock */

static bool try(struct spinlock *l, uint32_t me, uint32_t *holder)
{
	*holder = 0;
	/* Acquire: pairs with the release in spin_unlock(). */
	return atomic_compare_exchange_strong_explicit(&l->holder, holder, me,
						       memory_order_acquire, memory_order_relaxed);
}

void spin_lock(struct spinlock *l)
{
	uint32_t me = 1 + cpu_number(), holder;
	uint64_t start = 0;

	for (unsigned looks = 1; !try(l, me, &holder); looks++) {
		if (holder == me)
			panic("CPU %u holds the spin lock already that it waits for", me - 1);
		cpu_relax();
		if (looks % LOOKS)
			continue;
		if (!start)
			start = clock_ns();
		else if (clock_ns() - start > PATIENCE)
			panic("CPU %u does not let go of a spin lock", holder - 1);
	}
}

void spin_unlock(struct spinlock *l)
{
	/* Release: pairs with the acquire in try(). */
	atomic_store_explicit(&l->holder, 0, memory_order_release);
}

uint64_t spin_lock_irqsave(struct spinlock *l)
{
	uint64_t flags = irq_save();

	spin_lock(l);
	return flags;
}

void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	irq_restore(flags);
	if (__builtin_expect(switch_wanted(), 0))
		sched_preempt();
}

void preempt_disable(void)
{
	switch_forbid();
}

void preempt_enable(void)
{
	switch_allow();
	if (__builtin_expect(switch_wanted(), 0))
		sched_preempt();
}
