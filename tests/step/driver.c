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
#include <labyrinth/panic.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "../test.h"
#include "places.h"

#define FRESH_VISITS  20000u	/* in one call: then it must come to its end */
#define SERIES_VISITS 512u	/* in one call: a series, too, must abate */
#define STEPS_MAX     8000000u	/* of one call, visits included */
#define CROWD_ONE_OF  4u	/* boundaries at which the thread may leave, in a crowd */
#define TURN_EVERY    16u	/* boundaries between turns of a crowd, on the average */
#define TURNS_MAX     2048u	/* in one call: then it must come to its end */
#define LET_GO        64u	/* boundaries, at most, of who goes on where it was */
#define NEST_EVERY    61u	/* boundaries between nested visits, on the average */
#define INNER_EVERY   23u	/* and of the inner ones among the visitor's boundaries */
#define INNER_VISITS  64u	/* at most, during one visit */

struct step_totals step_totals;
uint64_t step_moves_most = UINT64_MAX;
owner_t step_owner[STEP_OWNERS];

static struct step_run run;
static uint64_t thread_random;
static bool failed;

/* What is under way at each depth: the script's call, and the visitor's own calls. */
static uint64_t since;			/* of a pair: boundaries since the first came in, and one */
static struct level {
	bool stepping;
	uintptr_t last;			/* the instruction that was executed last */
	uint64_t steps, inside;		/* boundaries of this call; those of the run inside mm/ */
	uint64_t visits, total;		/* in this call, in this run */
	uint64_t next, gap;		/* of a storm */
	uint64_t turns;			/* of a crowd, in this call */
	uint64_t random;
} level[STEP_DEPTHS];
static unsigned depth;			/* whose boundaries come now */
static unsigned here;			/* the CPU that the thread runs on */
static enum step_program program;	/* of the visit that begins */
static uintptr_t visited;		/* where the last one came in */
static uint64_t visited_number;
static unsigned losses;			/* of compare-and-swaps, still to come in this run */
#define UNKNOWN (1 << 20)		/* frames */

/* --- random numbers: each run's from its own seven numbers */

uint64_t step_random(uint64_t below)
{
	return step_mix(&thread_random) % below;
}

/* --- violations */

void step_where(char *line, size_t size)
{
	char place[96];

	runner_place_name(place, sizeof place, visited);
	ksnprintf(line, size, "script=%s world=%s cpus=%u mode=%s program=%s at=%llu seed=%llu: "
		  "%llu visits, the last at boundary %llu, before %s",
		  step_scripts[run.script].name, step_world_names[run.world], run.cpus,
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
	places_print();
}

bool step_failed(void) { return failed; }

static bool is_pair(enum step_mode m) { return m == STEP_PAIR || m == STEP_LOST; }

/* Is all that is to come in one call? */
static bool is_one_call(void)
{
	return run.mode == STEP_ONCE || is_pair(run.mode) || run.mode == STEP_MOVED;
}

bool step_only_visit(void)
{
	return is_one_call() && !(is_pair(run.mode) && STEP_SECOND(run.at) == STEP_EACH);
}

unsigned step_cpus(void) { return run.cpus; }

/* --- the traps */

/* Does the thread itself go to another CPU, where a visitor would come in? */
static bool moves(enum step_mode m) { return m >= STEP_MOVED && m < STEP_MODES; }

/* A program that has not come in behind this instruction in this run, if one is left. */
static bool is_fresh(size_t behind, unsigned programs)
{
	unsigned been = places_been(behind);

	if (been >= programs)
		return false;
	program = (enum step_program)((run.program + been) % STEP_PROGRAMS);
	return true;
}

/* The second of two visits, or the first: which, tells @since, the boundaries behind the first. */
static bool due_of_pair(const struct level *v)
{
	if (since)
		return since++ == STEP_SECOND(run.at);
	since = v->inside == STEP_FIRST(run.at);
	return since;
}

/* Does a visitor come in now?  Then @program is what he will do. */
static bool due(struct level *v, size_t behind)
{
	if (moves(run.mode) && step_totals.moves >= step_moves_most)
		return false;
	switch (run.mode) {
	case STEP_ONCE:
	case STEP_MOVED:
		program = run.program;
		return v == &level[0] && v->inside == run.at;
	case STEP_PAIR:
		program = (enum step_program)((run.program + (since != 0)) % STEP_PROGRAMS);
		return due_of_pair(v);
	case STEP_LOST:
		program = run.program;
		if (since && STEP_SECOND(run.at) == STEP_EACH)
			return is_fresh(behind, 1);
		return since && since++ == STEP_SECOND(run.at);
	case STEP_SERIES:
		program = run.program;
		return v->visits < SERIES_VISITS && v->inside % STEP_SERIES_GAP == run.at;
	case STEP_FRESH:
	case STEP_WANDER:
	case STEP_CROWD:
		if (run.mode == STEP_CROWD && step_mix(&v->random) % CROWD_ONE_OF)
			return false;
		return v->visits < FRESH_VISITS && is_fresh(behind, (unsigned)run.at);
	case STEP_STORM:
	case STEP_ROAM:
		if (v->steps < v->next)
			return false;
		v->gap <<= v->visits % run.at == run.at - 1;
		v->next = v->steps + v->gap;
		program = (enum step_program)(step_mix(&v->random) % STEP_PROGRAMS);
		return true;
	case STEP_NESTED:
		if (v != &level[0] && v->visits < INNER_VISITS && is_fresh(behind, 1))
			return true;
		program = (enum step_program)(step_mix(&v->random) % STEP_PROGRAMS);
		return v == &level[0]
			? v->total < run.at && step_mix(&v->random) % NEST_EVERY == 0
			: v->visits < INNER_VISITS && step_mix(&v->random) % INNER_EVERY == 0;
	default:
		return false;
	}
}

/* Is the visitor interrupted, too? */
static bool steps_visits(void) { return run.mode == STEP_NESTED || run.mode == STEP_PAIR; }

static void visit(void)
{
	unsigned d = depth++;

	if (depth < STEP_DEPTHS)
		level[depth] = (struct level){ .random = step_mix(&level[d].random), .gap = 1 };
	if (steps_visits() && d == 0) {
		level[depth].stepping = true;
		runner_flag(true);
		traveller_visit(d, program, &level[d].random);
		runner_flag(false);
	} else {
		traveller_visit(d, program, &level[d].random);
	}
	depth = d;
}

/* It is interrupted before @pc. */
static void note_visit(struct level *v, uintptr_t pc)
{
	v->visits++;
	v->total++;
	visited = pc;
	visited_number = v->inside;
	places_noted(pc, program, depth);
	step_totals.visits++;
	step_totals.nested += depth;
}

/* STEP_LOST, by the program's number: so often, how, and whether behind and not before. */
static const struct { unsigned losses; enum step_rival how; bool behind; } rival[STEP_PROGRAMS] = {
	{ 1, STEP_PASSES, false }, { 2, STEP_PASSES, false }, { 4, STEP_PASSES, false },
	{ 16, STEP_PASSES, false }, { 1, STEP_TAKES, false }, { 16, STEP_TAKES, false },
	{ 1, STEP_PASSES, true }, { 16, STEP_OPENS, true },
};

/* Somebody who makes a compare-and-swap fail: the one meant, and those that follow. */
static void outrun(struct level *v, uintptr_t pc)
{
	static struct step_cas before;
	const bool behind = rival[run.program].behind;
	struct step_cas cas = behind ? before : places_cas(pc);

	if (behind)
		before = places_cas(pc);
	if (!cas.word || !losses || failed || !(since || v->inside == STEP_FIRST(run.at) + behind))
		return;
	losses--;
	note_visit(v, pc);
	if (!since)
		since = 1;
	depth++;
	traveller_outrun(&cas, rival[run.program].how, &v->random);
	depth--;
}

unsigned step_lost(void)
{
	return run.mode == STEP_LOST ? rival[run.program].losses - losses : 0;
}

static void come_in(void)
{
	if (steps_visits() && depth == 0)
		runner_nested(visit);
	else
		visit();
}

/*
 * The thread is between two instructions, and may sleep.  Whoever runs on the CPU that it
 * leaves, and then on the one that it comes to, finds that CPU's own part of mm/ as the thread
 * left it, or as it is to find it: so the thread itself can do there what they would.
 */
void step_away(void)
{
	struct level *v = &level[0];
	unsigned next = (here + 1 + (unsigned)(step_mix(&v->random) % (run.cpus - 1))) % run.cpus;

	step_totals.moves++;
	if (run.mode == STEP_CROWD) {
		runner_move(next);
		runner_let_others(here, step_mix(&v->random) % LET_GO);
	} else {
		visit();
		runner_move(next);
		program = (enum step_program)(step_mix(&v->random) % STEP_PROGRAMS);
		visit();
	}
	here = next;
}

/* Behind the only visit, or the second, there is nothing to be seen but the end. */
static bool was_last(const struct level *v)
{
	return (run.mode == STEP_ONCE && v->inside > run.at) ||
	       (since && STEP_SECOND(run.at) && since > STEP_SECOND(run.at));
}

/* The crowd gets on, if chance wants it, and so often in a call at most. */
static void give_turn(struct level *v)
{
	if (v->turns == TURNS_MAX || step_mix(&v->random) % TURN_EVERY)
		return;
	v->turns++;
	step_totals.turns++;
	runner_turn();
}

enum step_answer step_trap(uintptr_t pc)
{
	enum step_answer answer = STEP_MORE;
	struct level *v = &level[depth];
	size_t before, behind;
	bool in = runner_in_mm(pc, &before), was = runner_in_mm(v->last, &behind);

	step_totals.steps++;
	if (++v->steps > STEPS_MAX) {
		step_violation("I10", "a call does not come to its end");
		panic("the step gate cannot go on behind a call without an end");
	}
	if ((in || was) && v->stepping) {
		if (!was)
			behind = STEP_TEXT_MAX;
		if (run.mode == STEP_LOST && v == &level[0])
			outrun(v, pc);
		if (!failed && due(v, behind)) {
			note_visit(v, pc);
			places_visited(behind, program, moves(run.mode));
			if (moves(run.mode))
				answer = STEP_AWAY;
			else
				come_in();
		} else if (run.mode == STEP_NEVER || (since && STEP_SECOND(run.at) == 0)) {
			places_passed(behind, since ? since - 1 : v->inside, run.cpus > 1);
			if (in && run.mode == STEP_NEVER)
				places_before(pc, v->inside);
		} else if (run.mode == STEP_CROWD) {
			give_turn(v);
		}
		v->inside++;
	}
	v->last = pc;
	return was_last(v) ? STEP_ENOUGH : answer;
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

/* STEP_NEVER notes where each call begins; one visit steps only through the one it means. */
static bool worth_stepping(struct level *v)
{
	unsigned c = ncalls++;
	uint64_t at;

	if (run.mode == STEP_NEVER && c < CALLS_MAX)
		call_start[c] = v->inside;
	if (!is_one_call() || c >= CALLS_MAX)
		return !is_one_call();
	v->inside = call_start[c];
	at = is_pair(run.mode) ? STEP_FIRST(run.at) : run.at;
	return call_start[c] <= at && (c + 1 == counted || at < call_start[c + 1]);
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
	v->steps = v->next = v->turns = 0;
	v->gap = 1;
	places_call();
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
	if (run.mode != STEP_CROWD)
		mm_audit(audit_said);	/* at rest, after each interrupted call */
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

/* What every CPU keeps for itself goes back. */
void step_drain(void)
{
	for (here = run.cpus; here-- > 0;) {
		runner_move(here);
		page_drain();
	}
	here = 0;
}

static void run_script(unsigned script)
{
	bool crowd = run.mode == STEP_CROWD;

	if (crowd) {
		book_pooled += UNKNOWN;		/* the crowd keeps no book */
		runner_crowd(true, level[0].random);
	}
	step_scripts[script].run();
	if (crowd) {
		runner_crowd(false, 0);
		book_pooled -= UNKNOWN;
	}
}

uint64_t step_once(const struct step_run *r)
{
	struct step_place place;

	run = *r;
	/* The script's numbers do not depend on the visits. */
	thread_random = r->seed ^ (uint64_t)r->world << 56 ^ (uint64_t)r->script << 48;
	memset(level, 0, sizeof level);
	places_forget();
	/* A pair's first visitor does the same, with a second one or without. */
	level[0].random = thread_random ^ (uint64_t)r->mode << 40 ^ (uint64_t)r->program << 32 ^
			  (is_pair(r->mode) ? STEP_FIRST(r->at) : r->at);
	ncalls = 0;
	since = 0;
	losses = rival[r->program].losses;
	depth = 0;
	failed = false;
	visited = 0;
	here = 0;
	runner_move(0);
	if (!runner_world(&place) || !book_open((enum step_world_id)r->world, &place))
		return 0;
	mm_report_to(swallow);
	register_owners();
	traveller_prepare();
	book_settle();
	run_script(r->script);
	traveller_leave();
	step_drain();
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
	struct step_run count = *r;

	count.mode = STEP_NEVER;
	if (r->mode == STEP_ONCE || is_pair(r->mode) || r->mode == STEP_MOVED)
		step_once(&count);
	step_once(r);
}
