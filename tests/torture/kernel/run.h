/* SPDX-License-Identifier: MIT */
/* Torture in the kernel: which traveller belongs to which context, and what a run counts. */
#pragma once

#include <stdatomic.h>

#include "../torture.h"

/* The contexts of one CPU, innermost last; each may strike in the middle of those before. */
enum context { CTX_INTERRUPT, CTX_DEBUG, CTX_NMI, CTX_COUNT };

/* What one CPU has for torture. */
struct victim {
	struct traveller *in[CTX_COUNT];
	_Atomic uint64_t times[CTX_COUNT];	/* how often each came */
	uint64_t steps;				/* until the next debug exception acts */
	_Atomic uint64_t freezes;		/* it stood still in the middle */
	_Atomic uint64_t overtaken;		/* of these, others went on meanwhile (I10) */
};

struct torture_run {
	unsigned cpus, threads;
	struct victim *victim;			/* by CPU */
	struct traveller **all;			/* threads first, then the victims' */
	size_t n;
	_Atomic unsigned waiting;		/* threads in front of the closed gate */
	_Atomic unsigned over;
	uint64_t seed;
};

extern struct torture_run run;

/* Take over interrupts of one vector, debug exceptions and NMIs; give them back. */
void contexts_open(void);
void contexts_close(void);

/* One strike at a CPU from outside: an interrupt, or an NMI. */
void strike(unsigned cpu, bool nmi);
