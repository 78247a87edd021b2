/* SPDX-License-Identifier: MIT */
/*
 * Where the instructions of one sample go: the same run once more, with
 * benchtrace=N on the command line, steps through sample N with the trap flag
 * and counts by function.  tools/bench --trace does both runs.
 */
#include "kbench.h"

#include <arch/trap.h>
#include <labyrinth/ksyms.h>
#include <labyrinth/print.h>

#define FLAG_TRAP "0x100"		/* RFLAGS.TF: Intel SDM vol. 1, 3.4.3.3 */
#define FUNCTIONS 64u
#define RUNS      400u

static struct { uintptr_t start; const char *name; uint64_t steps; } function[FUNCTIONS];
static struct { unsigned function; uint64_t steps; } run[RUNS];
static unsigned nfunctions, nruns;
static bool tracing;
static trap_handler_t before;

/* The number of the function at @pc; the last one is for all that do not fit. */
static unsigned function_at(uintptr_t pc)
{
	struct ksym sym = { .name = "?" };
	unsigned i;

	ksym_lookup(pc, &sym);
	for (i = 0; i < nfunctions; i++)
		if (function[i].start == sym.start)
			return i;
	if (nfunctions == FUNCTIONS)
		return FUNCTIONS - 1;
	function[i].start = sym.start;
	function[i].name = sym.name;
	nfunctions++;
	return i;
}

static bool step(struct trap_frame *f)
{
	unsigned i = function_at(f->rip);

	function[i].steps++;
	if (nruns && run[nruns - 1].function == i) {
		run[nruns - 1].steps++;
	} else if (nruns < RUNS) {
		run[nruns].function = i;
		run[nruns++].steps = 1;
	}
	return true;
}

void kbench_trace_begin(void)
{
	tracing = true;
	before = trap_set_handler(TRAP_DEBUG, step);
	__asm__ volatile("pushfq\n\torq $" FLAG_TRAP ", (%%rsp)\n\tpopfq" : : : "memory", "cc");
}

bool kbench_trace_end(void)
{
	if (!tracing)
		return false;
	__asm__ volatile("pushfq\n\tandq $~" FLAG_TRAP ", (%%rsp)\n\tpopfq" : : : "memory", "cc");
	trap_set_handler(TRAP_DEBUG, before);
	tracing = false;
	for (unsigned i = 0; i < nfunctions; i++)
		kprintf("TRACE-SUM %s %llu\n", function[i].name,
			(unsigned long long)function[i].steps);
	for (unsigned i = 0; i < nruns; i++)
		kprintf("TRACE-RUN %s %llu\n", function[run[i].function].name,
			(unsigned long long)run[i].steps);
	return true;
}
