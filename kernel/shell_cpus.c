/* SPDX-License-Identifier: MIT */
/* cpus: which CPUs there are, and what each is doing. */
#include <arch/cpu.h>
#include <labyrinth/irq.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>

#include "kernel/shell.h"

static uint64_t interrupts_of(unsigned cpu)
{
	uint64_t sum = 0;

	for (unsigned v = IRQ_VECTOR_FIRST; v < IRQ_VECTOR_COUNT; v++)
		sum += irq_count(cpu, v);
	return sum;
}

/* Called on the CPU itself, where its thread cannot go away meanwhile. */
static void tell_thread(void *arg)
{
	const struct thread *t = thread_current();

	ksnprintf(arg, THREAD_NAME_MAX, "%s", t ? thread_name(t) : "idle");
}

static const char *doing(unsigned cpu, char name[THREAD_NAME_MAX])
{
	if (cpu == cpu_number())
		return "this prompt";
	if (cpu_has_job(cpu))
		return "a job";
	return cpu_call(cpu, tell_thread, name) ? name : "it does not answer";
}

static void show(unsigned cpu, const struct cpu_info *info)
{
	char name[THREAD_NAME_MAX];

	kprintf("  %3u  %7u  %-8s  ", cpu, info->apic_id, cpu_state_name(info->state));
	if (info->state == CPU_ONLINE)
		kprintf("%10llu  %s\n", (unsigned long long)interrupts_of(cpu),
			doing(cpu, name));
	else
		kprintf("%10s  %s\n", "", info->why ? info->why : "");
}

COMMAND(cpus, "", "which CPUs there are, and what each does",
	"  A CPU that is left out did not start; why is said in its line.  The option\n"
	"  maxcpus=N starts N of them.\n")
{
	struct cpu_info info;

	(void)argv;
	if (argc > 1)
		return false;
	kprintf("  CPU  APIC id  state     interrupts  doing\n");
	for (unsigned cpu = 0; cpu_get_info(cpu, &info); cpu++)
		show(cpu, &info);
	return true;
}
