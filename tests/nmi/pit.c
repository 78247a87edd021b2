/* SPDX-License-Identifier: MIT */
/* The PIT, one shot at a time (Intel 8254 data sheet, mode 0), in NMI delivery mode. */
#include "storm.h"

#include <labyrinth/irq.h>
#include <port/apic.h>
#include <port/io.h>
#include <port/ioapic.h>

#define CHANNEL_0   0x40
#define CONTROL     0x43
#define ONE_SHOT    0x30u		/* channel 0, low byte then high byte, mode 0 */
#define LINES       24u

static uint32_t line;

static void never(struct trap_frame *f) { (void)f; }

/* The line that the ISA route took. */
static bool find_line(void)
{
	uint32_t entry, id;

	for (line = 0; line < LINES; line++)
		if (ioapic_get(line, &entry, &id) && (entry & 0xff) == IRQ_ISA &&
		    !(entry & IOAPIC_MASKED))
			return true;
	return false;
}

static bool silent;

void pit_is_silent(void) { silent = true; }

bool pit_start(void)
{
	if (silent)
		return false;
	outb(CONTROL, ONE_SHOT);	/* its output is low until a count has been written */
	if (!irq_route_isa(0, never))
		return false;
	return find_line() && ioapic_set(line, IOAPIC_NMI, apic_id());
}

void pit_shoot(unsigned ticks)
{
	outb(CONTROL, ONE_SHOT);
	outb(CHANNEL_0, (uint8_t)ticks);
	outb(CHANNEL_0, (uint8_t)(ticks >> 8));
}

void pit_stop(void)
{
	ioapic_set(line, IOAPIC_MASKED, apic_id());
	irq_route_isa(0, NULL);
	outb(CONTROL, ONE_SHOT);
}
