/* SPDX-License-Identifier: MIT */
/* What the library says, and to whom: nothing but to those who asked, and panics. */
#include <arch/console.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <labyrinth/mm.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>

#include "library.h"

static void (*_Atomic on_refusal)(const char *line);
static void (*_Atomic on_panic)(const char *line);

static void refused(const char *line)
{
	/* Relaxed: a hook set meanwhile may miss what is under way. */
	void (*hook)(const char *) = atomic_load_explicit(&on_refusal, memory_order_relaxed);

	if (hook)
		hook(line);
}

void say_init(void)
{
	mm_report_to(refused);
}

void lab_on_refusal(void (*hook)(const char *line))
{
	atomic_store_explicit(&on_refusal, hook, memory_order_relaxed);
}

void lab_on_panic(void (*hook)(const char *line))
{
	atomic_store_explicit(&on_panic, hook, memory_order_relaxed);
}

void console_write(const char *s, size_t n)
{
	while (n) {
		ssize_t done = write(STDERR_FILENO, s, n);

		if (done <= 0)
			return;
		s += done;
		n -= (size_t)done;
	}
}

_Noreturn void panic(const char *fmt, ...)
{
	void (*hook)(const char *) = atomic_load_explicit(&on_panic, memory_order_relaxed);
	char line[240];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (hook)
		hook(line);
	else
		kprintf("labyrinth-mm: panic: %s\n", line);
	abort();
}

_Noreturn void panic_at(const char *file, int line, const char *what)
{
	panic("%s:%d: %s does not hold", file, line, what);
}
