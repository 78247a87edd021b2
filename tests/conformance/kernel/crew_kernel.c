/* SPDX-License-Identifier: MIT */
/* A crew in the kernel: its CPUs, each in its idle loop, and the first in the test. */
#include <arch/console.h>
#include <arch/cpu.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/mm.h>

#include "../../kernel/all_cpus.h"
#include "../crew/crew.h"

/* An emulator takes so much longer, and has fewer cores than CPUs as a rule. */
#define SLOWER 40u
#define FRAMES_MAX (128u << 8)		/* 128 MiB */
#define FRAMES_MIN (40u << 8)		/* some blocks of order 10 for each */

unsigned crew_rounds(unsigned n)
{
	return n / SLOWER + 10;
}

unsigned crew_cpus(void)
{
	unsigned n = 1;

	while (n < CREW_MAX && cpu_online(n))
		n++;
	return n;
}

const char *crew_cannot(void)
{
	struct mm_stats s;

	mm_stats(&s);
	if (s.frames < FRAMES_MIN)
		return "too little memory for several CPUs to fight over";
	return s.frames <= FRAMES_MAX ? NULL : "too much memory to take all of it";
}

static void run_hand(void *arg)
{
	struct crew *c = arg;

	c->start(&c->hand[cpu_number()]);
}

void crew_start(struct crew *c)
{
	on_cpus(c->hands, run_hand, c);
}

static void drain(void *arg)
{
	const struct allocator_ops *a = arg;

	a->drain();
}

/* Also of those that have never been in a crew: booting took a page there. */
void crew_drain(const struct allocator_ops *a)
{
	EXPECT(cpu_call_all(drain, (void *)(uintptr_t)a));
}

#define LONG_ENOUGH 700000000u		/* ns; never without a clock: the rounds are few */

bool crew_late(struct crew *c)
{
	uint64_t now = clock_ns();

	if (c->began == 0)
		c->began = now;
	return now - c->began > LONG_ENOUGH;
}

void crew_wait(unsigned spins)
{
	(void)spins;
	cpu_relax();
}

uint32_t crew_frames(const struct allocator_ops *a)
{
	const struct memmap *m = &boot_info.map;
	uint64_t end = 0;

	(void)a;
	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].type == MEM_USABLE)
			end = m->r[i].end;
	return (uint32_t)(end >> PAGE_SHIFT);
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

void *crew_memory(size_t size)
{
	return allocpages(GFP_KERNEL | GFP_ZERO, order_of(size), OWNER_KERNEL);
}

void crew_memory_free(void *p, size_t size)
{
	if (p)
		freepages(p, order_of(size), OWNER_KERNEL);
}
