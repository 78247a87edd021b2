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

const char *const step_program_names[STEP_PROGRAMS] = {
	"atf", "aft", "taf", "tfa", "fat", "fta", "batch", "hands",
};
const char *const step_mode_names[STEP_MODES] = {
	"never", "once", "fresh", "storm", "nested", "pair",
	"moved", "series", "wander", "roam", "crowd",
};

static struct step_run run;
static void print_visits(void);
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

/* The last visits of the call: what a violation is explained by. */
#define UNKNOWN (1 << 20)	/* frames */
#define LOG 24u
static struct { uintptr_t pc; enum step_program program; unsigned depth; } visits[LOG];
static unsigned nvisits;

/* --- random numbers: each run's from its own seven numbers */

uint64_t step_mix(uint64_t *state)
{
	/* splitmix64, as in tests/runner.c */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

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
	print_visits();
}

bool step_failed(void) { return failed; }

bool step_only_visit(void)
{
	return run.mode == STEP_ONCE || run.mode == STEP_PAIR || run.mode == STEP_MOVED;
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

/* It is interrupted before @pc and behind the instruction at @behind. */
static void note_place(struct level *v, uintptr_t pc, size_t behind)
{
	v->visits++;
	v->total++;
	visited = pc;
	visited_number = v->inside;
	note_visit(pc);
	places_visited(behind, program, moves(run.mode));
	step_totals.visits++;
	step_totals.nested += depth;
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
	       (run.mode == STEP_PAIR && STEP_SECOND(run.at) && since > STEP_SECOND(run.at));
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
		if (!failed && due(v, behind)) {
			note_place(v, pc, behind);
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
	if (!step_only_visit() || c >= CALLS_MAX)
		return !step_only_visit();
	v->inside = call_start[c];
	at = run.mode == STEP_PAIR ? STEP_FIRST(run.at) : run.at;
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
			  (r->mode == STEP_PAIR ? STEP_FIRST(r->at) : r->at);
	ncalls = 0;
	since = 0;
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
	if (r->mode == STEP_ONCE || r->mode == STEP_PAIR || r->mode == STEP_MOVED)
		step_once(&count);
	step_once(r);
}
