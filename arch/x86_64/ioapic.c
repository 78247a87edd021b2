/* SPDX-License-Identifier: MIT */
/* IOAPICs, and the lines that come from the ISA bus.  Sections: Intel 82093AA data sheet. */
#include <port/ioapic.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/map.h>
#include <boot/layout.h>
#include <labyrinth/irq.h>
#include <labyrinth/madt.h>
#include <labyrinth/print.h>
#include <port/apic.h>

/* The registers are reached through two: which one, and what is in it (3.1). */
enum { INDEX = 0x00, DATA = 0x10, WINDOW_SIZE = 0x20 };
enum { VERSION = 0x01, REDIRECTION = 0x10 };	/* 3.2 */

#define WRITABLE_ENTRY	0x1afffu	/* but for what the IOAPIC itself reports: bits 12, 14 */
#define ISA_LINES	16u

static SEALED struct ioapic {
	volatile uint8_t *window;
	uint32_t first, count;		/* its global interrupts */
} ioapics[MADT_IOAPICS_MAX];
static SEALED unsigned nioapics;

/* Two accesses make one: nobody else may come between them.  Held for a few of them only. */
static bool busy;

static uint64_t lock(void)
{
	uint64_t flags = irq_save();

	/* Acquire: pairs with the release in unlock(). */
	while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
		cpu_relax();
	return flags;
}

static void unlock(uint64_t flags)
{
	__atomic_clear(&busy, __ATOMIC_RELEASE);
	irq_restore(flags);
}

static volatile uint32_t *at(const struct ioapic *a, unsigned offset)
{
	return (volatile uint32_t *)(a->window + offset);
}

static uint32_t read(const struct ioapic *a, unsigned reg)
{
	*at(a, INDEX) = reg;
	return *at(a, DATA);
}

static void write(const struct ioapic *a, unsigned reg, uint32_t v)
{
	*at(a, INDEX) = reg;
	*at(a, DATA) = v;
}

static const struct ioapic *ioapic_of(uint32_t gsi)
{
	for (unsigned i = 0; i < nioapics; i++)
		if (gsi >= ioapics[i].first && gsi - ioapics[i].first < ioapics[i].count)
			return &ioapics[i];
	return NULL;
}

/* The line is masked while its destination changes: half of one and half of another is nobody. */
bool ioapic_set(uint32_t gsi, uint32_t entry, uint32_t apic_id)
{
	const struct ioapic *a = ioapic_of(gsi);
	unsigned reg;
	uint64_t flags;

	if (!a || apic_id > 0xfe)
		return false;
	reg = REDIRECTION + 2 * (gsi - a->first);
	flags = lock();
	write(a, reg, IOAPIC_MASKED);
	write(a, reg + 1, apic_id << 24);
	write(a, reg, entry);
	unlock(flags);
	return true;
}

bool ioapic_get(uint32_t gsi, uint32_t *entry, uint32_t *apic_id)
{
	const struct ioapic *a = ioapic_of(gsi);
	unsigned reg;
	uint64_t flags;

	if (!a)
		return false;
	reg = REDIRECTION + 2 * (gsi - a->first);
	flags = lock();
	*entry = read(a, reg) & WRITABLE_ENTRY;
	*apic_id = read(a, reg + 1) >> 24;
	unlock(flags);
	return true;
}

static void add(const struct madt_ioapic *m)
{
	struct ioapic a = { .first = m->gsi_base };
	uint32_t version;

	a.window = map_phys((phys_t){ m->address }, WINDOW_SIZE, MAP_UNCACHED);
	if (!a.window) {
		kprintf("ioapic: the one at %#x cannot be mapped: left out\n", m->address);
		return;
	}
	version = read(&a, VERSION);
	if (version == UINT32_MAX || version == 0) {
		kprintf("ioapic: there is none at %#x, though the MADT says so\n", m->address);
		return;
	}
	a.count = (version >> 16 & 0xff) + 1;
	ioapics[nioapics++] = a;
	for (uint32_t i = 0; i < a.count; i++)
		ioapic_set(a.first + i, IOAPIC_MASKED, 0);
}

static uint32_t polarity(uint16_t flags)
{
	return (flags & MADT_POLARITY_MASK) == MADT_ACTIVE_LOW ? IOAPIC_LOW : 0;
}

/* An NMI is an edge, whatever else is said (3.2.4, delivery mode). */
static void route_nmis(const struct madt *m)
{
	for (size_t i = 0; i < m->nnmis; i++)
		if (!ioapic_set(m->nmi[i].gsi, IOAPIC_NMI | polarity(m->nmi[i].flags), apic_id()))
			kprintf("ioapic: nobody has line %u, an NMI\n", m->nmi[i].gsi);
}

unsigned ioapic_init(void)
{
	const struct madt *m = acpi_madt();

	if (!apic_present() || !m)
		return 0;
	for (size_t i = 0; i < m->nioapics; i++)
		add(&m->ioapic[i]);
	route_nmis(m);
	return nioapics;
}

/* The bus's own form is edge triggered, active high (ACPI 6.5, section 5.2.12.5). */
static uint32_t isa_entry(unsigned isa, uint32_t *gsi)
{
	const struct madt *m = acpi_madt();
	uint32_t entry = IOAPIC_FIXED;

	*gsi = isa;
	for (size_t i = 0; m && i < m->noverrides; i++) {
		const struct madt_override *o = &m->override[i];

		if (o->isa != isa)
			continue;
		*gsi = o->gsi;
		entry |= polarity(o->flags);
		if ((o->flags & MADT_TRIGGER_MASK) == MADT_LEVEL)
			entry |= IOAPIC_LEVEL;
	}
	return entry;
}

bool irq_route_isa(unsigned isa, irq_handler_t handler)
{
	uint32_t gsi, entry;

	if (isa >= ISA_LINES)
		return false;
	entry = isa_entry(isa, &gsi) | (IRQ_ISA + isa);
	if (!handler)
		entry |= IOAPIC_MASKED;
	else
		irq_set_handler(IRQ_ISA + isa, handler);
	return ioapic_set(gsi, entry, apic_id());
}
