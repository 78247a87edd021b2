/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs (Intel SDM vol. 3, 8.4.4): all at once, each into its own
 * stacks and data; boot/ap_entry.S is what they run first.
 *
 * The state of a CPU goes LISTED, STARTING, and then by one compare-and-swap either
 * ONLINE, when it arrives, or FAILED, when the first CPU gives up waiting for it.
 */
#include <arch/smp.h>

#include <stdatomic.h>

#include <arch/directmap.h>
#include <arch/init.h>
#include <arch/machine.h>
#include <arch/protect.h>
#include <boot/layout.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>
#include <port/apic.h>
#include <port/cpu_area.h>
#include <port/cpu_call.h>
#include <port/idle.h>
#include <port/io.h>
#include <port/mce.h>
#include <port/paging.h>
#include <port/patience.h>
#include <port/timer.h>

#define MS ((uint64_t)1000000)

#define APIC_ID_MAX	254u		/* without x2APIC: 255 means all (10.6.2.1) */

#define INIT_SETTLES	(10 * MS)	/* between INIT and the first start-up message */
#define SECOND_CALL	(MS / 5)	/* between the first and the second */

/* Since the last arrival.  255 emulated CPUs share two cores with whoever else is there. */
#define PATIENCE_MS	5000u
#define REPORT_EVERY	(2000 * MS)

/* By number; ap_entry.S reads both, cpus_listed first. */
SEALED uint32_t cpu_apic_id[CPUS_MAX];
SEALED uint32_t cpus_listed = 1;

static struct {
	_Atomic enum cpu_state state;
	const char *why;
} cpus[CPUS_MAX] = { { .state = CPU_ONLINE } };

static _Atomic unsigned online = 1;

static _Atomic unsigned too_late;

/* A CPU that comes when nobody waits any more, for tests; 0 for none. */
static SEALED unsigned late;
static SEALED uint64_t patience = PATIENCE_MS * MS;

extern const char ap_low[], ap_low_end[];
extern pte_t identity_pdpt[TABLE_ENTRIES];


_Noreturn void ap_main(unsigned cpu);

unsigned cpus_possible(void) { return cpus_listed; }

/* relaxed: a number for people and loops; cpu_online() is what tells about data */
unsigned cpus_online(void) { return atomic_load_explicit(&online, memory_order_relaxed); }

unsigned cpus_too_late(void) { return atomic_load_explicit(&too_late, memory_order_relaxed); }

struct thread *smp_thread_of(unsigned cpu) { return percpu_areas[cpu]->current; }

static enum cpu_state state_of(unsigned cpu)
{
	/* pairs with the CAS in ap_main(): who sees it online sees its percpu_areas[] */
	return atomic_load_explicit(&cpus[cpu].state, memory_order_acquire);
}

bool cpu_online(unsigned cpu)
{
	return cpu < cpus_listed && state_of(cpu) == CPU_ONLINE;
}

bool cpu_get_info(unsigned cpu, struct cpu_info *out)
{
	if (cpu >= cpus_listed)
		return false;
	*out = (struct cpu_info){ cpu_apic_id[cpu], state_of(cpu), cpus[cpu].why };
	return true;
}

const char *cpu_state_name(enum cpu_state s)
{
	static const char *const names[CPU_STATE_COUNT] = {
		[CPU_LISTED] = "listed",
		[CPU_STARTING] = "starting",
		[CPU_ONLINE] = "online",
		[CPU_FAILED] = "left out",
	};

	return s < CPU_STATE_COUNT ? names[s] : "unknown";
}

/* By CPUID, as in boot/ap_entry.S: the local APIC is not switched on yet. */
static uint32_t own_apic_id(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	if (r[0] >= 0xb) {
		cpuid(0xb, 0, r);
		if (r[1])
			return r[3];
	}
	cpuid(1, 0, r);
	return r[1] >> 24;
}

bool smp_is_first(uint32_t apic_id)
{
	cpu_apic_id[0] = own_apic_id();
	return apic_id == cpu_apic_id[0];
}

bool smp_add(uint32_t apic_id)
{
	if (cpus_listed == CPUS_MAX)
		return false;
	cpu_apic_id[cpus_listed++] = apic_id;
	return true;
}

/* relaxed: STARTING tells nobody anything; the start-up message hands the rest over */
static void set_state(unsigned cpu, enum cpu_state s)
{
	atomic_store_explicit(&cpus[cpu].state, s, memory_order_relaxed);
}

void smp_delay(unsigned cpu)
{
	late = cpu;
}

void smp_set_patience(uint32_t ms)
{
	patience = ms * MS;
}

static void leave_out(unsigned cpu, const char *why)
{
	cpus[cpu].why = why;
	set_state(cpu, CPU_FAILED);
	kprintf("CPU %u (APIC id %u) is left out: %s\n", cpu, cpu_apic_id[cpu], why);
}

static void leave_all_out(const char *why)
{
	for (unsigned cpu = 1; cpu < cpus_listed; cpu++)
		leave_out(cpu, why);
}

/* Return: how many there are to be called. */
static unsigned make_areas(void)
{
	unsigned made = 0;

	for (unsigned cpu = 1; cpu < cpus_listed; cpu++) {
		if (cpu_apic_id[cpu] > APIC_ID_MAX && !apic_is_x2()) {
			leave_out(cpu, "its APIC id needs x2APIC mode");
		} else if (!cpu_area_make(cpu)) {
			leave_out(cpu, "not enough memory for its stacks");
		} else {
			set_state(cpu, CPU_STARTING);
			made++;
		}
	}
	return made;
}

/*
 * The page is mapped writable, not executable, and the code runs there without paging.
 * The first page tables still have the image and the whole .boot; only their root was
 * cleared.  They stay, for a CPU that comes after its time.
 */
static void prepare_trampoline(uint32_t trampoline)
{
	memcpy(directmap_of((phys_t){ trampoline }), ap_low, (size_t)(ap_low_end - ap_low));
	boot_pml4[0] = ((uint64_t)identity_pdpt - KERNEL_BASE) | PTE_PRESENT;
}

static void pause_for(uint64_t ns)
{
	struct patience p;

	patience_begin(&p, ns);
	while (patience_left(&p))
		;
}

static void call_all(uint32_t command)
{
	for (unsigned cpu = 1; cpu < cpus_listed; cpu++)
		if (state_of(cpu) == CPU_STARTING)
			apic_send(cpu_apic_id[cpu], command);
}

/* Return when all of @expected are here, or none has come for some seconds. */
static void await(unsigned expected)
{
	struct patience since_last, since_report;
	unsigned here = cpus_online(), now;

	patience_begin(&since_last, patience);
	patience_begin(&since_report, REPORT_EVERY);
	while ((now = cpus_online()) < expected) {
		if (now != here)
			patience_begin(&since_last, patience);
		else if (!patience_left(&since_last))
			return;
		if (!patience_left(&since_report)) {
			kprintf("CPUs: %u of %u are here\n", now, expected);
			patience_begin(&since_report, REPORT_EVERY);
		}
		here = now;
	}
}

static void give_up_the_others(void)
{
	for (unsigned cpu = 1; cpu < cpus_listed; cpu++) {
		enum cpu_state s = CPU_STARTING;

		/* against the one in ap_main(): one of the two comes first */
		if (atomic_compare_exchange_strong(&cpus[cpu].state, &s, CPU_FAILED))
			leave_out(cpu, "it did not answer the call to start");
	}
}

void smp_start(uint32_t trampoline)
{
	unsigned expected;

	if (cpus_listed == 1)
		return;
	if (!trampoline || !apic_present()) {
		leave_all_out(trampoline ? "there is no local APIC to call it with" :
			      "there is no usable page below 640 KiB to start it from");
		return;
	}
	expected = 1 + make_areas();
	prepare_trampoline(trampoline);
	cpu_call_init();
	call_all(APIC_INIT);
	pause_for(INIT_SETTLES);
	call_all(APIC_STARTUP | trampoline >> 12);
	pause_for(SECOND_CALL);
	call_all(APIC_STARTUP | trampoline >> 12);
	await(expected);
	give_up_the_others();
}

/* The first C of every other CPU, on its own main stack, interrupts off. */
_Noreturn void ap_main(unsigned cpu)
{
	enum cpu_state s = CPU_STARTING;

	cpu_area_enter(cpu);
	traps_load();
	pat_init();
	protect_cpu();
	mce_init_cpu();
	apic_init_cpu();
	timer_init_cpu();
	percpu_areas[cpu] = percpu();
	while (cpu == late && state_of(cpu) == CPU_STARTING)
		cpu_relax();
	/* Releases what stands above to whoever sees ONLINE; against give_up_the_others(). */
	if (!atomic_compare_exchange_strong(&cpus[cpu].state, &s, CPU_ONLINE)) {
		percpu_areas[cpu] = NULL;
		atomic_fetch_add_explicit(&too_late, 1, memory_order_relaxed);	/* a number */
		machine_halt();
	}
	/* A change of mappings from before ONLINE was not sent here. */
	write_cr3(read_cr3());
	/* Up to here it might have been given up, and had nothing that anybody counts. */
	if (!sched_init_cpu())
		kprintf("CPU %u has no threads: not enough memory\n", cpu);
	atomic_fetch_add_explicit(&online, 1, memory_order_relaxed);	/* see cpus_online() */
	cpu_idle();
}
