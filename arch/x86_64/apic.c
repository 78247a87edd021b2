/* SPDX-License-Identifier: MIT */
/* The local APIC.  Sections and figures: Intel SDM vol. 3. */
#include <port/apic.h>

#include <arch/cpu.h>
#include <arch/init.h>
#include <arch/irq.h>
#include <arch/map.h>
#include <boot/layout.h>
#include <labyrinth/irq.h>
#include <labyrinth/madt.h>
#include <labyrinth/print.h>
#include <port/features.h>
#include <port/io.h>

#define MSR_APIC_BASE	0x1bu		/* 11.4.4 */
#define BASE_X2		0x400u
#define BASE_ENABLE	0x800u
#define BASE_ADDRESS	0x000ffffffffff000u

/* Table 11-1.  The MSR of a register is 0x800 + offset / 16 (11.12.1.2). */
enum {
	ID = 0x20, VERSION = 0x30, TASK_PRIORITY = 0x80, EOI = 0xb0, SPURIOUS = 0xf0,
	IN_SERVICE = 0x100, ERROR = 0x280, LVT_CMCI = 0x2f0, COMMAND = 0x300,
	COMMAND_HIGH = 0x310, LVT_TIMER = 0x320, LVT_THERMAL = 0x330, LVT_COUNTERS = 0x340,
	LVT_LINT0 = 0x350, LVT_LINT1 = 0x360, LVT_ERROR = 0x370
};
#define X2_MSR(reg)	(0x800u + (reg) / 16u)

#define SPURIOUS_ENABLE	0x100u
#define LVT_MASKED	0x10000u
#define LVT_NMI		0x400u
#define COMMAND_PENDING	0x1000u
#define MEMORY_SIZE	0x1000u
#define PATIENCE	100000u		/* reads of some 100 ns: a command takes microseconds */

enum mode { NONE, BY_MEMORY, BY_MSR };
static SEALED enum mode mode;
static SEALED volatile uint8_t *registers;
static uint32_t errors;

uint32_t apic_read(unsigned reg)
{
	return mode == BY_MSR ? (uint32_t)rdmsr(X2_MSR(reg))
			      : *(volatile uint32_t *)(registers + reg);
}

void apic_write(unsigned reg, uint32_t v)
{
	if (mode == BY_MSR)
		wrmsr(X2_MSR(reg), v);
	else
		*(volatile uint32_t *)(registers + reg) = v;
}

bool apic_present(void)
{
	return mode != NONE;
}

bool apic_is_x2(void)
{
	return mode == BY_MSR;
}

uint32_t apic_id(void)
{
	if (mode == NONE)
		return 0;
	return mode == BY_MSR ? apic_read(ID) : apic_read(ID) >> 24;
}

void apic_eoi(void)
{
	if (mode != NONE)
		apic_write(EOI, 0);
}

static bool ready(void)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (!(apic_read(COMMAND) & COMMAND_PENDING))
			return true;
		cpu_relax();
	}
	return false;
}

/*
 * Two registers: a handler that sends must not come between them, and an NMI's, which
 * does, leaves the first one as it was.
 */
static bool send_by_memory(uint32_t to, uint32_t command)
{
	uint64_t flags = irq_save();
	uint32_t before = apic_read(COMMAND_HIGH);
	bool ok = ready();

	if (ok) {
		apic_write(COMMAND_HIGH, to << 24);
		apic_write(COMMAND, command);
		if (in_nmi()) {
			ok = ready();
			apic_write(COMMAND_HIGH, before);
		}
	}
	irq_restore(flags);
	return ok;
}

bool apic_send(uint32_t to, uint32_t command)
{
	if (mode == NONE)
		return false;
	if (mode == BY_MEMORY)
		return send_by_memory(to, command);
	/* As after a store to memory others would see it, but this store is none (11.12.3). */
	__asm__ volatile("mfence; lfence" : : : "memory");
	wrmsr(X2_MSR(COMMAND), (uint64_t)to << 32 | command);
	return true;
}

uint32_t apic_errors(void)
{
	return __atomic_load_n(&errors, __ATOMIC_RELAXED);
}

/* The register is written to have it loaded, then read (11.5.3). */
static void on_error(struct trap_frame *f)
{
	uint32_t bits, before;

	(void)f;
	apic_write(ERROR, 0);
	bits = apic_read(ERROR);
	before = __atomic_fetch_or(&errors, bits, __ATOMIC_RELAXED);
	if (bits & ~before)
		kprintf("apic: CPU %u reports error %#x\n", cpu_number(), bits);
}

/* Pins: what the MADT calls an NMI is one, the rest is not listened to. */
static void set_pins(void)
{
	const struct madt *m = acpi_madt();
	uint32_t pin[2] = { LVT_MASKED, LVT_MASKED }, id = apic_id(), uid = MADT_ALL_CPUS;

	for (size_t i = 0; m && i < m->ncpus; i++)
		if (m->cpu[i].apic_id == id)
			uid = m->cpu[i].uid;
	for (size_t i = 0; m && i < m->nlapic_nmis; i++)
		if (m->lapic_nmi[i].uid == MADT_ALL_CPUS || m->lapic_nmi[i].uid == uid)
			pin[m->lapic_nmi[i].pin] = LVT_NMI;
	apic_write(LVT_LINT0, pin[0]);
	apic_write(LVT_LINT1, pin[1]);
}

/* What the firmware took and never ended would hold back all that is less urgent. */
static void end_old_interrupts(void)
{
	for (unsigned i = 0; i < 8; i++)
		for (unsigned n = 0; n < 32 && apic_read(IN_SERVICE + i * 16); n++)
			apic_eoi();
}

static void mask_local_sources(void)
{
	unsigned last = apic_read(VERSION) >> 16 & 0xff;	/* 11.4.8 */

	apic_write(LVT_TIMER, LVT_MASKED);
	if (last >= 4)
		apic_write(LVT_COUNTERS, LVT_MASKED);
	if (last >= 5)
		apic_write(LVT_THERMAL, LVT_MASKED);
	if (last >= 6)
		apic_write(LVT_CMCI, LVT_MASKED);
}

void apic_init_cpu(void)
{
	uint64_t base;

	if (mode == NONE)
		return;
	base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;
	wrmsr(MSR_APIC_BASE, base);
	if (mode == BY_MSR)			/* only from enabled: 11.12.5 */
		wrmsr(MSR_APIC_BASE, base | BASE_X2);
	apic_write(SPURIOUS, SPURIOUS_ENABLE | IRQ_SPURIOUS);
	apic_write(TASK_PRIORITY, 0);
	mask_local_sources();
	set_pins();
	apic_write(ERROR, 0);
	apic_write(LVT_ERROR, IRQ_ERROR);
	end_old_interrupts();
}

static bool needs_x2(void)
{
	const struct madt *m = acpi_madt();

	for (size_t i = 0; m && i < m->ncpus; i++)
		if (m->cpu[i].enabled && m->cpu[i].apic_id >= 0xff)
			return true;
	return false;
}

static const char *find(void)
{
	uint64_t base;

	if (!cpu_features.apic)
		return "this processor has none";
	base = rdmsr(MSR_APIC_BASE);
	if (base & BASE_X2 || (cpu_features.x2apic && needs_x2())) {
		mode = BY_MSR;
		return NULL;
	}
	wrmsr(MSR_APIC_BASE, base | BASE_ENABLE);
	if (!(rdmsr(MSR_APIC_BASE) & BASE_ENABLE))
		return "it cannot be switched on";
	registers = map_phys((phys_t){ base & BASE_ADDRESS }, MEMORY_SIZE, MAP_UNCACHED);
	if (!registers)
		return "its registers cannot be mapped";
	/* An integrated one has version 0x10 to 0x15 (11.4.8); an empty bus, all ones. */
	if ((*(volatile uint32_t *)(registers + VERSION) & 0xf0) != 0x10)
		return "its registers are not there";
	mode = BY_MEMORY;
	return NULL;
}

bool apic_init(void)
{
	const char *why = find();

	if (why) {
		kprintf("apic: no local APIC: %s\n", why);
		return false;
	}
	irq_set_handler(IRQ_ERROR, on_error);
	apic_init_cpu();
	return true;
}
