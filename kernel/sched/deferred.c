/* SPDX-License-Identifier: MIT */
/* Deferred calls: a stack that anybody may push to, and that is taken as a whole. */
#include <labyrinth/deferred.h>

#include <arch/switch.h>
#include <labyrinth/irq.h>

static struct deferred *_Atomic raised;

void deferred_raise(struct deferred *d)
{
	struct deferred *first;

	/* Acquire and release: pairs with the store in run_one(). */
	if (atomic_exchange(&d->raised, true))
		return;
	first = atomic_load_explicit(&raised, memory_order_relaxed);
	do {
		d->next = first;
		/* Release: pairs with the exchange in deferred_run(). */
	} while (!atomic_compare_exchange_weak_explicit(&raised, &first, d, memory_order_release,
							memory_order_relaxed));
	switch_interrupt_self();
}

/* Before it runs it may be raised again, for what comes too late to be seen. */
static struct deferred *run_one(struct deferred *d)
{
	struct deferred *next = d->next;

	atomic_store(&d->raised, false);
	d->fn(d);
	return next;
}

void deferred_run(void)
{
	struct deferred *d;

	/* Relaxed: what is missed here has an interrupt of its own to come. */
	if (!atomic_load_explicit(&raised, memory_order_relaxed))
		return;
	/* Taken all at once, so that no element can leave and come back in between (ABA). */
	d = atomic_exchange(&raised, NULL);
	while (d)
		d = run_one(d);
}

static void on_interrupt(struct trap_frame *f)
{
	(void)f;
	deferred_run();
}

void deferred_init(void)
{
	irq_set_handler(IRQ_DEFERRED, on_interrupt);
}
