/* SPDX-License-Identifier: MIT */
/*
 * The 8259A pair.  Masked, and away from the vectors of exceptions, since even a masked
 * one may raise its spurious interrupt.  Command words: Intel 8259A data sheet.
 */
#include <port/pic.h>

#include <labyrinth/irq.h>
#include <port/io.h>

enum { FIRST = 0x20, SECOND = 0xa0 };	/* command ports; the data port is the next */

#define ICW1_START	0x11u		/* edge triggered, cascaded, ICW4 follows */
#define ICW3_FIRST	0x04u		/* the second hangs on input 2 */
#define ICW3_SECOND	0x02u
#define ICW4_8086	0x01u

static void start(uint16_t port, unsigned vector, uint8_t cascade)
{
	outb(port, ICW1_START);
	outb(port + 1, (uint8_t)vector);
	outb(port + 1, cascade);
	outb(port + 1, ICW4_8086);
	outb(port + 1, 0xff);		/* all masked */
}

void pic_mask(void)
{
	start(FIRST, IRQ_8259, ICW3_FIRST);
	start(SECOND, IRQ_8259 + 8, ICW3_SECOND);
}
