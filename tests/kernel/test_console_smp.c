/* SPDX-License-Identifier: MIT */
/* Several CPUs, an interrupt and an NMI print at once: lines stay whole, and all arrive. */
#define SUITE "console_smp"
#include <tests/test.h>

#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/trap.h>
#include <labyrinth/console.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "all_cpus.h"

#define LINES 12u
#define CPUS  8u		/* at most that many print */
#define TEXT "# %u prints line %2u of many, and no other comes in between"

static char heard[16384];
static size_t length;

/* Slow, so that it is not by luck that nobody comes in between. */
static void listen(const char *s, size_t n)
{
	for (size_t i = 0; i < n && length < sizeof(heard) - 1; i++) {
		for (unsigned turn = 0; turn < 20; turn++)
			cpu_relax();
		heard[length++] = s[i];
	}
}

static const struct console_sink ear = { "ear", listen };

static void print_lines(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < LINES; i++)
		kprintf(TEXT "\n", cpu_number(), i);
}

/* How often does @line stand there, whole and between two newlines? */
static unsigned times_heard(const char *line)
{
	size_t n = strlen(line);
	unsigned times = 0;

	for (size_t at = 0; at + n < length; at++)
		times += (at == 0 || heard[at - 1] == '\n') && heard[at + n] == '\n' &&
			 memcmp(heard + at, line, n) == 0;
	return times;
}

TEST(lines_of_several_cpus_stay_whole)
{
	char line[100];

	memset(heard, 0, sizeof(heard));
	length = 0;
	ASSERT(console_add(&ear));
	length = 0;			/* what was printed before does not count */
	on_cpus(CPUS, print_lines, NULL);
	console_remove(&ear);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		for (unsigned i = 0; i < LINES; i++) {
			ksnprintf(line, sizeof(line), TEXT, cpu, i);
			EXPECT_EQ(times_heard(line), cpu_online(cpu));
		}
}

/* --- an NMI in the middle of a line must neither wait for the holder nor be lost */

static _Atomic unsigned nmis;

static bool on_nmi(struct trap_frame *f)
{
	(void)f;
	if (atomic_fetch_add(&nmis, 1) == 0)
		kprintf("# from the NMI\n");
	return true;
}

static void interrupt_yourself(const char *s, size_t n)
{
	if (atomic_load(&nmis) == 0)
		__asm__ volatile("int $2" : : : "memory");
	listen(s, n);
}

static const struct console_sink interrupted = { "interrupted", interrupt_yourself };

TEST(an_nmi_prints_while_its_cpu_holds_the_console)
{
	trap_handler_t old;

	atomic_store(&nmis, 1);
	ASSERT(console_add(&interrupted));
	atomic_store(&nmis, 0);
	length = 0;
	old = trap_set_handler(TRAP_NMI, on_nmi);
	kprintf("# interrupted\n");
	trap_set_handler(TRAP_NMI, old);
	console_remove(&interrupted);
	EXPECT_EQ(atomic_load(&nmis), 1);
	EXPECT_EQ(times_heard("# from the NMI"), 1);
	EXPECT_EQ(times_heard("# interrupted"), 1);
}

/* --- one that never lets go is not waited for without end */

static _Atomic bool holding, let_go;

static void hold(const char *s, size_t n)
{
	(void)s;
	(void)n;
	if (cpu_number() != 1)
		return;
	atomic_store(&holding, true);
	while (!atomic_load(&let_go))
		cpu_relax();
}

static const struct console_sink holder = { "holder", hold };

static void print_one(void *arg)
{
	(void)arg;
	kprintf("# held for a while\n");
}

TEST(a_cpu_that_holds_the_console_for_long_is_not_waited_for)
{
	uint64_t patience = console_patience_ns;

	if (!cpu_online(1)) {
		test_skip("there is no other CPU");
		return;
	}
	atomic_store(&holding, false);
	atomic_store(&let_go, false);
	ASSERT(console_add(&holder));
	EXPECT(cpu_start_job(1, print_one, NULL));
	while (!atomic_load(&holding))
		cpu_relax();
	console_patience_ns = 50000000;
	kprintf("# printed all the same\n");
	console_patience_ns = patience;
	atomic_store(&let_go, true);
	while (cpu_has_job(1))
		cpu_relax();
	console_remove(&holder);
}
