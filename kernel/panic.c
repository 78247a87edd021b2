/* SPDX-License-Identifier: MIT */
/*
 * The last words: what, where, registers, who called whom, and what the
 * subsystems have to add; then the end of the machine.
 *
 * Everything here may itself be broken, so each panic inside a panic says less.
 */
#include <labyrinth/panic.h>

#include <stdarg.h>
#include <stdatomic.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/machine.h>
#include <arch/stop.h>
#include <arch/trap.h>
#include <arch/unwind.h>
#include <labyrinth/backtrace.h>
#include <labyrinth/console.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>

#include "panic_cpus.h"

#define WHAT_MAX 160u

static struct {
	const char *title;
	void (*print)(void);
} sections[PANIC_SECTIONS_MAX];
static unsigned section_count;

/* 0: all is well; else 1 + the number of the CPU that panicked first. */
static _Atomic unsigned panicking;

/* How many panics that CPU is in; only it touches this. */
static int depth;

void panic_add_section(const char *title, void (*print)(void))
{
	KASSERT(section_count < PANIC_SECTIONS_MAX);
	sections[section_count].title = title;
	sections[section_count].print = print;
	section_count++;
}

#define SECOND (-1)			/* another CPU reports */

/* Return: how many panics this CPU is in already, the only one that runs now; or SECOND. */
static int enter(const struct trap_frame *f)
{
	unsigned me = cpu_number() + 1, first = 0;

	/* relaxed: it decides who goes on, and hands over nothing */
	if (atomic_compare_exchange_strong_explicit(&panicking, &first, me,
						    memory_order_relaxed, memory_order_relaxed)) {
		console_break_in();
		if (cpus_online() > 1)
			stop_others();
	} else if (first != me) {
		if (!stop_enter(f))	/* its sentence for the report was too much */
			machine_halt();
		return SECOND;
	}
	return depth++;
}

static void print_place(const struct trap_frame *f)
{
	char place[PLACE_MAX];
	struct unwind u;
	struct ksym sym;

	unwind_trap(&u, f);
	place_format(place, sizeof(place), u.pc, u.returns);
	kprintf("  in %s, CPU %u\n", place, cpu_number());
	/* A jump to nowhere: of interest is who jumped. */
	if (!ksym_lookup(u.pc - u.returns, &sym) && unwind_next(&u)) {
		place_format(place, sizeof(place), u.pc, u.returns);
		kprintf("  called by %s\n", place);
	}
}

static void print_report(const char *what, const struct trap_frame *f)
{
	kprintf("\nPANIC: %s\n", what);
	print_place(f);
	kprintf("\n");
	trap_print_registers(f);
	kprintf("\nBacktrace:\n");
	backtrace_print_trap(f);
	for (unsigned i = 0; i < section_count; i++) {
		kprintf("\n%s:\n", sections[i].title);
		sections[i].print();
	}
	panic_print_cpus();
	/* On a screen of 25 lines the first one has scrolled away. */
	kprintf("\nAgain: %s\n", what);
}

/* The report failed; what there is of it must be told apart from a whole one. */
static void print_short(const char *what, const struct trap_frame *f)
{
	kprintf("\nPANIC inside the panic: %s\n", what);
	print_place(f);
}

static _Noreturn void die(const char *what, const struct trap_frame *f, int already)
{
	static const char last[] = "\nPANIC inside that, too\n";

	switch (already) {
	case SECOND:
		stop_here(what);
	case 0:
		print_report(what, f);
		break;
	case 1:
		print_short(what, f);
		break;
	case 2:
		console_write(last, sizeof(last) - 1);
		break;
	case 3:
		machine_exit(false);	/* without the consoles: one of them may be at fault */
	default:
		machine_halt();
	}
	kprintf("END PANIC\n");
	machine_exit(false);
}

void trap_panic(const struct trap_frame *f)
{
	char what[WHAT_MAX] = "";
	int already = enter(f);

	if (already < 2)
		trap_explain(f, what, sizeof(what));
	die(what, f, already);
}

_Noreturn void panic_called(const struct trap_frame *f, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* panic() ends up here, with the registers of the place where it was called. */
_Noreturn void panic_called(const struct trap_frame *f, const char *fmt, va_list ap)
{
	char what[WHAT_MAX] = "";
	int already = enter(f);

	if (already < 2)
		kvsnprintf(what, sizeof(what), fmt, ap);
	die(what, f, already);
}
