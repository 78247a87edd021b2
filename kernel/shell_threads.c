/* SPDX-License-Identifier: MIT */
/* threads: who there is, where, in what state, for how long, how deep. */
#include <labyrinth/mm_wait.h>
#include <labyrinth/print.h>
#include <labyrinth/thread.h>

#include "kernel/shell.h"

static void show(const struct thread_info *t)
{
	unsigned long long ms = t->ran_ns / 1000000;

	kprintf("%5llu  %-23s %3u  %-7s %3u %5llu.%03llu %8llu ",
		(unsigned long long)t->number, t->name, t->cpu, thread_state_name(t->state),
		t->priority, ms / 1000, ms % 1000, (unsigned long long)t->switches);
	if (t->stack_size)
		kprintf("%5zu/%zu\n", t->stack_used, t->stack_size);
	else
		kprintf("%5s\n", "-");
}

COMMAND(threads, "", "which threads there are, and what each is doing",
	"  Seconds are those that a thread had a CPU, switches how often it was given\n"
	"  one; of the stack, in bytes, the deepest use so far.  docs/threads.md\n"
	"  explains the states.\n")
{
	struct thread_info info = { .number = 0 };
	struct mm_wait_stats memory;

	(void)argv;
	if (argc > 1)
		return false;
	kprintf("  No.  name                    CPU  state   pri   seconds switches stack\n");
	while (thread_list(info.number, &info))
		show(&info);
	mm_wait_stats(&memory);
	kprintf("Waiting for memory: %u now, %llu so far, of which %llu gave up.\n", memory.waiting,
		(unsigned long long)memory.slept, (unsigned long long)memory.gave_up);
	return true;
}
