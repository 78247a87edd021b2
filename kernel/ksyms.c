/* SPDX-License-Identifier: MIT */
/* The kernel's own symbol and line table: the Makefile links it in as .ksyms. */
#include <labyrinth/ksyms.h>
#include <labyrinth/symtab.h>

/* Set by linker.ld; equal in the first of the two links, which makes the table. */
extern const char __ksyms_start[], __ksyms_end[];

/*
 * Opened anew each time: it is a dozen comparisons, and a panic may come before
 * anything was initialised.
 */
static bool open_own(struct symtab *t)
{
	return symtab_open(t, __ksyms_start, (size_t)(__ksyms_end - __ksyms_start));
}

bool ksym_lookup(uintptr_t addr, struct ksym *out)
{
	struct symtab t;
	uint64_t start;

	if (!open_own(&t))
		return false;
	out->name = symtab_symbol(&t, addr, &start);
	if (!out->name)
		return false;
	out->start = (uintptr_t)start;
	out->offset = addr - out->start;
	return true;
}

bool kline_lookup(uintptr_t addr, const char **file, unsigned *line)
{
	struct symtab t;

	if (!open_own(&t))
		return false;
	*file = symtab_line(&t, addr, line);
	return *file != NULL;
}

bool ksym_by_name(const char *name, uintptr_t *addr)
{
	struct symtab t;

	if (!open_own(&t))
		return false;
	*addr = (uintptr_t)symtab_by_name(&t, name);
	return *addr != 0;
}
