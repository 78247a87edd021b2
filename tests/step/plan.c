/* SPDX-License-Identifier: MIT */
/* Which runs: all of them, a sample, or those in which the thread goes to other CPUs. */
#include "step.h"

#include <arch/console.h>
#include <labyrinth/panic.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SWEPT         2u	/* the first scripts, of the hot path: always one by one */
#define SWEEP_ALL     220u	/* boundaries of a script for which each program is tried at each */
#define SWEEP_SOME    300u	/* else at most so many of them for each program, */
#define LONG_WAY      100000u	/* boundaries of a script that has but one run, shortly */
#define LEFT_SOME     200u	/* instructions that only a world asleep has reached, shortly */
#define STORM_ONE_OF  4u	/* scripts, shortly */
#define PAIRS         100u	/* boundaries of a script at which a visitor is stepped himself, */
#define PAIRS_CAS     300u	/* and so many more that are before a compare-and-swap */
#define LOST          8u	/* times that one of them is lost in a script, */
#define LOST_SLOWLY   3u	/* or where a world takes long to make, */
#define LOST_ALL      48u	/* and in all scripts together, in each of the worlds; */
#define LOST_SHORTLY  2u	/* shortly */
#define MOVES_ALL     700u	/* boundaries of a script at each of which a run moves the thread */
#define MOVES_MANY    100u	/* else at so many of them, and in series at all */
#define MOVES_SOME    12u	/* shortly */
#define SERIES_STEPS  500000u 	/* of a script's series together: fewer where the way is long */
#define SWEEP_STEPS   400000u	/* fewer where the way there is long */

const char *const step_program_names[STEP_PROGRAMS] = {
	"atf", "aft", "taf", "tfa", "fat", "fta", "batch", "hands",
};
const char *const step_mode_names[STEP_MODES] = {
	"never", "once", "fresh", "storm", "nested", "pair", "lost",
	"moved", "series", "wander", "roam", "crowd",
};

uint64_t step_mix(uint64_t *state)
{
	/* splitmix64, as in tests/runner.c */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

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
		test_note("%llu moves to another CPU, %llu turns of a crowd",
			  (unsigned long long)t->moves, (unsigned long long)t->turns);
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

/* @some runs, or fewer where the way, of @n boundaries, is long. */
static uint64_t at_most(uint64_t some, uint64_t n)
{
	uint64_t few = SWEEP_STEPS / (n + 1) + 4;

	return few < some ? few : some;
}

/* Boundary after boundary, one visit a run. */
static void sweep_one_by_one(uint64_t seed, unsigned world, unsigned script, unsigned programs)
{
	uint64_t n = go(seed, world, script, STEP_NEVER, 0, 0);
	uint64_t stride = n <= SWEEP_ALL ? 1 : n / at_most(SWEEP_SOME, n) + 1;

	for (unsigned p = 0; p < programs && !stop(); p++) {
		uint64_t start = stride > 1 ? step_mix(&seed) % stride : 0;

		for (uint64_t k = start; k < n && !stop(); k += stride)
			go(seed, world, script, STEP_ONCE,
			   programs == 1 ? k % STEP_PROGRAMS : p, k);
	}
}

/* Behind each instruction that a script has executed and nobody has come in behind, or @some. */
static void sweep_left(uint64_t seed, unsigned world, unsigned script, uint64_t some)
{
	static uint32_t at[STEP_NEW_MAX];
	const uint64_t same = seed;

	go(same, world, script, STEP_NEVER, 0, 0);
	if (world != STEP_ASLEEP)
		some = STEP_NEW_MAX;		/* they are short */
	for (uint64_t n = step_new(at), i = 0; i < n && !stop(); i += n / some + 1)
		go(same, world, script, cpus > 1 ? STEP_MOVED : STEP_ONCE,
		   step_mix(&seed) % STEP_PROGRAMS, at[i]);
}

/* One who comes at boundary @k; then once more each, where that led somewhere new. */
static void sweep_pair(uint64_t seed, unsigned world, unsigned script, enum step_mode mode,
		       uint64_t p, uint64_t k)
{
	static uint32_t at[STEP_NEW_MAX];

	go(seed, world, script, mode, p, k);
	for (unsigned i = 0, n = step_new(at); i < n && !stop(); i++)
		go(seed, world, script, mode, p, k | (uint64_t)at[i] << 32);
}

static bool is_slow(unsigned world) { return world == STEP_ASLEEP || world == STEP_WIDE; }

/* How often the compare-and-swap at @place has been lost: in this world, or SHORTLY in any. */
#define SHORTLY STEP_WORLDS
static uint8_t *times_lost(uint32_t place, unsigned world)
{
	static struct { uint32_t place; uint8_t times[STEP_WORLDS + 1]; } known[STEP_ENDS_MAX];
	unsigned i = 0;

	while (known[i].place && known[i].place != place)
		i++;
	if (i == STEP_ENDS_MAX - 1)
		panic("the step gate has no room for so many compare-and-swaps");
	known[i].place = place;
	return &known[i].times[world];
}

/*
 * Each compare-and-swap of the script's fails, in each way that there is; but where many scripts
 * come by, not in all of them.  And before each, and behind, comes a visitor as the script has
 * arranged it.
 */
static void sweep_lost(uint64_t seed, unsigned world, unsigned script)
{
	static struct step_end end[STEP_ENDS_MAX];
	const unsigned times = is_slow(world) ? LOST_SLOWLY : LOST;

	go(seed, world, script, STEP_NEVER, 0, 0);
	for (uint64_t i = 0, n = step_cas_ends(end); i < n && !stop(); i++) {
		uint8_t *here = times_lost(end[i].place, world);

		for (unsigned k = 0; k < times && *here < LOST_ALL; k++)
			sweep_pair(seed, world, script, STEP_LOST, (*here)++ % STEP_PROGRAMS,
				   end[i].at);
		for (unsigned k = 0; k < 2; k++)
			sweep_pair(seed, world, script, STEP_PAIR, *here % STEP_PROGRAMS,
				   end[i].at + k);
	}
}

/* Shortly: each a few times in all scripts together, and somebody comes in wherever that leads. */
static void sweep_lost_shortly(uint64_t seed, unsigned world, unsigned script)
{
	static struct step_end end[STEP_ENDS_MAX];
	const uint64_t same = seed;

	go(same, world, script, STEP_NEVER, 0, 0);
	for (uint64_t i = 0, n = step_cas_ends(end); i < n && !stop(); i++) {
		uint8_t *times = times_lost(end[i].place, SHORTLY);

		if (*times < LOST_SHORTLY)
			go(same, world, script, STEP_LOST,
			   (*times)++ ? step_mix(&seed) % STEP_PROGRAMS : 0,
			   end[i].at | STEP_EACH << 32);
	}
}

/* Before compare-and-swaps, which the visitor may make fail, and here and there. */
static void sweep_pairs(uint64_t seed, unsigned world, unsigned script)
{
	static uint32_t cas[STEP_CAS_MAX];
	const uint64_t same = seed;
	uint64_t n = go(same, world, script, STEP_NEVER, 0, 0), stride = n / at_most(PAIRS, n) + 1;
	uint64_t ncas = step_cas(cas), every = ncas / at_most(PAIRS_CAS, n) + 1;

	for (uint64_t i = step_mix(&seed) % every; i < ncas && !stop(); i += every)
		sweep_pair(same, world, script, STEP_PAIR, step_mix(&seed) % STEP_PROGRAMS, cas[i]);
	for (uint64_t k = step_mix(&seed) % stride; k < n && !stop(); k += stride)
		sweep_pair(same, world, script, STEP_PAIR, step_mix(&seed) % STEP_PROGRAMS, k);
}

static void sweep_script(uint64_t seed, unsigned w, unsigned s, bool full)
{
	const bool alone = step_scripts[s].worlds & STEP_ALONE;
	uint64_t n;

	if ((full || s < SWEPT) && !alone)
		sweep_one_by_one(seed, w, s, full ? STEP_PROGRAMS : 1);
	n = go(seed, w, s, STEP_FRESH, (seed + s) % STEP_PROGRAMS, full ? STEP_PROGRAMS : 1);
	if (full || n < LONG_WAY)
		sweep_left(seed, w, s, full ? STEP_NEW_MAX : LEFT_SOME);
	if (!full && !alone && n < LONG_WAY)
		sweep_lost_shortly(seed, w, s);
	/* Shortly: of some scripts, of others with another seed. */
	if (alone || (!full && (n >= LONG_WAY || (seed + s) % STORM_ONE_OF)))
		return;
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

static bool is_meant(uint64_t seed, unsigned w, unsigned s, bool full, unsigned only)
{
	bool shortly = !left_out(seed, w, s) && !(step_scripts[s].worlds & STEP_LONG);

	return step_scripts[s].worlds >> w & 1 && (full || shortly) &&
	       (s == only || only == STEP_ALL_SCRIPTS);
}

static void sweep_round(uint64_t seed, bool full, unsigned only)
{
	for (unsigned w = 0; w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++)
			if (is_meant(seed, w, s, full, only))
				sweep_script(seed, w, s, full);
	/* When all that is easily reached has been: what is new then, is rare. */
	for (unsigned w = 0; full && w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++)
			if (is_meant(seed, w, s, full, only) &&
			    !(step_scripts[s].worlds & STEP_ALONE)) {
				sweep_lost(seed, w, s);
				sweep_pairs(seed, w, s);
			}
}

void step_sweep(uint64_t seed, uint64_t steps, bool full, unsigned only)
{
	cpus = 1;
	memset(&step_totals, 0, sizeof step_totals);
	do {
		sweep_round(step_mix(&seed), full, only);
	} while (step_totals.steps < steps && !stop());
}

/* At each boundary a run moves the thread, or where the way is long at some, and in series. */
static void sweep_moves(uint64_t seed, unsigned w, unsigned s, bool full)
{
	const uint64_t same = seed;
	uint64_t n = go(same, w, s, STEP_NEVER, 0, 0), stride = 1;
	uint64_t series = SERIES_STEPS / (n + 1) + 1;

	go(same, w, s, STEP_WANDER, step_mix(&seed) % STEP_PROGRAMS, full ? 2 : 1);
	sweep_left(same, w, s, full ? at_most(STEP_NEW_MAX, n / 8) : LEFT_SOME);
	if (step_scripts[s].worlds & STEP_ALONE)
		return;
	go(same, w, s, STEP_ROAM, 0, full ? 48 : 6);
	if (!full || n > MOVES_ALL)
		stride = n / at_most(full ? MOVES_MANY : MOVES_SOME, n) + 1;
	for (uint64_t k = stride > 1 ? step_mix(&seed) % stride : 0; k < n && !stop(); k += stride)
		go(same, w, s, STEP_MOVED, step_mix(&seed) % STEP_PROGRAMS, k);
	if (!full || stride == 1)
		return;
	stride = series < STEP_SERIES_GAP ? STEP_SERIES_GAP / series : 1;
	for (uint64_t k = step_mix(&seed) % stride; k < STEP_SERIES_GAP && !stop(); k += stride)
		go(same, w, s, STEP_SERIES, step_mix(&seed) % STEP_PROGRAMS, k);
}

void step_sweep_moves(uint64_t seed, bool full, uint64_t crowds, unsigned only)
{
	const uint64_t first = seed;

	memset(&step_totals, 0, sizeof step_totals);
	cpus = runner_cpus();
	for (unsigned w = 0; w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++) {
			if (!(step_scripts[s].worlds >> w & 1) || left_out(first, w, s) ||
			    (!full && step_scripts[s].worlds & STEP_LONG) ||
			    (crowds && step_scripts[s].worlds & STEP_ALONE) ||
			    (s != only && only != STEP_ALL_SCRIPTS))
				continue;
			for (uint64_t i = 0; i < crowds && !stop(); i++)
				go(step_mix(&seed), w, s, STEP_CROWD, i % STEP_PROGRAMS, 1);
			if (crowds == 0)
				sweep_moves(step_mix(&seed), w, s, full);
		}
}

#define TOO_LONG (STEP_LONG | STEP_ALONE)	/* for a sample */

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

		if (step_scripts[s].worlds >> w & 1 && !(step_scripts[s].worlds & TOO_LONG))
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

		if (step_scripts[s].worlds >> w & 1 && !(step_scripts[s].worlds & TOO_LONG))
			go(step_mix(&seed), w, s, (enum step_mode)m, 0, at[m]);
	}
	step_moves_most = UINT64_MAX;
}
