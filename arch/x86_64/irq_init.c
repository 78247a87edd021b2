/* SPDX-License-Identifier: MIT */
/* Bringing up the interrupt controllers, in order. */
#include <arch/init.h>

#include <labyrinth/print.h>
#include <port/apic.h>
#include <port/ioapic.h>
#include <port/mce.h>
#include <port/pic.h>
#include <port/timer.h>

void irq_init(void)
{
	pic_mask();
	apic_init();
	if (ioapic_init() == 0)
		kprintf("ioapic: none: devices cannot interrupt\n");
	timer_init();
	mce_init();
}
