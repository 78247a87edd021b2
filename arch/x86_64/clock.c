/* SPDX-License-Identifier: MIT */
/*
 * Time by the time stamp counter, its speed found out at boot: from CPUID
 * where that tells it, else from 2 ms of the 8254 timer's channel 2.
 *
 * Assumed of several CPUs: their counters were set to zero together, by the reset, and run
 * at one speed whatever the CPU does (SDM vol. 3, 18.17.1 and 18.17.4).
 */
#include <arch/console.h>

#include <arch/cpu.h>
#include <arch/init.h>
#include <boot/layout.h>
#include <port/clock.h>
#include <port/features.h>
#include <port/io.h>

/* Intel 8254 data sheet; port 0x61: IBM PC AT technical reference. */
enum {
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_CONTROL = 0x61,		/* bit 0: gate of channel 2, bit 1: speaker */
};
#define PIT_HZ		1193182u
#define PIT_TICKS	(PIT_HZ / 500)		/* 2 ms */
#define TRIES		8u
#define GOOD_ENOUGH	5u			/* thousandths */
#define PATIENCE	2000u			/* equal reads in a row, of about 3 us each */

/* What a TSC can sensibly run at; anything else is a timer that is not there. */
#define MIN_KHZ		10000u
#define MAX_KHZ		20000000u

/* Nanoseconds are ticks * scale / 2^32; 0 when the speed is not known.  The other way: inverse. */
static SEALED uint64_t scale, inverse;

static uint32_t khz_from_cpuid(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	if (r[0] >= 0x15) {
		cpuid(0x15, 0, r);	/* crystal Hz in ecx, ratio ebx / eax */
		if (r[0] && r[1] && r[2])
			return (uint32_t)((uint64_t)r[2] * r[1] / r[0] / 1000);
	}
	if (cpu_features.hypervisor) {
		cpuid(0x40000000, 0, r);
		if (r[0] >= 0x40000010 && r[0] < 0x40010000) {
			cpuid(0x40000010, 0, r);	/* TSC kHz, by VMware's convention */
			return r[0];
		}
	}
	return 0;
}

/* The timer counts down; the two bytes of a latched count come one after the other. */
static uint16_t pit_count(void)
{
	unsigned low;

	outb(PIT_COMMAND, 0x80);
	low = inb(PIT_CHANNEL2);
	return (uint16_t)(low | (unsigned)inb(PIT_CHANNEL2) << 8);
}

/* Both counters at one moment, as nearly as that can be told. */
struct reading {
	uint64_t tsc;
	uint64_t doubt;			/* TSC ticks between which the timer was read */
	uint16_t count;
};

static struct reading read_both(void)
{
	struct reading r;
	uint64_t before = rdtsc();

	r.count = pit_count();
	r.doubt = rdtsc() - before;
	r.tsc = before + r.doubt / 2;
	return r;
}

/* The status of channel 2 says whether its output has gone up, which it does at 0. */
static bool pit_ran_out(void)
{
	outb(PIT_COMMAND, 0xe8);	/* read back: status of channel 2 */
	return inb(PIT_CHANNEL2) & 0x80;
}

/* Let the timer run down from the top, without a sound. */
static void pit_start(void)
{
	outb(PIT_CONTROL, (uint8_t)((inb(PIT_CONTROL) & ~2) | 1));
	outb(PIT_COMMAND, 0xb0);	/* channel 2, both bytes, mode 0 */
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
	(void)pit_count();		/* it takes up the new count with its next tick */
}

struct speed {
	uint32_t khz;			/* 0: disturbed for 55 ms, so that the timer ran out */
	uint64_t doubt;			/* in thousandths */
};

/* Return: false when there is no timer: a count that stands still, as on an empty bus. */
static bool measure(struct speed *s)
{
	struct reading first, last;
	uint16_t passed = 0;

	pit_start();
	first = last = read_both();
	for (unsigned same = 0; passed < PIT_TICKS; same++) {
		uint16_t before = last.count;

		if (same == PATIENCE)
			return false;
		last = read_both();
		if (last.count != before)
			same = 0;
		passed = (uint16_t)(first.count - last.count);
		cpu_relax();
	}
	*s = (struct speed){ 0, UINT64_MAX };
	if (pit_ran_out())
		return true;
	s->khz = (uint32_t)((last.tsc - first.tsc) * PIT_HZ / passed / 1000);
	s->doubt = (first.doubt + last.doubt) * 1000 / (last.tsc - first.tsc);
	return true;
}

/* The best of some tries: an emulator may be stopped at any time. */
static uint32_t khz_from_pit(void)
{
	uint8_t control = inb(PIT_CONTROL);
	struct speed best = { 0, UINT64_MAX }, now;

	for (unsigned i = 0; i < TRIES && best.doubt > GOOD_ENOUGH && measure(&now); i++) {
		if (now.doubt < best.doubt)
			best = now;
	}
	outb(PIT_CONTROL, control);
	return best.khz;
}

void clock_init(void)
{
	uint32_t khz = khz_from_cpuid();

	if (khz < MIN_KHZ || khz > MAX_KHZ)
		khz = khz_from_pit();
	if (khz < MIN_KHZ || khz > MAX_KHZ)
		return;
	scale = ((uint64_t)1000000 << 32) / khz;
	inverse = ((uint64_t)khz << 32) / 1000000;
}

/* Not before the loads in front of it: another CPU's clock may have been read in one. */
static uint64_t rdtsc_ordered(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return rdtsc();
}

unsigned long long clock_ns(void)
{
	return scale ? scaled(rdtsc_ordered(), scale) : 0;
}

uint64_t clock_tsc_at(uint64_t ns)
{
	return scaled(ns, inverse);
}
