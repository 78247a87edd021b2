/* SPDX-License-Identifier: MIT */
/* Commands about the prompt, the machine and the tests; those about memory are in shell_mm.c. */
#include <arch/console.h>
#include <arch/machine.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/console.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>
#include <labyrinth/selftest.h>

#include "kernel/picture.h"
#include "kernel/shell.h"

/* The command whose name comes next in the alphabet; NULL for the first, or after the last. */
static const struct command *next_by_name(const struct command *last)
{
	const struct command *c, *next = NULL;

	for (size_t i = 0; (c = shell_command(i)); i++)
		if ((!last || strcmp(c->name, last->name) > 0) &&
		    (!next || strcmp(c->name, next->name) < 0))
			next = c;
	return next;
}

static void show_usage(const struct command *c)
{
	char usage[64];

	ksnprintf(usage, sizeof(usage), "%s %s", c->name, c->args);
	kprintf("  %-26s %s\n", usage, c->what);
}

COMMAND(help, "[COMMAND]", "list the commands, or tell more about one", "")
{
	const struct command *c = NULL;

	if (argc > 2)
		return false;
	if (argc == 1) {
		while ((c = next_by_name(c)))
			show_usage(c);
		return true;
	}
	c = shell_find(argv[1]);
	if (!c) {
		kprintf("There is no command \"%s\"; help lists them all.\n", argv[1]);
		return true;
	}
	show_usage(c);
	kprintf("%s", c->more);
	return true;
}

COMMAND(history, "", "list the last lines typed", "")
{
	const struct history *h = shell_history();

	(void)argv;
	if (argc != 1)
		return false;
	for (size_t back = history_count(h); back > 0; back--)
		kprintf("  %4zu  %s\n", h->added - back + 1, history_get(h, back));
	return true;
}

COMMAND(clear, "", "clear the screen", "")
{
	(void)argv;
	if (argc != 1)
		return false;
	kprintf("\x1b[H\x1b[2J");
	return true;
}

COMMAND(picture, "", "draw the memory map again", "")
{
	(void)argv;
	if (argc != 1)
		return false;
	picture_draw(&boot_info, shell_plain(), console_write);
	return true;
}

COMMAND(cmdline, "", "show the kernel's command line",
	"  Options: test=PATTERN, seed=N, memlimit=SIZE, badram=START,SIZE,... and\n"
	"  term=plain for terminals without colours and UTF-8.\n")
{
	(void)argv;
	if (argc != 1)
		return false;
	kprintf("%s\n", *boot_info.cmdline ? boot_info.cmdline : "(empty)");
	return true;
}

/* gcc says a number and no more. */
#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

COMMAND(ver, "", "what this kernel is and how it was booted", "")
{
	const char *name, *between = "";

	(void)argv;
	if (argc != 1)
		return false;
	kprintf("Labyrinth for x86_64, built by %s\n", COMPILER);
	kprintf("booted by %s", boot_info.loader);
	if (boot_info.way != BOOT_PVH)
		kprintf(" under %s", boot_info.uefi ? "UEFI" : "BIOS");
	kprintf("\nconsoles: ");
	for (size_t i = 0; i < CONSOLE_SINKS_MAX; i++) {
		if (!(name = console_name(i)))
			continue;
		kprintf("%s%s", between, name);
		between = ", ";
	}
	kprintf("\n");
	return true;
}

COMMAND(test, "[PATTERN [SEED]]", "run the self-tests that match",
	"  PATTERN is a part of a test's name, or has * and ? in it, as in\n"
	"  \"test print.*\".  SEED repeats the random numbers of an earlier run.\n")
{
	const char *pattern = argc > 1 ? argv[1] : "";
	uint64_t seed = clock_ns();

	if (argc > 3)
		return false;
	if (argc == 3 && !shell_number(argv[2], &seed)) {
		kprintf("\"%s\" is no seed: a number is wanted.\n", argv[2]);
		return false;
	}
	int failed = test_run_all(pattern, seed);
	if (failed < 0)
		kprintf("No test matches \"%s\".\n", pattern);
	else if (failed > 0)
		kprintf("FAIL: %d failed\n", failed);
	else
		kprintf("PASS\n");
	return true;
}

COMMAND(panic, "", "stop with a report, to see what one looks like", "")
{
	(void)argv;
	if (argc != 1)
		return false;
	panic("asked for at the prompt");
}

COMMAND(reboot, "", "start the machine over", "")
{
	(void)argv;
	if (argc != 1)
		return false;
	kprintf("Starting over.\n");
	machine_reboot();
}

COMMAND(poweroff, "", "switch the machine off", "")
{
	(void)argv;
	if (argc != 1)
		return false;
	kprintf("Goodbye.  If the machine stays on, it may be switched off now.\n");
	machine_exit(true);
}
