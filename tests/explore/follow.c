/* SPDX-License-Identifier: MIT */
/* All schedules, those with few switches, random ones, CPUs in step. */
#include "follow.h"

#define SWITCHES    5u
#define IN_STEP     20000u	/* schedules of CPUs that stay in step; */
#define SHORT_STEP  1000u	/* where the number of states is limited */

/* What is left of the limits after @used states, since @start. */
static struct explore_limits left_of(struct explore_limits l, uint64_t used, double start)
{
	if (l.states)
		l.states = l.states > used ? l.states - used : 1;
	if (l.seconds > 0) {
		l.seconds -= explore_seconds() - start;
		if (l.seconds <= 0)
			l.seconds = 1e-9;
	}
	return l;
}

/* With one switch, then more.  Return: as follow(). */
static unsigned few_switches(const struct explore_program *p, const struct explore_limits *l,
			     struct explore_result *r)
{
	struct explore_result best = { .failed = false };
	double start = explore_seconds();
	unsigned done = NOT_ALL;

	for (unsigned n = 1; n <= SWITCHES; n++) {
		struct explore_limits now = left_of(*l, best.states, start);

		now.switches = n;
		explore_all(p, &now, r);
		if (r->failed)
			return n;
		if (!r->complete)
			break;
		best = *r;
		done = n;
	}
	*r = best;
	return done;
}

/* What is not @r's already: random schedules, and CPUs that stay in step. */
static void at_random(const struct explore_program *p, const struct explore_limits *l,
		      struct explore_result *r)
{
	const struct explore_limits in_step = { .in_step = true };
	struct explore_result now;

	explore_random(p, l, RANDOM_RUNS, 1, &now);
	if (!now.failed && p->cpus > 1)
		explore_random(p, &in_step, l->states ? SHORT_STEP : IN_STEP, 1, &now);
	if (now.failed)
		*r = now;
}

unsigned follow(const struct explore_program *p, const struct explore_limits *l,
		struct explore_result *r)
{
	struct explore_limits half = *l;
	struct explore_result all;

	half.seconds /= 2;
	explore_all(p, &half, r);
	if (r->complete)
		return ANY_SWITCHES;
	all = *r;
	unsigned done = few_switches(p, &half, r);
	if (!r->failed && all.failed)
		*r = all;
	if (!r->failed)
		at_random(p, l, r);
	return done;
}
