/* SPDX-License-Identifier: MIT */
/*
 * The local APIC's timer (Intel SDM vol. 3, 11.5.4).  Where the processor has it the
 * deadline is a value of the time stamp counter; else a count that runs down, whose speed
 * is measured against that counter at boot.
 */
#include <labyrinth/timer.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <boot/layout.h>
#include <labyrinth/irq.h>
#include <labyrinth/print.h>
#include <port/apic.h>
#include <port/clock.h>
#include <port/features.h>
#include <port/timer.h>

enum { LVT = 0x320, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };

#define LVT_MASKED	0x10000u
#define LVT_DEADLINE	0x40000u
#define DIVIDE_BY_1	0xbu
#define MSR_TSC_DEADLINE 0x6e0u

#define MEASURED_NS	2000000u
#define TRIES		8u
#define GOOD_ENOUGH_NS	(MEASURED_NS / 200)
#define PATIENCE	1000000u	/* readings of the clock */

static SEALED enum { NONE, COUNTS, DEADLINE } kind;
static SEALED uint64_t scale;		/* counts are nanoseconds * scale / 2^32 */
static timer_handler_t handler;

bool timer_present(void)
{
	return kind != NONE;
}

timer_handler_t timer_set_handler(timer_handler_t h)
{
	/* Release: whoever takes the interrupt sees what the handler was given. */
	return __atomic_exchange_n(&handler, h, __ATOMIC_ACQ_REL);
}

static void set_count(uint64_t now, uint64_t deadline)
{
	uint64_t ns = deadline > now ? deadline - now : 0, most = (uint64_t)UINT32_MAX << 32;
	/* Further than it can count: it goes off early, and on_interrupt() sets it again. */
	uint64_t count = scale && ns > most / scale ? UINT32_MAX : scaled(ns, scale) + 1;

	apic_write(INITIAL, (uint32_t)(count < UINT32_MAX ? count : UINT32_MAX));
}

/* Interrupts masked.  A zero stops it in both forms. */
static void arm(uint64_t deadline)
{
	if (kind == DEADLINE)
		wrmsr(MSR_TSC_DEADLINE, deadline == TIMER_NEVER ? 0 : clock_tsc_at(deadline) + 1);
	else if (deadline == TIMER_NEVER)
		apic_write(INITIAL, 0);
	else
		set_count(clock_ns(), deadline);
}

bool timer_set_oneshot(uint64_t deadline)
{
	uint64_t flags;

	if (kind == NONE)
		return false;
	flags = irq_save();
	percpu()->timer_deadline = deadline;
	arm(deadline);
	irq_restore(flags);
	return true;
}

uint64_t timer_deadline(void)
{
	return percpu()->timer_deadline;
}

/* It may have gone off for a deadline that has been put off meanwhile, or a moment early. */
static void on_interrupt(struct trap_frame *f)
{
	uint64_t deadline = percpu()->timer_deadline;
	timer_handler_t h;

	(void)f;
	if (deadline == TIMER_NEVER)
		return;
	if (clock_ns() < deadline) {
		arm(deadline);
		return;
	}
	percpu()->timer_deadline = TIMER_NEVER;
	h = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);
	if (h)
		h();
}

void timer_init_cpu(void)
{
	percpu()->timer_deadline = TIMER_NEVER;
	if (kind == NONE)
		return;
	apic_write(DIVIDE, DIVIDE_BY_1);
	apic_write(INITIAL, 0);
	apic_write(LVT, (kind == DEADLINE ? LVT_DEADLINE : 0) | IRQ_TIMER);
	/* The mode must have changed before the MSR is written (11.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
}

/* Both at one moment, as nearly as that can be told. */
struct reading {
	uint64_t ns, doubt;		/* nanoseconds between which the count was read */
	uint32_t count;
};

static struct reading read_both(void)
{
	struct reading r;
	uint64_t before = clock_ns();

	r.count = apic_read(CURRENT);
	r.doubt = clock_ns() - before;
	r.ns = before + r.doubt / 2;
	return r;
}

/* Return: its scale, or 0 when it stands still, ran out, or time did not pass. */
static uint64_t measure(uint64_t *doubt)
{
	struct reading first, last;
	uint64_t passed;

	apic_write(INITIAL, UINT32_MAX);
	first = last = read_both();
	for (unsigned i = 0; i < PATIENCE && last.ns - first.ns < MEASURED_NS; i++) {
		cpu_relax();
		last = read_both();
	}
	apic_write(INITIAL, 0);
	passed = first.count - last.count;
	*doubt = first.doubt + last.doubt;
	if (last.ns - first.ns < MEASURED_NS || !passed || !last.count)
		return 0;
	return (passed << 32) / (last.ns - first.ns);
}

/* The best of some tries: an emulator may be stopped at any time. */
static uint64_t measured_scale(void)
{
	uint64_t best = 0, least = UINT64_MAX;

	apic_write(DIVIDE, DIVIDE_BY_1);
	apic_write(LVT, LVT_MASKED | IRQ_TIMER);
	for (unsigned i = 0; i < TRIES && least > GOOD_ENOUGH_NS; i++) {
		uint64_t doubt, now = measure(&doubt);

		if (!now)
			return best;
		if (doubt < least) {
			least = doubt;
			best = now;
		}
	}
	return best;
}

static const char *find(void)
{
	if (!apic_present())
		return "there is no local APIC";
	if (!clock_ns())
		return "there is nothing to tell its speed by";
	if (cpu_features.tsc_deadline) {
		kind = DEADLINE;
		return NULL;
	}
	scale = measured_scale();
	if (!scale)
		return "the local APIC's stands still";
	kind = COUNTS;
	return NULL;
}

void timer_init(void)
{
	const char *why = find();

	if (why)
		kprintf("timer: none: %s\n", why);
	irq_set_handler(IRQ_TIMER, on_interrupt);
	timer_init_cpu();
}
