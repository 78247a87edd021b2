/* SPDX-License-Identifier: MIT */
/* Processors and interrupt controllers (ACPI 6.5, section 5.2.12). */
#include <labyrinth/madt.h>

#include <labyrinth/string.h>

#include "acpi_tables.h"

#define HEADER		44u		/* the table's own, then lapic address and flags */
#define FLAG_8259	0x1u		/* PCAT_COMPAT */
#define CPU_ENABLED	0x1u		/* table 5.23 */
#define CPU_ONLINE_CAPABLE 0x2u
#define TYPE0_ALL_UIDS	0xffu

/* Table 5.21; a byte of type and one of length precede the offsets used below. */
enum entry_type {
	LAPIC, IOAPIC, OVERRIDE, NMI_SOURCE, LAPIC_NMI, LAPIC_ADDRESS,
	X2APIC = 9, X2APIC_NMI,
	TYPE_COUNT
};

static struct madt_cpu *cpu_of(struct madt *m, uint32_t apic_id)
{
	for (size_t i = 0; i < m->ncpus; i++)
		if (m->cpu[i].apic_id == apic_id)
			return &m->cpu[i];
	return NULL;
}

/* Firmware may list a processor as type 0 and as type 9: it counts once, enabled if either is. */
static void add_cpu(struct madt *m, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
	struct madt_cpu *c = cpu_of(m, apic_id);

	if (c) {
		m->twice++;
		c->enabled |= flags & CPU_ENABLED;
		c->online_capable |= (flags & CPU_ONLINE_CAPABLE) != 0;
	} else if (m->ncpus == MADT_CPUS_MAX) {
		m->too_many++;
	} else {
		m->cpu[m->ncpus++] = (struct madt_cpu){
			.apic_id = apic_id, .uid = uid, .enabled = flags & CPU_ENABLED,
			.online_capable = flags & CPU_ONLINE_CAPABLE,
		};
	}
}

static void add_lapic(struct madt *m, const uint8_t *e)
{
	if (e[3] == 0xff)		/* as a destination it means everybody */
		m->damaged++;
	else
		add_cpu(m, e[3], e[2], acpi_u32(e + 4));
}

static void add_x2apic(struct madt *m, const uint8_t *e)
{
	if (acpi_u32(e + 4) == UINT32_MAX)
		m->damaged++;
	else
		add_cpu(m, acpi_u32(e + 4), acpi_u32(e + 12), acpi_u32(e + 8));
}

static void add_ioapic(struct madt *m, const uint8_t *e)
{
	if (!acpi_u32(e + 4))
		m->damaged++;
	else if (m->nioapics == MADT_IOAPICS_MAX)
		m->too_many++;
	else
		m->ioapic[m->nioapics++] = (struct madt_ioapic){
			.id = e[2], .address = acpi_u32(e + 4), .gsi_base = acpi_u32(e + 8),
		};
}

static void add_override(struct madt *m, const uint8_t *e)
{
	if (e[2] != 0 || e[3] > 15)	/* the bus is ISA, which has 16 */
		m->damaged++;
	else if (m->noverrides == MADT_OVERRIDES_MAX)
		m->too_many++;
	else
		m->override[m->noverrides++] = (struct madt_override){
			.isa = e[3], .gsi = acpi_u32(e + 4), .flags = acpi_u16(e + 8),
		};
}

static void add_nmi(struct madt *m, const uint8_t *e)
{
	if (m->nnmis == MADT_NMIS_MAX)
		m->too_many++;
	else
		m->nmi[m->nnmis++] = (struct madt_nmi){
			.gsi = acpi_u32(e + 4), .flags = acpi_u16(e + 2),
		};
}

static void add_lapic_nmi(struct madt *m, uint32_t uid, uint16_t flags, uint8_t pin)
{
	if (pin > 1)
		m->damaged++;
	else if (m->nlapic_nmis == MADT_NMIS_MAX)
		m->too_many++;
	else
		m->lapic_nmi[m->nlapic_nmis++] = (struct madt_lapic_nmi){ uid, flags, pin };
}

static void add_entry(struct madt *m, const uint8_t *e)
{
	switch (e[0]) {
	case LAPIC:
		add_lapic(m, e);
		break;
	case IOAPIC:
		add_ioapic(m, e);
		break;
	case OVERRIDE:
		add_override(m, e);
		break;
	case NMI_SOURCE:
		add_nmi(m, e);
		break;
	case LAPIC_NMI:
		add_lapic_nmi(m, e[2] == TYPE0_ALL_UIDS ? MADT_ALL_CPUS : e[2],
			      acpi_u16(e + 3), e[5]);
		break;
	case LAPIC_ADDRESS:
		m->lapic_address = acpi_u64(e + 4);
		break;
	case X2APIC:
		add_x2apic(m, e);
		break;
	case X2APIC_NMI:
		add_lapic_nmi(m, acpi_u32(e + 4), acpi_u16(e + 2), e[8]);
		break;
	default:
		break;
	}
}

/* The least length of the types that are read. */
static size_t least(uint8_t type)
{
	static const uint8_t length[TYPE_COUNT] = {
		[LAPIC] = 8, [IOAPIC] = 12, [OVERRIDE] = 10, [NMI_SOURCE] = 8, [LAPIC_NMI] = 6,
		[LAPIC_ADDRESS] = 12, [X2APIC] = 16, [X2APIC_NMI] = 12,
	};

	return type < TYPE_COUNT && length[type] ? length[type] : 2;
}

const char *madt_read(struct madt *m, const void *table)
{
	const uint8_t *t = table;
	size_t size = acpi_u32(t + 4), at = HEADER;

	memset(m, 0, sizeof(*m));
	if (memcmp(t, "APIC", 4) != 0)
		return "is another table";
	if (size < HEADER)
		return "is too short";
	m->lapic_address = acpi_u32(t + 36);
	m->has_8259 = acpi_u32(t + 40) & FLAG_8259;
	for (; size - at >= 2; at += t[at + 1]) {
		if (t[at + 1] < 2 || t[at + 1] > size - at) {
			m->cut_short = true;
			break;
		}
		if (t[at + 1] < least(t[at]))
			m->damaged++;
		else
			add_entry(m, t + at);
	}
	return NULL;
}
