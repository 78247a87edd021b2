/* SPDX-License-Identifier: MIT */
/* The interrupt command register of the local APIC, in xAPIC mode (Intel SDM vol. 3, 10.6.1). */
#include <port/ipi.h>

#include <arch/map.h>
#include <arch/cpu.h>
#include <port/io.h>

#define MSR_APIC_BASE	0x1bu
#define BASE_ENABLED	((uint64_t)1 << 11)
#define BASE_X2APIC	((uint64_t)1 << 10)
#define BASE_ADDRESS	0x000ffffffffff000u

enum { ICR_LOW = 0x300 / 4, ICR_HIGH = 0x310 / 4 };
#define ICR_PENDING	((uint32_t)1 << 12)

static volatile uint32_t *registers;

/* The same as in boot/ap_entry.S. */
uint32_t apic_id_of_this_cpu(void)
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

bool ipi_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (!(base & BASE_ENABLED) || (base & BASE_X2APIC))
		return false;
	registers = map_phys((phys_t){ base & BASE_ADDRESS }, 4096, MAP_UNCACHED);
	return registers != NULL;
}

/* One that is still pending would be overwritten; it goes within microseconds, or never. */
static void wait_until_sent(void)
{
	for (unsigned i = 0; i < 100000 && (registers[ICR_LOW] & ICR_PENDING); i++)
		cpu_relax();
}

void ipi_send(uint32_t apic_id, uint32_t command)
{
	wait_until_sent();
	registers[ICR_HIGH] = apic_id << 24;
	registers[ICR_LOW] = command;
}
