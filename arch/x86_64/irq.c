/* SPDX-License-Identifier: MIT */
/* From a vector to its handler. */
#include <labyrinth/irq.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/trap.h>
#include <labyrinth/print.h>
#include <port/apic.h>

static irq_handler_t handlers[IRQ_VECTOR_COUNT];
static uint64_t unexpected;
static bool named[IRQ_VECTOR_COUNT];

void irq_dispatch(struct trap_frame *f);

irq_handler_t irq_set_handler(unsigned vector, irq_handler_t handler)
{
	/* Release: who takes the interrupt sees what its handler was given. */
	return __atomic_exchange_n(&handlers[vector % IRQ_VECTOR_COUNT], handler,
				   __ATOMIC_ACQ_REL);
}

uint64_t irq_count(unsigned cpu, unsigned vector)
{
	/* Relaxed, here and below: numbers for people, handing over nothing. */
	return cpu < CPUS_MAX && percpu_areas[cpu] && vector < IRQ_VECTOR_COUNT
	     ? __atomic_load_n(&percpu_areas[cpu]->irqs[vector], __ATOMIC_RELAXED) : 0;
}

uint64_t irq_unexpected(void)
{
	return __atomic_load_n(&unexpected, __ATOMIC_RELAXED);
}

/* Said once a vector: whoever keeps on interrupting shall not fill the screen. */
static void nobody_handles(unsigned vector)
{
	__atomic_fetch_add(&unexpected, 1, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n(&named[vector], true, __ATOMIC_RELAXED))
		kprintf("irq: interrupt %u came to CPU %u; nobody handles it\n", vector,
			cpu_number());
}

/* Called by irq_entry.S. */
void irq_dispatch(struct trap_frame *f)
{
	unsigned vector = (unsigned)f->vector % IRQ_VECTOR_COUNT;
	irq_handler_t h = __atomic_load_n(&handlers[vector], __ATOMIC_ACQUIRE);

	percpu()->irqs[vector]++;
	if (vector == IRQ_SPURIOUS)	/* by which the APIC takes an interrupt back: 11.9 */
		return;
	if (h)
		h(f);
	else
		nobody_handles(vector);
	apic_eoi();
}

__attribute__((weak)) void preempt_from_irq(void)
{
}
