/* SPDX-License-Identifier: MIT */
/* ACPI of the machine we run on: where its tables lie, and writing its registers. */
#include <labyrinth/acpi.h>

#include <arch/cpu.h>
#include <arch/ioport.h>
#include <arch/map.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/print.h>

#include "acpi_power.h"

/* PM1 status and control, sleep control (ACPI 6.5, 4.8.3.1.1, 4.8.3.2.1, 4.8.3.7). */
#define PM1_WAK_STS	0x8000u			/* write 1 to clear */
#define PM1_SCI_EN	0x0001u			/* ACPI mode is on */
#define PM1_SLP_TYP(t)	((unsigned)(t) << 10)
#define PM1_SLP_MASK	0x3c00u
#define PM1_SLP_EN	0x2000u
#define SLEEP_TYP(t)	((unsigned)(t) << 2)
#define SLEEP_EN	0x20u

#define BIOS_EBDA	0x40eu		/* segment of the extended BIOS data area */
#define BIOS_AREA	0xe0000u
#define WHOLE_REGION	((uint64_t)16 << 20)

static struct acpi_tables tables;
static struct acpi_power power = { .no_off = "acpi_init() has not run",
				   .no_reset = "acpi_init() has not run" };

static const struct mem_range *range_of(uint64_t phys)
{
	const struct memmap *m = &boot_info.map;

	for (size_t i = 0; i < m->n; i++) {
		if (phys >= m->r[i].start && phys < m->r[i].end)
			return &m->r[i];
	}
	return NULL;
}

/*
 * Firmware's tables.  They share a region as a rule, so that one window holds
 * them all; windows are few.  In usable memory there can be none: whatever is
 * there will be overwritten.
 */
static const void *reach(uint64_t phys, uint64_t size)
{
	const struct mem_range *r = range_of(phys);

	if (r && r->type == MEM_USABLE)
		return NULL;
	if (r && (r->type == MEM_ACPI_RECLAIM || r->type == MEM_ACPI_NVS) &&
	    size <= r->end - phys && r->end - r->start <= WHOLE_REGION) {
		const uint8_t *all = map_phys((phys_t){ r->start }, r->end - r->start,
					      MAP_READONLY);

		return all ? all + (phys - r->start) : NULL;
	}
	return map_phys((phys_t){ phys }, size, MAP_READONLY);
}

/* Where a BIOS leaves the root pointer (section 5.2.5.1). */
static const uint8_t *scan_bios(void)
{
	const void *ebda_segment = map_phys((phys_t){ BIOS_EBDA }, 2, MAP_READONLY);
	uint64_t ebda = ebda_segment ? (uint64_t)acpi_u16(ebda_segment) << 4 : 0;
	const uint8_t *area, *rsdp = NULL;

	if (ebda >= 0x80000 && ebda < 0xa0000) {
		area = map_phys((phys_t){ ebda }, 1024, MAP_READONLY);
		rsdp = area ? acpi_rsdp_scan(area, 1024) : NULL;
	}
	if (rsdp)
		return rsdp;
	area = map_phys((phys_t){ BIOS_AREA }, 0x20000, MAP_READONLY);
	return area ? acpi_rsdp_scan(area, 0x20000) : NULL;
}

static const char *read_tables(void)
{
	const struct boot_info *bi = &boot_info;
	const uint8_t *rsdp = bi->rsdp_copy;
	bool extended = bi->rsdp_xsdt;

	if (!bi->rsdp) {
		if (bi->uefi)
			return "the loader named no root pointer (RSDP)";
		rsdp = scan_bios();
		if (!rsdp)
			return "this machine has none";
		extended = rsdp[15] >= 2;	/* its revision */
	}
	return acpi_tables_read(&tables, rsdp, extended, reach);
}

static void report_rejected(void)
{
	for (size_t i = 0; i < tables.nrejected && i < ACPI_REJECTED_MAX; i++) {
		const struct acpi_rejected *r = &tables.rejected[i];

		kprintf("ACPI: table %s at %#llx %s: left out\n", r->sig,
			(unsigned long long)r->phys, r->why);
	}
	if (tables.nrejected > ACPI_REJECTED_MAX)
		kprintf("ACPI: and %zu more\n", tables.nrejected - ACPI_REJECTED_MAX);
}

/* A register in memory needs a window now: later it may be too late to map one. */
static bool prepare(struct acpi_register *r)
{
	if (r->space != ACPI_MEMORY)
		return true;
	r->window = map_phys((phys_t){ r->address }, 4, MAP_UNCACHED);
	return r->window != NULL;
}

static void prepare_power(void)
{
	bool off = prepare(&power.sleep);

	for (int i = 0; i < 2; i++)
		off = prepare(&power.status[i]) && prepare(&power.control[i]) && off;
	if (!off)
		power.no_off = "its registers cannot be mapped";
	if (!prepare(&power.reset))
		power.no_reset = "its register cannot be mapped";
	if (power.no_off)
		kprintf("ACPI: no power off: %s\n", power.no_off);
}

bool acpi_init(void)
{
	const char *why = read_tables();

	report_rejected();
	if (why) {
		kprintf("ACPI: %s: no power off\n", why);
		power.no_off = power.no_reset = why;
		return false;
	}
	acpi_power_read(&power, &tables);
	prepare_power();
	return true;
}

const void *acpi_find(const char sig[4])
{
	return acpi_tables_find(&tables, sig);
}

static void write8(const struct acpi_register *r, unsigned v)
{
	if (r->space == ACPI_PORT)
		ioport_write8((uint16_t)r->address, (uint8_t)v);
	else if (r->space == ACPI_MEMORY)
		*(volatile uint8_t *)r->window = (uint8_t)v;
}

static void write16(const struct acpi_register *r, unsigned v)
{
	if (r->space == ACPI_PORT)
		ioport_write16((uint16_t)r->address, (uint16_t)v);
	else if (r->space == ACPI_MEMORY)
		*(volatile uint16_t *)r->window = (uint16_t)v;
}

static unsigned read16(const struct acpi_register *r)
{
	if (r->space == ACPI_PORT)
		return ioport_read16((uint16_t)r->address);
	if (r->space == ACPI_MEMORY)
		return *(volatile uint16_t *)r->window;
	return 0;
}

/* The firmware hands the registers over when asked to (section 4.8.2.5); at most 0.3 s. */
static void turn_acpi_on(void)
{
	if (power.smi.space == ACPI_NOWHERE || read16(&power.control[0]) & PM1_SCI_EN)
		return;
	write8(&power.smi, power.enable);
	for (unsigned us = 0; us < 300000 && !(read16(&power.control[0]) & PM1_SCI_EN); us++)
		ioport_delay_us();
}

/* It takes effect a moment after the write. */
static void wait_for_it(void)
{
	for (unsigned us = 0; us < 300000; us++)
		ioport_delay_us();
}

void acpi_poweroff(void)
{
	if (power.no_off)
		return;
	if (power.reduced) {
		write8(&power.sleep, SLEEP_EN | SLEEP_TYP(power.type[0]));
		wait_for_it();
		return;
	}
	turn_acpi_on();
	for (int i = 0; i < 2; i++)
		write16(&power.status[i], PM1_WAK_STS);
	for (int i = 0; i < 2; i++) {
		unsigned v = read16(&power.control[i]) & ~PM1_SLP_MASK;

		v |= PM1_SLP_TYP(power.type[i]);
		write16(&power.control[i], v | PM1_SLP_EN);
	}
	wait_for_it();
}

void acpi_reset(void)
{
	if (power.no_reset)
		return;
	write8(&power.reset, power.reset_value);
	wait_for_it();
}
