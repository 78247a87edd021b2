/* SPDX-License-Identifier: MIT */
/* The first serial port, if the machine has one; never waited for if not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * serial_init() - find the port and set it to 115200 baud, 8N1
 * Context: boot, one CPU.
 * Return:  whether there is one; without it the calls below do nothing.
 */
bool serial_init(void);

/* Send @n bytes, "\n" as "\r\n".  A port that stops accepting bytes is given up.  Context: any. */
void serial_write(const char *s, size_t n);

/* The next byte received, or -1 when there is none now.  Context: any. */
int serial_read(void);

/**
 * serial_interrupts() - have what is received interrupt the running CPU
 * @received: called in the interrupt's handler, when there may be something to read
 *
 * Whether interrupts do arrive is tried out.
 *
 * Context: threads, interrupts enabled.
 * Return:  false when none arrive here; then the port must be asked again and again.
 */
bool serial_interrupts(void (*received)(void));
