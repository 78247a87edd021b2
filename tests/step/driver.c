/* SPDX-License-Identifier: MIT */
/*
 * The plan of the step gate: runs, and at which boundaries the traveller comes in.
 *
 * The boundaries are those before and behind each instruction of mm/.  Somebody
 * who changed the same word at every one would keep a compare-and-swap loop of the
 * interrupted call going for ever (it is lock-free, not wait-free), so a storm
 * abates: the gaps double until the call can end.
 */
#include "step.h"

#include <stdarg.h>

#include <arch/console.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "../test.h"

#define FRESH_VISITS  20000u	/* in one call: then it must come to its end */
#define STEPS_MAX     8000000u	/* of one call, visits included */
#define NEST_EVERY    61u	/* boundaries between nested visits, on the average */
#define INNER_EVERY   23u	/* and of the inner ones among the visitor's boundaries */
#define INNER_VISITS  64u	/* at most, during one visit */
#define SWEPT         2u	/* the first scripts, of the hot path: always one by one */
#define SWEEP_ALL     220u	/* boundaries of a script for which each program is tried at each */
#define SWEEP_SOME    300u	/* else at most so many of them for each program, */
#define SWEEP_STEPS   400000u	/* fewer where the way there is long */

struct step_totals step_totals;
uint8_t step_cover[STEP_TEXT_MAX];
static uint8_t been[STEP_TEXT_MAX];	/* visits behind each instruction, in this run */
owner_t step_owner[STEP_OWNERS];

const char *const step_program_names[STEP_PROGRAMS] = {
	"atf", "aft", "taf", "tfa", "fat", "fta", "batch", "hands",
};
const char *const step_mode_names[STEP_MODES] = { "never", "once", "fresh", "storm", "nested" };

static struct step_run run;
static void print_visits(void);
static uint64_t thread_random;
static bool failed;

/* What is under way at each depth: the script's call, and the visitor's own calls. */
static struct level {
	bool stepping;
	uintptr_t last;			/* the instruction that was executed last */
	uint64_t steps, inside;		/* boundaries of this call; those of the run inside mm/ */
	uint64_t visits, total;		/* in this call, in this run */
	uint64_t next, gap;		/* of a storm */
	uint64_t random;
} level[STEP_DEPTHS];
static unsigned depth;			/* whose boundaries come now */
static enum step_program program;	/* of the visit that begins */
static uintptr_t visited;		/* where the last one came in */
static uint64_t visited_number;

/* The last visits of the call: what a violation is explained by. */
#define LOG 24u
static struct { uintptr_t pc; enum step_program program; unsigned depth; } visits[LOG];
static unsigned nvisits;

/* --- random numbers: each run's from its own seven numbers */

static uint64_t mix(uint64_t *state)
{
	/* splitmix64, as in tests/runner.c */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t step_random(uint64_t below)
{
	return mix(&thread_random) % below;
}

/* --- violations */

void step_where(char *line, size_t size)
{
	char place[96];

	runner_place_name(place, sizeof place, visited);
	ksnprintf(line, size, "script=%s world=%s mode=%s program=%s at=%llu seed=%llu: "
		  "%llu visits, the last at boundary %llu, before %s",
		  step_scripts[run.script].name, step_world_names[run.world],
		  step_mode_names[run.mode], step_program_names[run.program],
		  (unsigned long long)run.at, (unsigned long long)run.seed,
		  (unsigned long long)level[0].visits, (unsigned long long)visited_number, place);
}

void step_violation(const char *rule, const char *fmt, ...)
{
	char what[160], where[256];
	va_list ap;

	if (failed)
		return;			/* what follows from the first says little */
	failed = true;
	step_totals.violations++;
	va_start(ap, fmt);
	kvsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	step_where(where, sizeof where);
	test_fail(__FILE__, __LINE__, what);
	test_note("STEP-FAIL %s %s", rule, where);
	print_visits();
}

bool step_failed(void) { return failed; }
bool step_only_visit(void) { return run.mode == STEP_ONCE; }

/* --- the traps */

/* A program that has not come in behind this instruction in this run, if one is left. */
static bool is_fresh(size_t behind, unsigned programs)
{
	if (behind >= STEP_TEXT_MAX || been[behind] >= programs)
		return false;
	program = (enum step_program)((run.program + been[behind]) % STEP_PROGRAMS);
	return true;
}

/* Does a visitor come in now?  Then @program is what he will do. */
static bool due(struct level *v, size_t behind)
{
	switch (run.mode) {
	case STEP_ONCE:
		program = run.program;
		return v == &level[0] && v->inside == run.at;
	case STEP_FRESH:
		return v->visits < FRESH_VISITS && is_fresh(behind, (unsigned)run.at);
	case STEP_STORM:
		if (v->steps < v->next)
			return false;
		v->gap <<= v->visits % run.at == run.at - 1;
		v->next = v->steps + v->gap;
		program = (enum step_program)(mix(&v->random) % STEP_PROGRAMS);
		return true;
	case STEP_NESTED:
		if (v != &level[0] && v->visits < INNER_VISITS && is_fresh(behind, 1))
			return true;
		program = (enum step_program)(mix(&v->random) % STEP_PROGRAMS);
		return v == &level[0]
			? v->total < run.at && mix(&v->random) % NEST_EVERY == 0
			: v->visits < INNER_VISITS && mix(&v->random) % INNER_EVERY == 0;
	default:
		return false;
	}
}

static void note_visit(uintptr_t pc)
{
	visits[nvisits % LOG].pc = pc;
	visits[nvisits % LOG].program = program;
	visits[nvisits++ % LOG].depth = depth;
}

static void print_visits(void)
{
	for (unsigned i = nvisits > LOG ? nvisits - LOG : 0; i < nvisits; i++) {
		char place[96];

		runner_place_name(place, sizeof place, visits[i % LOG].pc);
		test_note("%svisit %s before %s", visits[i % LOG].depth ? "  in it, " : "",
			  step_program_names[visits[i % LOG].program], place);
	}
}

static void visit(void)
{
	unsigned d = depth++;

	if (depth < STEP_DEPTHS)
		level[depth] = (struct level){ .random = mix(&level[d].random), .gap = 1 };
	if (run.mode == STEP_NESTED && d == 0) {
		level[depth].stepping = true;
		runner_flag(true);
		traveller_visit(d, program, &level[d].random);
		runner_flag(false);
	} else {
		traveller_visit(d, program, &level[d].random);
	}
	depth = d;
}

/* A visitor comes in, before @pc and behind the instruction at @behind. */
static void come_in(struct level *v, uintptr_t pc, size_t behind)
{
	v->visits++;
	v->total++;
	visited = pc;
	visited_number = v->inside;
	note_visit(pc);
	if (behind < STEP_TEXT_MAX) {
		step_cover[behind] |= (uint8_t)(1u << program);
		if (been[behind] < STEP_PROGRAMS)
			been[behind]++;
	}
	step_totals.visits++;
	step_totals.nested += depth;
	if (run.mode == STEP_NESTED && depth == 0)
		runner_nested(visit);
	else
		visit();
}

bool step_trap(uintptr_t pc)
{
	struct level *v = &level[depth];
	size_t before, behind;
	bool in = runner_in_mm(pc, &before), was = runner_in_mm(v->last, &behind);

	step_totals.steps++;
	if (++v->steps > STEPS_MAX)
		step_violation("I10", "a call does not come to its end");
	if ((in || was) && v->stepping) {
		if (!was)
			behind = STEP_TEXT_MAX;
		if (!failed && due(v, behind))
			come_in(v, pc, behind);
		v->inside++;
	}
	v->last = pc;
	/* Behind the one visit there is nothing to be seen but the end. */
	return run.mode != STEP_ONCE || v->inside <= run.at;
}

#define CALLS_MAX 1024u
static uint64_t call_start[CALLS_MAX];	/* boundaries before each call of a script */
static unsigned ncalls, counted;	/* calls in this run; in the run that counted */
static unsigned in_flight;

/* What the interrupted ones may have in their hands: see CAVEATS.md on I12. */
unsigned step_flight(void)
{
	return in_flight + 32 + (run.world == STEP_ASLEEP ? 512 : 0) + (depth > 1 ? 2048 : 0);
}

/* STEP_NEVER notes where each call begins; STEP_ONCE steps only through the one it means. */
static bool worth_stepping(struct level *v)
{
	unsigned c = ncalls++;

	if (run.mode == STEP_NEVER && c < CALLS_MAX)
		call_start[c] = v->inside;
	if (run.mode != STEP_ONCE || c >= CALLS_MAX)
		return run.mode != STEP_ONCE;
	v->inside = call_start[c];
	return call_start[c] <= run.at && (c + 1 == counted || run.at < call_start[c + 1]);
}

void step_begin(unsigned flight)
{
	struct level *v = &level[0];

	v->visits = 0;
	if (failed)
		return;
	if (!worth_stepping(v)) {
		book_watch();
		return;
	}
	in_flight = flight;
	v->steps = v->next = 0;
	v->gap = 1;
	nvisits = 0;
	v->last = 0;
	v->stepping = true;
	book_watch();
	runner_flag(true);
}

static void audit_said(const char *what)
{
	step_violation("audit", "%s", what);
}

void step_end(void)
{
	runner_flag(false);
	level[0].stepping = false;
	in_flight = 0;
	if (failed || level[0].visits == 0)
		return;
	step_totals.calls++;
	mm_audit(audit_said);		/* at rest, after each interrupted call */
}

/* --- one run */

static void swallow(const char *line) { (void)line; }

static void register_owners(void)
{
	static const char *const names[STEP_OWNERS] = {
		"ariadne", "daedalus", "theseus", "minos", "pasiphae", "icarus",
	};

	for (unsigned i = 0; i < STEP_OWNERS; i++)
		step_owner[i] = owner_register(names[i]);
}

static void check_owners(void)
{
	for (unsigned i = 0; i < STEP_OWNERS; i++) {
		struct owner_stats s;

		owner_stats(step_owner[i], &s);
		if (s.held != 0)
			step_violation("I7", "owner %u still counts %llu frames",
				       step_owner[i].id, (unsigned long long)s.held);
	}
}

uint64_t step_once(const struct step_run *r)
{
	struct step_place place;

	run = *r;
	/* The script's numbers do not depend on the visits. */
	thread_random = r->seed ^ (uint64_t)r->world << 56 ^ (uint64_t)r->script << 48;
	memset(level, 0, sizeof level);
	memset(been, 0, runner_text_size());
	level[0].random = thread_random ^ (uint64_t)r->mode << 40 ^ (uint64_t)r->program << 32 ^
			  r->at;
	ncalls = 0;
	depth = 0;
	failed = false;
	visited = 0;
	if (!runner_world(&place) || !book_open((enum step_world_id)r->world, &place))
		return 0;
	mm_report_to(swallow);
	register_owners();
	traveller_prepare();
	book_settle();
	step_scripts[r->script].run();
	traveller_leave();
	page_drain();
	if (!failed) {
		check_owners();
		book_check();
	}
	step_totals.runs++;
	if (r->mode == STEP_NEVER)
		counted = ncalls;
	return level[0].inside;
}

void step_again(const struct step_run *r)
{
	struct step_run count = { r->seed, r->world, r->script, STEP_NEVER, r->program, 0 };

	if (r->mode == STEP_ONCE)
		step_once(&count);
	step_once(r);
}

/* --- many runs */

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
}

static bool stop(void) { return failed || step_totals.violations != 0; }

static uint64_t go(uint64_t seed, unsigned world, unsigned script, enum step_mode mode,
		   uint64_t p, uint64_t where)
{
	struct step_run r = { seed, world, script, mode, (enum step_program)p, where };

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
		uint64_t start = stride > 1 ? mix(&seed) % stride : 0;

		for (uint64_t k = start; k < n && !stop(); k += stride)
			go(seed, world, script, STEP_ONCE,
			   programs == 1 ? k % STEP_PROGRAMS : p, k);
	}
}

static void sweep_script(uint64_t seed, unsigned w, unsigned s, bool full)
{
	if (full || s < SWEPT)
		sweep_one_by_one(seed, w, s, full ? STEP_PROGRAMS : 1);
	go(seed, w, s, STEP_FRESH, (seed + s) % STEP_PROGRAMS,
	   full ? STEP_PROGRAMS : 1);
	go(seed, w, s, STEP_STORM, 0, full ? 48 : 6);
	go(seed, w, s, STEP_NESTED, (seed + s) % STEP_PROGRAMS, full ? 200 : 20);
}

/* Shortly: of the two small worlds, one for each script. */
static bool left_out(uint64_t seed, unsigned w, unsigned s)
{
	const unsigned both = 1u << STEP_ONE | 1u << STEP_THREE;

	return s >= SWEPT && both >> w & 1 && (step_scripts[s].worlds & both) == both &&
	       (seed + s + w) % 2;
}

static void sweep_round(uint64_t seed, bool full)
{
	for (unsigned w = 0; w < STEP_WORLDS; w++)
		for (unsigned s = 0; s < step_script_count; s++)
			if (step_scripts[s].worlds >> w & 1 && (full || !left_out(seed, w, s)))
				sweep_script(seed, w, s, full);
}

void step_sweep(uint64_t seed, uint64_t steps, bool full)
{
	memset(&step_totals, 0, sizeof step_totals);
	do {
		sweep_round(mix(&seed), full);
	} while (step_totals.steps < steps && !stop());
}

void step_sample(uint64_t seed, uint64_t steps)
{
	static const uint64_t at[STEP_MODES] = { [STEP_FRESH] = 1, [STEP_STORM] = 3,
						 [STEP_NESTED] = 5 };

	memset(&step_totals, 0, sizeof step_totals);
	/* Every boundary of the hot path, then whatever comes. */
	sweep_one_by_one(seed, STEP_ONE, 0, 1);
	while (step_totals.steps < steps && !stop()) {
		unsigned w = (unsigned)(mix(&seed) % STEP_WORLDS);
		unsigned s = (unsigned)(mix(&seed) % step_script_count);
		unsigned m = STEP_FRESH + (unsigned)(mix(&seed) % (STEP_MODES - STEP_FRESH));

		if (step_scripts[s].worlds >> w & 1)
			go(mix(&seed), w, s, (enum step_mode)m,
			   (unsigned)(mix(&seed) % STEP_PROGRAMS), at[m]);
	}
}
