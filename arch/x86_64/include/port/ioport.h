/* SPDX-License-Identifier: MIT */
#pragma once

#include <port/io.h>

static inline uint16_t ioport_read16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void ioport_write8(uint16_t port, uint8_t v)
{
	outb(port, v);
}

static inline void ioport_write16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

/* A read of the diagnostic port takes one slow bus cycle. */
static inline void ioport_delay_us(void)
{
	(void)inb(0x80);
}
