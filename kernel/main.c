/* SPDX-License-Identifier: MIT */
/* The kernel's table of contents: what comes up, in which order, and why then. */
#include <arch/console.h>
#include <arch/init.h>
#include <arch/irq.h>
#include <arch/protect.h>
#include <labyrinth/acpi.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/console.h>
#include <labyrinth/mm.h>
#include <labyrinth/mm_wait.h>
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/selftest.h>
#include <labyrinth/smp.h>
#include <labyrinth/thread.h>

#include "kernel/boot_fail.h"
#include "kernel/mm_report.h"
#include "kernel/options.h"
#include "kernel/screen.h"
#include "kernel/shell.h"

_Noreturn void kernel_main(enum boot_way way, uint32_t magic, uint64_t info);

/* test=PATTERN: run these tests, and end the machine with their verdict. */
static void run_tests_if_asked(void)
{
	char pattern[128];
	uint64_t seed = clock_ns();	/* differs from run to run; seed= repeats one */
	size_t len;
	const char *value = cmdline_get("test", &len);

	if (!value)
		return;
	ksnprintf(pattern, sizeof(pattern), "%.*s", (int)len, value);
	if (!cmdline_u64("seed", &seed) && cmdline_get("seed", NULL))
		kprintf("boot: seed= wants a number: ignored\n");
	machine_exit(test_run_all(pattern, seed) == 0);
}

/* bench=PATTERN: measure instead. */
static void run_bench_if_asked(void)
{
	char patterns[128];
	size_t len;
	const char *value = cmdline_get("bench", &len);

	if (!value)
		return;
	ksnprintf(patterns, sizeof(patterns), "%.*s", (int)len, value);
	bench_run(patterns);
	machine_exit(true);
}

static void say(const char *what)
{
	kprintf("%s\n", what);
}

/* torture=SECONDS: all CPUs at once. */
static void run_torture_if_asked(void)
{
	uint64_t seconds, seed = clock_ns();

	if (!cmdline_u64("torture", &seconds))
		return;
	cmdline_u64("seed", &seed);
	machine_exit(torture_machine(seconds, seed));
}

/* Called by boot/entry.S in long mode, on the main stack, interrupts off. */
_Noreturn void kernel_main(enum boot_way way, uint32_t magic, uint64_t info)
{
	traps_init();			/* from here on an exception is caught */
	console_init();			/* ... and can be read about on the serial line */
	boot_info_init(&(struct handover){ way, magic, info });
	cmdline_init(boot_info.cmdline);
	features_init();		/* what this processor can do; the next step asks */
	protect_cpu();			/* ... and what it forbids is forbidden from now on */
	clock_init();			/* clock_ns() tells the time */
	directmap_init();		/* all RAM is mapped; the guards below stacks are not */
	screen_init(&boot_info.fb);	/* the second console, catching up with the first */
	kprintf("Labyrinth\n%s", boot_info.notes);
	options_check(boot_info.cmdline);
	acpi_init();			/* power off and reset work from here on */
	if (mm_init(&boot_info.map, cpus_find()))	/* the allocator, over all that is usable */
		panic("no usable memory for the allocator's metadata; give the machine more");
	boot_fail_begin();		/* failnth=: one request from here on finds nothing */
	irq_init();			/* interrupts have somewhere to go; all are masked */
	mm_report_init();		/* a panic tells what it did last */
	seal();				/* what only booting writes is read-only now */
	if (protect_check(say))		/* ... and so it must be on every machine */
		panic("this machine does not keep the kernel's protection");

	sched_init();			/* this is a thread now, and there can be others */
	cpus_start();			/* the others, each with stacks and data of its own */
	irq_enable();			/* they may call this one */
	mm_wait_init();			/* who asks with GFP_KERNEL sleeps from now on */
	boot_fail_end();

	run_tests_if_asked();
	run_bench_if_asked();
	run_torture_if_asked();
	shell_run();			/* for good */
}
