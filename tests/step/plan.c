/* SPDX-License-Identifier: MIT */
/* Which runs: all of them, a sample, or those in which the thread goes to other CPUs. */
#include "step.h"

#include <arch/console.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SWEPT         2u	/* the first scripts, of the hot path: always one by one */
#define SWEEP_ALL     220u	/* boundaries of a script for which each program is tried at each */
#define SWEEP_SOME    300u	/* else at most so many of them for each program, */
#define WAKING_SOME   150u	/* boundaries of a script where memory wakes, shortly */
#define MOVES_ALL     700u	/* boundaries of a script at each of which a run moves the thread */
#define MOVES_MANY    100u	/* else at so many of them, and in series at all */
#define MOVES_SOME    12u	/* shortly */
#define SWEEP_STEPS   400000u	/* fewer where the way there is long */

#define PROGRESS_NS 2000000000ull

static void progress(const char *what)
{
	static unsigned long long last;
	unsigned long long now = clock_ns();

	if (last && now < last + PROGRESS_NS)
		return;
	if (last)
		test_note("%s: %llu steps, %llu visits, %llu runs", what,
			  (unsigned long long)step_totals.steps,
			  (unsigned long long)step_totals.visits,
			  (unsigned long long)step_totals.runs);
	last = now;
}

void step_print_totals(void)
{
	const struct step_totals *t = &step_totals;

	test_note("%llu steps, %llu visits (%llu nested), %llu calls interrupted, %llu runs",
		  (unsigned long long)t->steps, (unsigned long long)t->visits,
		  (unsigned long long)t->nested, (unsigned long long)t->calls,
		  (unsigned long long)t->runs);
	if (t->moves)
		test_note("%llu moves to another CPU", (unsigned long long)t->moves);
}

static bool stop(void) { return step_failed() || step_totals.violations != 0; }

static unsigned cpus = 1;		/* that worlds have */

static uint64_t go(uint64_t seed, unsigned world, unsigned script, enum step_mode mode,
		   uint64_t p, uint64_t where)
{
	struct step_run r = { seed, cpus, world, script, mode, (enum step_program)p, where };

	progress(step_scripts[script].name);
	return stop() ? 0 : step_once(&r);
}

/* Boundary after boundary, one visit a run. */
static void sweep_one_by_one(uint64_t seed, unsigned world, unsigned script, unsigned programs)
{
	uint64_t n = go(seed, world, script, STEP_NEVER, 0, 0);
	uint64_t some = SWEEP_STEPS / (n + 1) + 4;
	uint64_t stride = n <= SWEEP_ALL ? 1 : n / (some < SWEEP_SOME ? some : SWEEP_SOME) + 1;

	for (unsigned p = 0; p < programs && !stop(); p++) {
		uint64_t start = stride > 1 ? step_mix(&seed) % stride : 0;

		for (uint64_t k = start; k < n && !stop(); k += stride)
			go(seed, world, script, STEP_ONCE,
			   programs == 1 ? k % STEP_PROGRAMS : p, k);
	}
}

/* Where memory wakes, the first of many visitors wakes it: so single ones, here and there. */
static void sweep_waking(uint64_t seed, unsigned w, unsigned s)
{
	uint64_t n = go(seed, w, s, STEP_NEVER, 0, 0), stride = n / WAKING_SOME + 1;

	for (uint64_t k = step_mix(&seed) % stride; k < n && !stop(); k += stride)
		go(seed, w, s, STEP_ONCE, k % STEP_PROGRAMS, k);
}

static void sweep_script(uint64_t seed, unsigned w, unsigned s, bool full)
{
	if (!full && step_scripts[s].worlds == 1u << STEP_ASLEEP)
		sweep_waking(seed, w, s);
	if (full || s < SWEPT)
		sweep_one_by_one(seed, w, s, full ? STEP_PROGRAMS : 1);
	go(seed, w, s, STEP_FRESH, (seed + s) % STEP_PROGRAMS,
	   full ? STEP_PROGRAMS : 1);
	go(seed, w, s, STEP_STORM, 0, full ? 48 : 6);
	go(seed, w, s, STEP_NESTED, (seed + s) % STEP_PROGRAMS, full ? 200 : 20);
}

/* Of the two small worlds one for each script: shortly, and where each boundary has its move. */
static bool left_out(uint64_t seed, unsigned w, unsigned s)
{
	const unsigned both = 1u << STEP_ONE | 1u << STEP_THREE;

	return s >= SWEPT && both >> w & 1 && (step_scripts[s].worlds & both) == both &&
	       (seed + s + w) % 2;
}

static void sweep_round(uint64_t seed, bool full, unsigned only)
{
	for (unsigned w = 0; w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++)
			if (step_scripts[s].worlds >> w & 1 && (full || !left_out(seed, w, s)) &&
			    (s == only || only == STEP_ALL_SCRIPTS))
				sweep_script(seed, w, s, full);
}

void step_sweep(uint64_t seed, uint64_t steps, bool full, unsigned only)
{
	cpus = 1;
	memset(&step_totals, 0, sizeof step_totals);
	do {
		sweep_round(step_mix(&seed), full, only);
	} while (step_totals.steps < steps && !stop());
}

/* Each boundary is moved at in exactly one run: in one of its own, or where the way is long not. */
static void sweep_moves(uint64_t seed, unsigned w, unsigned s, bool full)
{
	uint64_t n = go(seed, w, s, STEP_NEVER, 0, 0), stride = 1;

	go(seed, w, s, STEP_WANDER, step_mix(&seed) % STEP_PROGRAMS, full ? 2 : 1);
	go(seed, w, s, STEP_ROAM, 0, full ? 48 : 6);
	if (!full || n > MOVES_ALL)
		stride = n / (full ? MOVES_MANY : MOVES_SOME) + 1;
	for (uint64_t k = stride > 1 ? step_mix(&seed) % stride : 0; k < n && !stop(); k += stride)
		go(seed, w, s, STEP_MOVED, step_mix(&seed) % STEP_PROGRAMS, k);
	for (uint64_t k = 0; full && stride > 1 && k < STEP_SERIES_GAP && !stop(); k++)
		go(seed, w, s, STEP_SERIES, step_mix(&seed) % STEP_PROGRAMS, k);
}

void step_sweep_moves(uint64_t seed, bool full, bool crowd, unsigned only)
{
	const uint64_t first = seed;

	memset(&step_totals, 0, sizeof step_totals);
	cpus = runner_cpus();
	for (unsigned w = 0; w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++) {
			if (!(step_scripts[s].worlds >> w & 1) || left_out(first, w, s) ||
			    (s != only && only != STEP_ALL_SCRIPTS))
				continue;
			if (crowd)
				go(step_mix(&seed), w, s, STEP_CROWD, 0, 1);
			else
				sweep_moves(step_mix(&seed), w, s, full);
		}
}

void step_sample(uint64_t seed, uint64_t steps)
{
	static const uint64_t at[STEP_MOVED] = { [STEP_FRESH] = 1, [STEP_STORM] = 3,
						 [STEP_NESTED] = 5 };

	cpus = 1;
	memset(&step_totals, 0, sizeof step_totals);
	/* Every boundary of the hot path, then whatever comes. */
	sweep_one_by_one(seed, STEP_ONE, 0, 1);
	while (step_totals.steps < steps && !stop()) {
		unsigned w = (unsigned)(step_mix(&seed) % STEP_WORLDS);
		unsigned s = (unsigned)(step_mix(&seed) % step_script_count);
		unsigned m = STEP_FRESH + (unsigned)(step_mix(&seed) % (STEP_MOVED - STEP_FRESH));

		if (step_scripts[s].worlds >> w & 1)
			go(step_mix(&seed), w, s, (enum step_mode)m,
			   (unsigned)(step_mix(&seed) % STEP_PROGRAMS), at[m]);
	}
}

void step_sample_moves(uint64_t seed, uint64_t moves, bool crowd)
{
	const unsigned modes = STEP_CROWD + crowd - STEP_WANDER;
	static const uint64_t at[STEP_MODES] = { [STEP_WANDER] = 1, [STEP_ROAM] = 3,
						 [STEP_CROWD] = 1 };

	cpus = runner_cpus();
	step_moves_most = moves;
	memset(&step_totals, 0, sizeof step_totals);
	sweep_moves(seed, STEP_ONE, 0, false);
	while (step_totals.moves < moves && !stop()) {
		unsigned w = (unsigned)(step_mix(&seed) % STEP_WORLDS);
		unsigned s = (unsigned)(step_mix(&seed) % step_script_count);
		unsigned m = STEP_WANDER + (unsigned)(step_mix(&seed) % modes);

		if (step_scripts[s].worlds >> w & 1)
			go(step_mix(&seed), w, s, (enum step_mode)m, 0, at[m]);
	}
	step_moves_most = UINT64_MAX;
}
