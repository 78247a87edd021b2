/* SPDX-License-Identifier: MIT */
/*
 * What an interrupt costs whoever it interrupts: from the instruction that lets it in to
 * the next one, with a handler that does nothing.
 */
#include "kbench.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <labyrinth/irq.h>
#include <labyrinth/print.h>
#include <labyrinth/timer.h>
#include <port/apic.h>

#define SAMPLES  1000u
#define PATIENCE 10000000u
#define REQUESTED 0x200u		/* the APIC's register of what waits (SDM vol. 3, 11.8.4) */

static unsigned came;

static void count(struct trap_frame *f)
{
	(void)f;
	came++;
}

static void count_tick(void) { came++; }

/* Is @vector waiting to be let in? */
static bool is_requested(unsigned vector)
{
	return apic_read(REQUESTED + vector / 32 * 16) >> vector % 32 & 1;
}

static void wait_for_request(unsigned vector)
{
	for (unsigned i = 0; i < PATIENCE && !is_requested(vector); i++)
		cpu_relax();
}

static void finish(const char *what)
{
	kbench_close();
	if (came != SAMPLES)
		kprintf("BENCH-NOTE %s: %u of %u interrupts came\n", what, came, SAMPLES);
}

static void by_instruction(void)
{
	kbench_open("kernel", "int", 0, 1);
	for (unsigned i = came = 0; i < SAMPLES; i++) {
		kbench_start();
		__asm__ volatile("int %0" : : "i"(IRQ_TEST) : "memory");
		kbench_stop();
	}
	finish("int");
}

/* Sent, and let in. */
static void to_oneself(void)
{
	kbench_open("kernel", "ipi", 0, 1);
	for (unsigned i = came = 0; i < SAMPLES; i++) {
		kbench_start();
		apic_send(0, APIC_FIXED | APIC_TO_SELF | IRQ_TEST);
		__asm__ volatile("sti; nop; cli" : : : "memory");
		kbench_stop();
	}
	finish("ipi");
}

/* It waits already when it is let in: setting the timer is not part of it. */
static void by_timer(void)
{
	timer_handler_t before = timer_set_handler(count_tick);
	uint64_t deadline = timer_deadline();

	kbench_open("kernel", "timer", 0, 1);
	for (unsigned i = came = 0; i < SAMPLES; i++) {
		timer_set_oneshot(0);
		wait_for_request(IRQ_TIMER);
		kbench_start();
		__asm__ volatile("sti; nop; cli" : : : "memory");
		kbench_stop();
	}
	finish("timer");
	timer_set_handler(before);
	timer_set_oneshot(deadline);
}

void kbench_interrupts(void)
{
	irq_handler_t before = irq_set_handler(IRQ_TEST, count);
	uint64_t flags = irq_save();

	by_instruction();
	if (apic_present())
		to_oneself();
	if (timer_present())
		by_timer();
	irq_restore(flags);
	irq_set_handler(IRQ_TEST, before);
}
