/* SPDX-License-Identifier: MIT */
/* Printing places in the code, and chains of them. */
#include <labyrinth/backtrace.h>

#include <arch/trap.h>
#include <arch/unwind.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/print.h>

/* As much as fits a screen together with the registers: the culprits, and how it began. */
#define LINES_FIRST 10u
#define CALLS_LAST  6u

int place_format(char *buf, size_t size, uintptr_t pc, bool returns)
{
	/* A call may be the last thing a function does: then pc is already the next one's. */
	uintptr_t inside = returns ? pc - 1 : pc;
	struct ksym sym;
	const char *file;
	unsigned line;

	if (!ksym_lookup(inside, &sym))
		return ksnprintf(buf, size, "0x%lx (no code of the kernel)", pc);
	if (!kline_lookup(inside, &file, &line))
		return ksnprintf(buf, size, "%s+0x%lx (no source line)", sym.name, pc - sym.start);
	return ksnprintf(buf, size, "%s+0x%lx (%s:%u)", sym.name, pc - sym.start, file, line);
}

static void print_entry(unsigned n, const struct unwind *u)
{
	char place[PLACE_MAX];

	/* For the first, the report itself tells what stopped it. */
	if (u->trap && n > 0)
		kprintf("  interrupted by a %s:\n", trap_name((unsigned)u->trap->vector));
	place_format(place, sizeof(place), u->pc, u->returns);
	kprintf("  #%-2u %s\n", n, place);
}

/* Go on until the place differs.  Return: false at the end; how many were alike. */
static bool skip_alike(struct unwind *u, unsigned *alike)
{
	uintptr_t pc = u->pc;

	for (*alike = 0; unwind_next(u); ++*alike)
		if (u->pc != pc)
			return true;
	return false;
}

static unsigned count(struct unwind u)
{
	unsigned n = 1;

	while (unwind_next(&u))
		n++;
	return n;
}

/* Leave out all but the last: entry number @n becomes the one returned. */
static unsigned skip_to_last(struct unwind *u, unsigned n, unsigned total)
{
	if (n + CALLS_LAST >= total)
		return n;
	kprintf("  ... %u calls left out\n", total - CALLS_LAST - n);
	while (n + CALLS_LAST < total && unwind_next(u))
		n++;
	return n;
}

static void print_from(struct unwind *u)
{
	unsigned total = count(*u), n = 0, alike;
	bool more = true;

	for (unsigned lines = 0; more; lines++) {
		if (lines == LINES_FIRST)
			n = skip_to_last(u, n, total);
		print_entry(n, u);
		more = skip_alike(u, &alike);
		if (alike > 0)
			kprintf("      ... and %u times more\n", alike);
		n += 1 + alike;
	}
}

void backtrace_print_trap(const struct trap_frame *f)
{
	struct unwind u;

	unwind_trap(&u, f);
	print_from(&u);
}
