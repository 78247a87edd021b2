/* SPDX-License-Identifier: MIT */
/* Lines of the ISA bus reach their vectors, through whatever the MADT says. */
#define SUITE "ioapic"
#include <tests/test.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/serial.h>
#include <labyrinth/irq.h>
#include <labyrinth/madt.h>
#include <port/apic.h>
#include <port/ioapic.h>

#define RTC_LINE 8u		/* nobody uses it here */

static void ignore(struct trap_frame *f) { (void)f; }

static uint32_t gsi_of(unsigned isa)
{
	const struct madt *m = acpi_madt();
	uint32_t gsi = isa;

	for (size_t i = 0; m && i < m->noverrides; i++)
		if (m->override[i].isa == isa)
			gsi = m->override[i].gsi;
	return gsi;
}

static bool no_ioapic(void)
{
	uint32_t entry, to;

	if (ioapic_get(gsi_of(RTC_LINE), &entry, &to))
		return false;
	test_skip("this machine has no IOAPIC");
	return true;
}

TEST(a_line_is_masked_until_it_is_routed)
{
	uint32_t entry, to;

	if (no_ioapic())
		return;
	EXPECT(ioapic_get(gsi_of(RTC_LINE), &entry, &to));
	EXPECT(entry & IOAPIC_MASKED);
	EXPECT(irq_route_isa(RTC_LINE, ignore));
	EXPECT(ioapic_get(gsi_of(RTC_LINE), &entry, &to));
	EXPECT_EQ(entry & 0xff, IRQ_ISA + RTC_LINE);
	EXPECT(!(entry & IOAPIC_MASKED));
	EXPECT(irq_route_isa(RTC_LINE, NULL));
	EXPECT(ioapic_get(gsi_of(RTC_LINE), &entry, &to));
	EXPECT(entry & IOAPIC_MASKED);
	irq_set_handler(IRQ_ISA + RTC_LINE, NULL);
}

TEST(overrides_say_where_and_how)
{
	const struct madt *m = acpi_madt();

	if (no_ioapic())
		return;
	for (size_t i = 0; i < m->noverrides; i++) {
		const struct madt_override *o = &m->override[i];
		uint32_t entry, to;

		if (o->isa == 4)	/* COM1's is in use */
			continue;
		EXPECT(irq_route_isa(o->isa, NULL));
		ASSERT(ioapic_get(o->gsi, &entry, &to));
		EXPECT_EQ(entry & 0xff, IRQ_ISA + o->isa);
		EXPECT_EQ((entry & IOAPIC_LOW) != 0,
			  (o->flags & MADT_POLARITY_MASK) == MADT_ACTIVE_LOW);
		EXPECT_EQ((entry & IOAPIC_LEVEL) != 0,
			  (o->flags & MADT_TRIGGER_MASK) == MADT_LEVEL);
	}
}

TEST(what_is_not_there_is_refused)
{
	uint32_t entry, to;

	EXPECT(!irq_route_isa(16, ignore));
	EXPECT(!ioapic_set(0xfffffff0, IOAPIC_MASKED, 0));
	EXPECT(!ioapic_get(0xfffffff0, &entry, &to));
	if (no_ioapic())
		return;
	EXPECT(!ioapic_set(gsi_of(RTC_LINE), IOAPIC_MASKED, 0xff));
}

/* The whole way: device, line, IOAPIC, local APIC, vector. */
TEST(the_serial_port_is_heard)
{
	uint64_t before = 0, after = 0;

	if (no_ioapic())
		return;
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		before += irq_count(cpu, IRQ_ISA + 4);
	if (!serial_interrupts(NULL)) {
		test_skip("no interrupt comes from a serial port here");
		return;
	}
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		after += irq_count(cpu, IRQ_ISA + 4);
	EXPECT_CMP(after, >, before);
}
