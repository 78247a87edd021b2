/* SPDX-License-Identifier: MIT */
/* An interrupt to oneself. */
#include <arch/switch.h>

#include <labyrinth/irq.h>
#include <port/apic.h>

void switch_interrupt_self(void)
{
	switch_set_wanted(true);
	apic_send(0, APIC_FIXED | APIC_TO_SELF | IRQ_DEFERRED);
}
