/* SPDX-License-Identifier: MIT */
/* Which CPUs there are: what the MADT lists, and what the command line makes of it. */
#include <labyrinth/smp.h>

#include <arch/smp.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/madt.h>
#include <labyrinth/print.h>

static unsigned without_room, not_asked_for;

/* maxcpus=N, the first CPU included. */
static unsigned limit(void)
{
	uint64_t max;

	if (!cmdline_get("maxcpus", NULL))
		return UINT32_MAX;
	if (cmdline_u64("maxcpus", &max) && max >= 1 && max < UINT32_MAX)
		return (unsigned)max;
	kprintf("CPUs: maxcpus= wants a number of at least 1: ignored\n");
	return UINT32_MAX;
}

static void add(uint32_t apic_id, unsigned max)
{
	if (smp_is_first(apic_id))
		return;
	if (cpus_possible() >= max)
		not_asked_for++;
	else if (!smp_add(apic_id))
		without_room++;
}

unsigned cpus_find(void)
{
	const struct madt *m = acpi_madt();
	unsigned max = limit();
	uint64_t absent, late, ms;

	for (size_t i = 0; m && i < m->ncpus; i++)
		if (m->cpu[i].enabled)
			add(m->cpu[i].apic_id, max);
	if (cmdline_u64("cpu_absent", &absent))
		add((uint32_t)absent, max);
	if (cmdline_u64("cpu_late", &late))
		smp_delay((unsigned)late);
	if (cmdline_u64("cpu_patience", &ms) && ms <= UINT32_MAX)
		smp_set_patience((uint32_t)ms);
	else if (cmdline_get("cpu_patience", NULL))
		kprintf("CPUs: cpu_patience= wants a number of milliseconds: ignored\n");
	return cpus_possible();
}

void cpus_start(void)
{
	smp_start(boot_info.trampoline);
	if (cpus_possible() > 1 || not_asked_for)
		kprintf("CPUs: %u online\n", cpus_online());
	if (not_asked_for)
		kprintf("CPUs: %u more not started, because of maxcpus=\n", not_asked_for);
	if (without_room)
		kprintf("CPUs: %u more than there are numbers for\n", without_room);
}
