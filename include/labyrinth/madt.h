/* SPDX-License-Identifier: MIT */
/*
 * The machine's processors and interrupt controllers, as the firmware's table
 * "APIC" lists them (ACPI 6.5, section 5.2.12).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MADT_CPUS_MAX      256u
#define MADT_IOAPICS_MAX   16u
#define MADT_OVERRIDES_MAX 32u
#define MADT_NMIS_MAX      32u
#define MADT_ALL_CPUS      UINT32_MAX	/* as madt_lapic_nmi.uid */

/* Flags of overrides and NMI sources: polarity and trigger (table 5.26). */
#define MADT_POLARITY_MASK 0x3u
#define MADT_ACTIVE_LOW    0x3u		/* 0: as the bus has it, 1: high */
#define MADT_TRIGGER_MASK  0xcu
#define MADT_LEVEL         0xcu		/* 0: as the bus has it, 4: edge */

struct madt {
	uint64_t lapic_address;		/* physical; an override (type 5) is in it already */
	bool has_8259;			/* there are old controllers, which must be masked */

	/* Each APIC id once, in the order listed; ids may have holes. */
	size_t ncpus;
	struct madt_cpu {
		uint32_t apic_id, uid;
		bool enabled;		/* may be started */
		bool online_capable;	/* not enabled, but could be plugged in */
	} cpu[MADT_CPUS_MAX];

	size_t nioapics;
	struct madt_ioapic {
		uint8_t id;
		uint32_t address;	/* physical */
		uint32_t gsi_base;	/* the first global interrupt number that is its own */
	} ioapic[MADT_IOAPICS_MAX];

	/* ISA interrupts that do not arrive at the global interrupt of the same number. */
	size_t noverrides;
	struct madt_override {
		uint8_t isa;
		uint32_t gsi;
		uint16_t flags;
	} override[MADT_OVERRIDES_MAX];

	/* Global interrupts that are to arrive as NMIs (type 3). */
	size_t nnmis;
	struct madt_nmi {
		uint32_t gsi;
		uint16_t flags;
	} nmi[MADT_NMIS_MAX];

	/* Pins of local APICs that are NMIs (types 4 and 10). */
	size_t nlapic_nmis;
	struct madt_lapic_nmi {
		uint32_t uid;		/* of the processor, or MADT_ALL_CPUS */
		uint16_t flags;
		uint8_t pin;		/* 0 or 1: LINT0, LINT1 */
	} lapic_nmi[MADT_NMIS_MAX];

	size_t damaged;			/* entries left out: too short, or of an impossible id */
	size_t twice;			/* processors listed more than once */
	size_t too_many;		/* entries left out for want of room above */
	bool cut_short;			/* an entry of no length or beyond the end: none follow */
};

/**
 * madt_read() - take the table apart
 * @table: begins with its header; as many bytes as that says can be read
 *
 * Trusts no length.  Unknown types are passed over.
 *
 * Context: any.
 * Return:  NULL, or a few words why nothing could be read; then *@m is all zeroes.
 */
const char *madt_read(struct madt *m, const void *table);

/**
 * acpi_madt() - this machine's, read at the first call
 *
 * What is wrong with it is said once on the console.
 *
 * Context: boot, one CPU, after acpi_init(); later calls any.
 * Return:  NULL when there is none.
 */
const struct madt *acpi_madt(void);
