/* SPDX-License-Identifier: MIT */
/* Worlds in memory that is borrowed from the live allocator, which stands still meanwhile. */
#include "gate.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/trap.h>
#include <labyrinth/mm_sleep.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "../../test.h"

#define DATA_MAX  0x1000u
#define BSS_MAX   0x8000u

static struct {
	unsigned char data[DATA_MAX], bss[BSS_MAX], local[GATE_CPUS][CPU_LOCAL_BYTES];
} live;				/* the live allocator, while worlds come and go */

static struct { void *page; unsigned order; } lent[ZONE_COUNT];
static struct step_place place;
static unsigned cpus;			/* that take part */

/* --- memory */

static unsigned char *local_area(unsigned cpu)
{
	return (unsigned char *)(uintptr_t)cpu_local_area(cpu);
}

static bool borrow(void)
{
	static const gfp_t where[ZONE_COUNT] = { GFP_DMA, GFP_DMA32, 0 };
	static const unsigned orders[ZONE_COUNT][2] = { { 10, 9 }, { 15, 9 }, { 11, 9 } };

	page_drain();
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		place.base[z] = place.frames[z] = 0;
		for (unsigned i = 0; i < 2 && !lent[z].page; i++) {
			unsigned order = orders[z][i];
			void *page = allocpages(GFP_NOWAIT | where[z], order, OWNER_KERNEL);
			uint32_t f = page ? page_to_frame(page).n : 0;

			if (!page)
				continue;
			if ((f < ZONE_DMA_END ? 0u : f < ZONE_DMA32_END ? 1u : 2u) != z) {
				freepages(page, order, OWNER_KERNEL);
				continue;
			}
			lent[z].page = page;
			lent[z].order = order;
			place.base[z] = f;
			place.frames[z] = 1u << order;
		}
	}
	return lent[ZONE_DMA].page;
}

static void give_back(void)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		if (lent[z].page)
			freepages(lent[z].page, lent[z].order, OWNER_KERNEL);
	memset(lent, 0, sizeof lent);
}

static void put_aside(void)
{
	memcpy(live.data, mm_data_start, (size_t)(mm_data_end - mm_data_start));
	memcpy(live.bss, mm_bss_start, (size_t)(mm_bss_end - mm_bss_start));
	for (unsigned c = 0; c < cpus; c++)
		memcpy(live.local[c], local_area(c), CPU_LOCAL_BYTES);
}

static void bring_back(void)
{
	memcpy(mm_data_start, live.data, (size_t)(mm_data_end - mm_data_start));
	memcpy(mm_bss_start, live.bss, (size_t)(mm_bss_end - mm_bss_start));
	for (unsigned c = 0; c < cpus; c++)
		memcpy(local_area(c), live.local[c], CPU_LOCAL_BYTES);
}

bool runner_world(struct step_place *out)
{
	for (unsigned c = 0; c < cpus; c++)
		memset(local_area(c), 0, CPU_LOCAL_BYTES);
	*out = place;
	return true;
}

/* A panic is what many faults end in: then the report says where the last visit was. */
static void print_where(void)
{
	char where[256];

	step_where(where, sizeof where);
	kprintf("  # STEP-FAIL panic %s\n", where);
}

static void announce(void)
{
	static bool done;

	if (!done)
		panic_add_section("The step gate", print_where);
	done = true;
}

/* Nobody else may come to the allocator that is not there: so on one CPU interrupts are off. */
void gate_with_a_world(unsigned ncpu, void (*run)(void))
{
	uint64_t flags;

	ASSERT((size_t)(mm_bss_end - mm_bss_start) <= sizeof live.bss);
	ASSERT((size_t)(mm_data_end - mm_data_start) <= sizeof live.data);
	ASSERT((size_t)(mm_text_end - mm_text_start) <= STEP_TEXT_MAX);
	ASSERT(ncpu <= GATE_CPUS);
	cpus = ncpu;
	if (!borrow()) {
		give_back();
		test_skip("no 2 MiB below 16 MiB are free");
		return;
	}
	announce();
	flags = irq_save();
	put_aside();
	mm_set_sleeper(NULL);		/* until it is brought back with the rest */
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, gate_on_trap);
	if (ncpu > 1)
		irq_restore(flags);
	run();
	irq_save();
	trap_set_handler(TRAP_DEBUG, old);
	bring_back();
	irq_restore(flags);
	give_back();
}
