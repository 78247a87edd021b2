/* SPDX-License-Identifier: MIT */
/* Where text goes, and how the machine ends.  Functions, so that both worlds link alike. */
#pragma once

#include <stddef.h>

/* Write @n bytes to every console there is.  Context: any. */
void console_write(const char *s, size_t n);

/**
 * machine_exit() - end the machine (hosted: the process)
 * @ok: true reports success to whoever watches: QEMU ends with status 33 for
 *      true and 35 for false by the debug-exit device; without that device the
 *      machine powers off by ACPI for true, and halts for false or where that
 *      fails, so that a report stays on the screen
 *
 * Context: any.  Return: never.
 */
_Noreturn void machine_exit(_Bool ok);

/* Nanoseconds since some fixed moment, or 0 where no clock is known.  Context: any. */
unsigned long long clock_ns(void);
