/* SPDX-License-Identifier: MIT */
/* A panic in a Linux process: say why, then abort, so that debuggers and fuzzers see it. */
#include <labyrinth/panic.h>

#include <stdarg.h>
#include <stdlib.h>

#include <labyrinth/print.h>

_Noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kprintf("\nPANIC: ");
	kvprintf(fmt, ap);
	kprintf("\n");
	va_end(ap);
	abort();
}

_Noreturn void panic_at(const char *file, int line, const char *what)
{
	panic("%s:%d: %s does not hold", file, line, what);
}
