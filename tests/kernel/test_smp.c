/* SPDX-License-Identifier: MIT */
/* The other CPUs are there, each with stacks, tables and data that no other has. */
#define SUITE "smp"
#include <tests/test.h>

#include <stdatomic.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/directmap.h>
#include <arch/pagetable.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/madt.h>
#include <labyrinth/smp.h>
#include <labyrinth/mm.h>
#include <port/cpu_area.h>

#include "all_cpus.h"

/* One that was given up shows its area for a moment, until it notices that it is late. */
static bool has_area(unsigned cpu)
{
	uint64_t start = clock_ns();

	while (!cpu_online(cpu) && cpu_local_area(cpu) &&
	       clock_ns() - start < (uint64_t)60 * 1000000000)
		cpu_relax();
	return cpu_local_area(cpu) != NULL;
}

/* The emulator's CPUs all start, but for one planted by cpu_absent= or cpu_late=. */
TEST(every_listed_cpu_is_online_but_one_that_is_absent_or_late)
{
	uint64_t absent = UINT64_MAX, late = UINT64_MAX;
	unsigned count = 0;

	cmdline_u64("cpu_absent", &absent);
	cmdline_u64("cpu_late", &late);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		struct cpu_info info;

		ASSERT(cpu_get_info(cpu, &info));
		EXPECT_EQ(info.state, info.apic_id == absent || cpu == late ? CPU_FAILED :
			  CPU_ONLINE);
		EXPECT_EQ(cpu_online(cpu), info.state == CPU_ONLINE);
		EXPECT_EQ(info.why == NULL, info.state == CPU_ONLINE);
		EXPECT_EQ(has_area(cpu), info.state == CPU_ONLINE);
		count += cpu_online(cpu);
	}
	EXPECT_EQ(count, cpus_online());
	EXPECT(!cpu_online(cpus_possible()));
	EXPECT(!cpu_get_info(cpus_possible(), &(struct cpu_info){ 0 }));
	test_note("%u of %u online", cpus_online(), cpus_possible());
}

TEST(apic_ids_are_those_of_the_madt_and_differ)
{
	const struct madt *m = acpi_madt();
	uint64_t max = UINT64_MAX, enabled = 0;
	struct cpu_info a, b;

	for (unsigned i = 0; i < cpus_possible(); i++)
		for (unsigned j = 0; j < i; j++) {
			ASSERT(cpu_get_info(i, &a) && cpu_get_info(j, &b));
			EXPECT(a.apic_id != b.apic_id);
		}
	for (size_t i = 0; m && i < m->ncpus; i++)
		enabled += m->cpu[i].enabled;
	if (m && !cmdline_get("cpu_absent", NULL)) {
		if (!cmdline_u64("maxcpus", &max) || max == 0)
			max = UINT64_MAX;
		EXPECT_EQ(cpus_possible(), enabled < max ? enabled : max);
	}
}

TEST(one_that_comes_too_late_goes_to_rest)
{
	uint64_t late, start = clock_ns();

	if (!cmdline_u64("cpu_late", &late)) {
		test_skip("none has been told to, by cpu_late=");
		return;
	}
	while (cpus_too_late() == 0 && clock_ns() - start < (uint64_t)60 * 1000000000)
		cpu_relax();
	EXPECT_EQ(cpus_too_late(), 1);
	EXPECT(!cpu_online((unsigned)late));
	EXPECT(!cpu_local_area((unsigned)late));
}

static void expect_page(const void *v, bool writable)
{
	struct mapping m;

	ASSERT(pagetable_lookup(v, &m));
	EXPECT_EQ(m.size, PAGE_SIZE);
	EXPECT_EQ(m.writable, writable);
	EXPECT(!m.executable && !m.user);
}

TEST(each_area_has_its_rights_and_its_guards)
{
	struct mapping m;

	for (unsigned cpu = 1; cpu < cpus_possible(); cpu++) {
		const struct cpu_area *a = cpu_area(cpu);

		if (!cpu_online(cpu))
			continue;
		for (unsigned id = 0; id < STACK_COUNT; id++) {
			EXPECT(!pagetable_lookup(a->stack[id].guard, &m));
			for (unsigned at = 0; at < STACK_SIZE; at += PAGE_SIZE)
				expect_page(a->stack[id].space + at, true);
		}
		EXPECT(!pagetable_lookup(a->nest.guard, &m));
		for (unsigned at = 0; at < NEST_SIZE; at += PAGE_SIZE)
			expect_page(a->nest.space + at, true);
		EXPECT(!pagetable_lookup(a->guard, &m));
		expect_page(&a->percpu, true);
		EXPECT(!pagetable_lookup(a->guard2, &m));
		expect_page(&a->tables, false);
		EXPECT_EQ(a->percpu.number, cpu);
		EXPECT(a->percpu.self == &a->percpu);
		/* A task state in use (SDM vol. 3, table 3-2): the CPU has loaded it. */
		EXPECT_EQ(a->tables.gdt[TASK_STATE / 8] >> 40 & 0xf, 0xb);
	}
	EXPECT(!pagetable_lookup(cpu_area(cpus_possible()), &m));
}

/* --- mm/ on all of them: each has its own cache, and gives back what it took */

#define PAGES 40u

static _Atomic unsigned faults, seen;

static void take_and_give(void *arg)
{
	owner_t owner = *(owner_t *)arg;
	void *page[PAGES];
	unsigned n = 0, me = cpu_number();

	if (cpu_local_area(me) != percpu()->local || percpu_areas[me] != percpu())
		atomic_fetch_add(&faults, 1);
	for (unsigned round = 0; round < 50; round++) {
		while (n < PAGES && (page[n] = allocpage(GFP_ATOMIC, owner)))
			*(volatile unsigned *)page[n++] = me;
		while (n-- > 0)
			if (*(volatile unsigned *)page[n] != me || freepage(page[n], owner))
				atomic_fetch_add(&faults, 1);
		n = 0;
	}
	page_drain();
	atomic_fetch_add(&seen, 1);
}

TEST(each_allocates_and_frees_on_its_own)
{
	owner_t owner = owner_register("all CPUs");
	struct owner_stats s;

	atomic_store(&faults, 0);
	atomic_store(&seen, 0);
	on_all_cpus(take_and_give, &owner);
	EXPECT_EQ(atomic_load(&faults), 0);
	EXPECT_EQ(atomic_load(&seen), cpus_online());
	owner_stats(owner, &s);
	EXPECT_EQ(s.held, 0);
	EXPECT_EQ(owner_unregister(owner), 0);
}

/* It begins in real mode, but is no place to execute from once paging is on. */
TEST(the_trampoline_is_not_executable)
{
	struct mapping m;

	if (!boot_info.trampoline) {
		test_skip("no usable page below 640 KiB");
		return;
	}
	EXPECT(boot_info.trampoline % PAGE_SIZE == 0 && boot_info.trampoline < 0xa0000);
	EXPECT_EQ(memmap_type_at(&boot_info.map, boot_info.trampoline, NULL), MEM_FIRMWARE);
	ASSERT(pagetable_lookup(directmap_of((phys_t){ boot_info.trampoline }), &m));
	EXPECT(!m.executable);
	EXPECT(!pagetable_lookup((const void *)(uintptr_t)boot_info.trampoline, &m));
}
