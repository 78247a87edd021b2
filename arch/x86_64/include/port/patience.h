/* SPDX-License-Identifier: MIT */
/* Waiting with an end, on machines with a clock and on those without. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <arch/console.h>
#include <arch/cpu.h>

struct patience {
	uint64_t since, ns;
	uint64_t turns;			/* counts instead of time where there is no clock */
};

/* A turn takes 10 ns at the very least: pause, and the caller's load of a shared word. */
#define PATIENCE_TURN_NS 10u

static inline void patience_begin(struct patience *p, uint64_t ns)
{
	*p = (struct patience){ clock_ns(), ns, 0 };
}

/* One turn of a waiting loop.  Return: false when the time is over.  Context: any. */
static inline bool patience_left(struct patience *p)
{
	uint64_t now = clock_ns();

	cpu_relax();
	if (now == 0)
		return ++p->turns * PATIENCE_TURN_NS < p->ns;
	return now - p->since < p->ns;
}
