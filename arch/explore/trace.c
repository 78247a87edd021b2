/* SPDX-License-Identifier: MIT */
/* One schedule, operation by operation, with the source line of each. */
#include "engine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool explore_tracing;

#define TRACE_MAX 20000u

static struct { const void *place; char text[256]; } trace[TRACE_MAX];
static unsigned trace_n;

void engine_note(const char *op, const void *addr, const void *place, uint64_t old, uint64_t new)
{
	char name[64], a[80], b[80];
	const struct cpu *c = &explore_cpu[explore_self];

	if (!explore_tracing || trace_n == TRACE_MAX)
		return;
	if (addr) {
		explore_name_of(addr, name, sizeof name);
		explore_value_of(addr, old, a, sizeof a);
		explore_value_of(addr, new, b, sizeof b);
	}
	trace[trace_n].place = place;
	snprintf(trace[trace_n++].text, sizeof trace->text, "CPU %u%s %-8s %-20s %s%s%s",
		 explore_self, c->in_irq ? "!" : " ", op, addr ? name : "", addr ? a : "",
		 addr && old != new ? " -> " : "", addr && old != new ? b : "");
}

/* The line of the call, for operations that are inlined from the port's headers. */
static void print_places(FILE *f, unsigned i, unsigned end)
{
	char line[256], *at;
	bool found = true;

	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, "0x", 2) == 0) {
			found = false;
			if (i < end)
				printf("%5u  %-64s ", i + 1, trace[i].text);
			i++;
		}
		at = strstr(line, ".c:");
		while (at && at > line && at[-1] != ' ')
			at--;
		/* Behind the line's number stands which of its blocks it is: of no use here. */
		if (at && !found)
			printf("%.*s\n", (int)strcspn(at, " \n"), at);
		found |= at != NULL;
	}
}

void engine_print_trace(void)
{
	char command[64 + 20 * 64];

	for (unsigned i = 0, n; i < trace_n; i += n) {
		size_t at = (size_t)snprintf(command, sizeof command,
					     "addr2line -aips -e /proc/%d/exe", (int)getpid());
		for (n = 0; i + n < trace_n && n < 64; n++)
			at += (size_t)snprintf(command + at, sizeof command - at, " %lx",
					       (unsigned long)trace[i + n].place - 1);
		fflush(stdout);
		FILE *f = popen(command, "r");
		print_places(f, i, i + n);
		if (f)
			pclose(f);
	}
	trace_n = 0;
}
