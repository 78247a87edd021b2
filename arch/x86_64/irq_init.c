/* SPDX-License-Identifier: MIT */
/* Bringing up the interrupt controllers, in order. */
#include <arch/init.h>

#include <port/apic.h>
#include <port/pic.h>

void irq_init(void)
{
	pic_mask();
	apic_init();
}
