/* SPDX-License-Identifier: MIT */
/* Faults on purpose that take more than one CPU; see test_planted_faults.c. */
#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/tlb.h>
#include <arch/trap.h>
#include <labyrinth/console.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>
#include <port/apic.h>
#include <port/cpu_call.h>

#include "../test.h"

#define SUITE "planted"

#define NOINLINE __attribute__((noinline))

static _Atomic unsigned here;
static volatile uintptr_t hidden;

/* Where the compiler cannot see what the pointer is, it cannot use that it is wrong. */
static void *hide(uintptr_t address)
{
	hidden = address;
	return (void *)hidden;
}

static void wait_for(unsigned n)
{
	while (atomic_load(&here) < n)
		cpu_relax();
}

static NOINLINE void spin(void)
{
	atomic_fetch_add(&here, 1);
	for (;;)
		cpu_relax();
}

static NOINLINE void listen_to_nobody(void *arg)
{
	(void)arg;
	irq_disable();
	spin();
}

static NOINLINE void work_for_good(void *arg)
{
	(void)arg;
	spin();
}

TEST_BY_NAME(other_cpus)
{
	EXPECT(cpu_start_job(1, work_for_good, NULL));
	EXPECT(cpu_start_job(2, listen_to_nobody, NULL));
	wait_for(2);
	panic("what are the others doing");	/* FAULT other_cpus */
}

static NOINLINE void write_null_elsewhere(void *arg)
{
	(void)arg;
	*(volatile int *)hide(0x18) = 1;	/* FAULT fault_on_cpu_1 */
}

TEST_BY_NAME(fault_on_cpu_1)
{
	EXPECT(cpu_start_job(1, write_null_elsewhere, NULL));
	spin();
}

static NOINLINE unsigned recurse(unsigned n)
{
	volatile unsigned here_too[16];

	here_too[n % 16] = n;
	if (hidden == UINTPTR_MAX)	/* never, but the compiler need not know */
		return 0;
	return recurse(n + 1) + here_too[n % 16];	/* FAULT overflow_on_cpu_1 */
}

static void overflow(void *arg)
{
	(void)arg;
	hidden = recurse(0);
}

TEST_BY_NAME(overflow_on_cpu_1)
{
	EXPECT(cpu_start_job(1, overflow, NULL));
	spin();
}

/* --- no NMI interrupts an NMI's handler, so that both of these come to their panics */

static NOINLINE bool panic_in_nmi(struct trap_frame *f)
{
	(void)f;
	atomic_fetch_add(&here, 1);
	wait_for(2);
	panic("planted on CPU %u", cpu_number());	/* FAULT two_at_once */
}

static void send_nmi_to_yourself(void *arg)
{
	(void)arg;
	apic_send(cpu_apic_id[cpu_number()], APIC_NMI);
	for (;;)
		cpu_relax();
}

TEST_BY_NAME(two_at_once)
{
	trap_set_handler(TRAP_NMI, panic_in_nmi);
	EXPECT(cpu_start_job(1, send_nmi_to_yourself, NULL));
	send_nmi_to_yourself(NULL);
}

static bool stay_in_nmi(struct trap_frame *f)
{
	(void)f;
	spin();
	return true;
}

TEST_BY_NAME(one_goes_on)
{
	trap_set_handler(TRAP_NMI, stay_in_nmi);
	EXPECT(cpu_start_job(1, send_nmi_to_yourself, NULL));
	wait_for(1);
	panic("one of them will not stop");	/* FAULT one_goes_on */
}

/* --- calls */

TEST_BY_NAME(call_without_end)
{
	cpu_call_patience_ns = 100000000;
	EXPECT(cpu_call(1, listen_to_nobody, NULL));	/* FAULT call_without_end */
}

TEST_BY_NAME(flush_without_answer)
{
	EXPECT(cpu_start_job(1, listen_to_nobody, NULL));
	wait_for(1);
	cpu_call_patience_ns = 100000000;
	tlb_flush_range((const void *)0x1000, 1);	/* FAULT flush_without_answer */
	EXPECT(false);			/* a call that is the last act leaves no caller behind */
}

/* --- the console is somebody else's for good */

static void hold(const char *s, size_t n)
{
	(void)s;
	(void)n;
	if (cpu_number() == 1)
		listen_to_nobody(NULL);
}

static void print_something(void *arg)
{
	(void)arg;
	kprintf("# from here on the console is held\n");
}

TEST_BY_NAME(console_held)
{
	static const struct console_sink holder = { "holder", hold };

	EXPECT(console_add(&holder));
	EXPECT(cpu_start_job(1, print_something, NULL));
	wait_for(1);
	panic("read this all the same");	/* FAULT console_held */
}
