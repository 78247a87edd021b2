/* SPDX-License-Identifier: MIT */
/*
 * The interleaving explorer: the real mm/ on CPUs that are run one operation at
 * a time, over all schedules.
 *
 * A step of a CPU is one shared operation and what follows it up to the next.
 * A plain store goes into the CPU's store buffer, first in first out; the CPU's
 * own loads see it there, others when it has left (x86-TSO: Sewell et al.,
 * "x86-TSO", CACM 53(7), 2010).  An operation with the lock prefix empties the
 * buffer first.  An interrupt may come before any operation of its CPU, once.
 *
 * E1  All that a schedule can change is memory written by these operations, the
 *     words given to explore_set(), the stacks and the buffers.  So a state is
 *     these, and going back is undoing the writes and copying a stack.
 *     What counts changes, and grows for ever, is left out of it: explore_uncounted().
 * E2  Two schedules that lead to equal states have the same futures: the second
 *     is not followed again, but all its continuations are counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/cpu.h>

/* What a word is to the explorer; the program that is explored says so. */
enum explore_kind {
	WORD_SHARED,	/* any CPU may use it: every operation is a place to turn */
	WORD_OWN,	/* only its CPU uses it: a place for an interrupt, if one may come */
	WORD_NOISE,	/* counts events, decides nothing: no place, not part of the state */
};

enum explore_kind explore_kind_of(const void *a);

/* For traces: a name such as "level 1 node 0", and a value as people read it. */
void explore_name_of(const void *a, char *out, size_t size);
void explore_value_of(const void *a, uint64_t v, char *out, size_t size);

/*
 * What the state has of @v, if @a is a word that counts its changes: without that count.
 * @a: NULL: a copy that a CPU holds, perhaps of such a word; then whether it is older than the
 *     word, or as it stands, or by how much newer.
 */
uint64_t explore_uncounted(const void *a, uint64_t v);

struct explore_program {
	unsigned cpus;
	void (*cpu[EXPLORE_CPUS])(void);
	void (*irq[EXPLORE_CPUS])(void);	/* NULL: none comes */
	void (*end)(void);	/* when all are done; its writes are undone too */
};

/* How far to go.  0: no limit. */
struct explore_limits {
	unsigned switches;	/* CPUs stopped where they could have gone on */
	uint64_t states;
	double seconds;
	bool progress;
	bool alone;		/* in random schedules: at times one CPU runs alone (I10) */
	bool in_step;		/* in random schedules: CPUs take turns, always the same (I10) */
};

struct explore_result {
	bool failed;
	bool complete;		/* within switches */
	uint64_t states, steps, ends;
	unsigned alone;		/* steps of one call in a row, at most; random schedules only */
	unsigned none_ends;	/* and of all CPUs together while no call ended; likewise */
	double schedules;	/* that were covered, counting those not followed again */
	char why[256];
	char schedule[8192];	/* replays the failure */
};

/* Of a clock that goes on. */
double explore_seconds(void);

/* Every schedule within the limits; stops at the first failure. */
void explore_all(const struct explore_program *p, const struct explore_limits *l,
		 struct explore_result *r);

/* @runs random schedules; CPUs run on with a probability of 7 in 8, or alone for a while. */
void explore_random(const struct explore_program *p, const struct explore_limits *l,
		    uint64_t runs, uint64_t seed, struct explore_result *r);

/* One schedule, each operation printed.  Return: false if it does not fit; r->why says why. */
bool explore_replay(const struct explore_program *p, const char *schedule,
		    struct explore_result *r);

/* --- for the program */

/* Change a word of the program's own, so that it is undone and part of the state. */
void explore_set(uint64_t *word, uint64_t v);

/* A place to turn without an operation: before a call. */
void explore_pause(const char *what);

/* Something does not hold: this schedule is a failure. */
_Noreturn void explore_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Does an interrupt handler run, on this CPU? */
bool explore_in_irq(void);

/* The operations that follow belong to @cpu; outside of a run, or in end(). */
void explore_as(unsigned cpu);

/* Fresh RAM and CPUs.  Context: outside of a run. */
void explore_machine_init(void);
