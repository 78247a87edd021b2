/* SPDX-License-Identifier: MIT */
/* The explorer's main: makes a machine, prepares a scenario, explores it, says what came out. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arch/console.h>
#include <arch/directmap.h>
#include <labyrinth/mm.h>
#include <labyrinth/panic.h>

#include "../../arch/explore/explore.h"
#include "../../mm/block.h"
#include "follow.h"
#include "random.h"
#include "scenario.h"
#include "scenarios.h"

/* --- what the kernel would bring */

void console_write(const char *s, size_t n) { fwrite(s, 1, n, stdout); }

_Noreturn void panic(const char *fmt, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	explore_fail("panic: %s", line);
}

_Noreturn void panic_at(const char *file, int line, const char *what)
{
	panic("%s:%d: %s does not hold", file, line, what);
}

/* --- preparing */

#define FRAMES_REST 8192u

static const struct scenario *current;
static struct { uint32_t frame; unsigned order; } rest[FRAMES_REST];
static size_t nrest;
static struct zone_stats whole;

#define SCENARIO_ENTRY(s) &s,
static const struct scenario *const scenario_all[] = { SCENARIOS(SCENARIO_ENTRY) };

static void no_report(const char *line) { (void)line; }

static uint32_t rest_awake[64];		/* areas that hold_all_awake() took */
static unsigned nrest_awake;
static uint32_t fresh_group;		/* and a group of another, or 0 */

static int init(struct memmap *map, const struct scenario *s, uint32_t extra)
{
	uint64_t end = ((uint64_t)s->first + s->areas * 512) << PAGE_SHIFT, gap = 1u << 21;

	memmap_init(map);
	memmap_add(map, (uint64_t)s->first << PAGE_SHIFT, end, MEM_USABLE);
	memmap_add(map, end + gap, end + gap + ((uint64_t)extra << PAGE_SHIFT), MEM_USABLE);
	explore_machine_init();
	return mm_init(map, s->program.cpus);
}

/* Memory whose metadata lies elsewhere, so that all areas are whole. */
static void make_machine(const struct scenario *s)
{
	static struct memmap map;
	uint32_t extra = 1;

	/* As large a piece as the metadata needs is all used up by it. */
	while (init(&map, s, extra) != 0 || mm.metadata_bytes > (uint64_t)extra << PAGE_SHIFT)
		extra = mm.metadata_bytes >> PAGE_SHIFT > extra
			? (uint32_t)(mm.metadata_bytes >> PAGE_SHIFT) : extra + 1;
	mm_report_to(no_report);
	history_owner = owner_register("ariadne");
	zone_stats(zone_id(mm.hot_zone), &whole);
}

void hold_all(unsigned order)
{
	for (;;) {
		void *page = allocpages_walk(GFP_ATOMIC, order, OWNER_KERNEL, NULL);

		if (!page && order-- == 0)
			break;
		if (page && nrest < FRAMES_REST)
			rest[nrest].frame = page_to_frame(page).n, rest[nrest++].order = order;
	}
	page_drain();
}

void hold_all_awake(void)
{
	/* The walk of the tree alone wakes nothing. */
	for (uint32_t f; tree_take(&mm.hot_zone->tree, 9, &f);) {
		zone_count(mm.hot_zone, -512);
		rest_awake[nrest_awake++] = mm.hot_zone->tree.base + f;
	}
}

void hold_fresh_group(void)
{
	uint32_t group;
	uint64_t bits;

	if (!zone_wake_group(mm.hot_zone, &group, &bits) || bits != UINT64_MAX)
		explore_fail("there is no group that sleeps");
	zone_count(mm.hot_zone, -64);
	fresh_group = mm.hot_zone->tree.base + (group << GROUP_ORDER);
}

void let(uint32_t frame, unsigned order)
{
	for (size_t i = 0; i < nrest; i++)
		if (rest[i].frame - frame < 1u << order) {
			freepages(frame_to_page((frame_t){ rest[i].frame }), rest[i].order,
				  OWNER_KERNEL);
			rest[i--] = rest[--nrest];
		}
	page_drain();
}

static struct { uint32_t frame; unsigned order; } taken[64];
static unsigned ntaken;

void take_is_done(uint32_t frame, unsigned order)
{
	if (ntaken == sizeof taken / sizeof *taken)
		explore_fail("the scenario holds too many blocks from the start");
	taken[ntaken].frame = frame;
	taken[ntaken++].order = order;
}

void take_for(uint32_t frame, unsigned order)
{
	uint32_t f;

	let(frame, order);
	if (!zone_take(mm.hot_zone, order, &f) || f != frame)
		explore_fail("0x%x of order %u is not what was left", frame, order);
	page_drain();
	take_is_done(frame, order);
}

void let_one_frame(uint32_t frame, unsigned order)
{
	uint32_t f;

	let(frame, order);
	while (order-- > 0) {
		if (!zone_take(mm.hot_zone, order, &f))
			explore_fail("there is no half of what was left");
		take_is_done(f, order);
	}
	page_drain();
}

void promise_less(unsigned order)
{
	uint32_t f;

	if (zone_take(mm.hot_zone, order, &f))
		explore_fail("there is a block of order %u", order);
}

void make_home(unsigned cpu, unsigned order)
{
	uint32_t f;

	explore_as(cpu);
	if (!zone_take(mm.hot_zone, order, &f))
		explore_fail("nothing to make a home of");
	zone_give(mm.hot_zone, f, order);
	explore_as(0);
}

static void prepare(const struct scenario *s)
{
	current = s;
	words_exact = s->exact;
	nrest = ntaken = nrest_awake = fresh_group = 0;
	make_machine(s);
	s->setup();
	words_begin();
	history_begin(s->first + s->areas * 512, s->strict, s->lenient);
	for (unsigned i = 0; i < ntaken; i++)
		history_holds(taken[i].frame, taken[i].order);
}

/* --- the end of every schedule */

#define OWNERS_AT_MOST 4	/* the kernel, the history's, and one that a scenario adds */

static void audit_finding(const char *what) { explore_fail("audit: %s", what); }

/* What the zones have counted as lost is charged to owners once, and no more (mm/retry.h). */
static void retries_add_up(void)
{
	struct mm_stats all;
	uint64_t charged = 0;

	for (uint8_t id = OWNER_KERNEL.id; id < OWNER_KERNEL.id + OWNERS_AT_MOST; id++) {
		struct owner_stats s;

		owner_stats((owner_t){ id }, &s);
		charged += s.retries;
	}
	mm_stats(&all);
	if (all.retries != charged)
		explore_fail("I3: %llu retries were counted, and %llu charged",
			     (unsigned long long)all.retries, (unsigned long long)charged);
}

static void at_end(void)
{
	struct zone_stats now;

	if (current->also)
		current->also();
	if (!current->no_history)
		history_check();
	/* Before a frame that is held and in a cache too goes back to where it is already. */
	if (history_owned() && nrest_awake == 0)
		mm_audit(audit_finding);
	history_give_back();
	for (unsigned c = 0; c < current->program.cpus; c++) {
		explore_as(c);
		page_drain();
	}
	retries_add_up();
	for (unsigned i = 0; i < nrest_awake; i++)
		zone_give(mm.hot_zone, rest_awake[i], 9);
	for (uint32_t f = fresh_group; fresh_group && f < fresh_group + 64; f += 32)
		zone_give_half(mm.hot_zone, f, UINT32_MAX);
	page_drain();
	mm_audit(audit_finding);
	for (size_t i = 0; nrest <= 32 && i < nrest; i++)
		freepages(frame_to_page((frame_t){ rest[i].frame }), rest[i].order, OWNER_KERNEL);
	page_drain();
	zone_stats(zone_id(mm.hot_zone), &now);
	if (nrest <= 32 && memcmp(now.blocks, whole.blocks, sizeof now.blocks) != 0)
		explore_fail("I8: all is given back, and not all is whole");
}

/* --- running */

#define SHORT_RUN 100000u	/* states a scenario, for make test */

static struct explore_program program_of(const struct scenario *s)
{
	struct explore_program p = s->program;

	p.end = at_end;
	return p;
}

static struct { unsigned complete, failed; double start; } tally;

#define MANY 10u	/* scenarios: of so many, a fifth takes all of its seconds */

static void print_heading(unsigned scenarios, double seconds)
{
	tally.start = explore_seconds();
	if (seconds > 0 && scenarios < MANY)
		printf("Up to %g s a scenario.\n", seconds);
	else if (seconds > 0)
		printf("%u scenarios, up to %g s each, which about a fifth takes: some %.0f min.\n",
		       scenarios, seconds, seconds * scenarios / 5 / 60 + 0.5);
	printf("A switch: a CPU stops where it could go on, or its interrupt comes (CPUs: a !).\n\n"
	       "%-12s %4s %9s %10s %10s  %s\n", "scenario", "CPUs", "states", "steps", "schedules",
	       "all schedules");
	fflush(stdout);
}

static int print_verdict(unsigned scenarios)
{
	printf("\n%u scenario%s in %.0f s: %u failed; all schedules of %u were followed\n%s\n",
	       scenarios, scenarios == 1 ? "" : "s", explore_seconds() - tally.start, tally.failed,
	       tally.complete, tally.failed ? "FAILURE" : "SUCCESS");
	return tally.failed != 0;
}

static void run(const struct scenario *s, struct explore_limits l, const char *self)
{
	struct explore_result r;
	char all[48] = "complete";
	bool irq = false;

	prepare(s);
	struct explore_program p = program_of(s);
	unsigned switches = follow(&p, &l, &r);
	if (r.failed) {
		printf("%-12s FAILED: %s\n  again, operation by operation:\n  %s %s --replay %s\n",
		       s->name, r.why, self, s->name, r.schedule);
		tally.failed++;
		return;
	}
	tally.complete += switches == ANY_SWITCHES;
	if (switches == NOT_ALL)
		snprintf(all, sizeof all, "no; %u random", RANDOM_RUNS);
	else if (switches != ANY_SWITCHES)
		snprintf(all, sizeof all, "up to %u switch%s, %u random", switches,
			 switches > 1 ? "es" : "", RANDOM_RUNS);
	for (unsigned c = 0; c < s->program.cpus; c++)
		irq |= s->program.irq[c] != NULL;
	printf("%-12s %3u%c %9llu %10llu %10.2g  %s\n", s->name, s->program.cpus, irq ? '!' : ' ',
	       (unsigned long long)r.states, (unsigned long long)r.steps, r.schedules, all);
	fflush(stdout);
}

static int replay(const struct scenario *s, const char *schedule)
{
	struct explore_program p = program_of(s);
	struct explore_result r;

	prepare(s);
	if (!explore_replay(&p, schedule, &r)) {
		printf("a bad schedule: %s\n", r.why);
		return 2;
	}
	printf("%s\n", r.failed ? r.why : "nothing failed");
	return r.failed;
}

#define SCHEDULES   50u		/* of a random program; */
#define STEPPING    20u		/* schedules in step; */
#define SMALL_RUN 3000u		/* and states, if it is small */

static void print_failure(const struct explore_result *r, uint64_t seed, const char *self)
{
	printf("FAILED: %s\nthe random program of seed %llu:\n", r->why, (unsigned long long)seed);
	random_print();
	printf("again, operation by operation:\n  %s --random 1 --seed %llu --replay %s\n", self,
	       (unsigned long long)seed, r->schedule);
}

/* Return: did it hold?  If not, @r tells; else @sum has what it adds to. */
static bool run_program(uint64_t seed, struct explore_result *r, struct explore_result *sum)
{
	const struct explore_limits l = { .alone = true }, in_step = { .in_step = true },
				    few = { .states = SMALL_RUN };
	const struct scenario *s = random_program(seed);
	struct explore_program p = program_of(s);
	uint64_t order = seed * 0x9e3779b97f4a7c15u;

	prepare(s);
	explore_random(&p, &l, SCHEDULES, order, r);
	sum->steps += r->steps;
	sum->alone = r->alone > sum->alone ? r->alone : sum->alone;
	if (!r->failed) {
		explore_random(&p, &in_step, STEPPING, order, r);
		sum->steps += r->steps;
		sum->none_ends = r->none_ends > sum->none_ends ? r->none_ends : sum->none_ends;
	}
	if (!r->failed && random_is_small()) {
		explore_all(&p, &few, r);
		sum->steps += r->steps;
		sum->ends += r->complete;
	}
	return !r->failed;
}

/* @n programs, of @seed and those after it. */
static int run_random(uint64_t n, uint64_t seed, const char *self)
{
	struct explore_result r, sum = { .failed = false };

	for (uint64_t last = seed + n; seed != last; seed++)
		if (!run_program(seed, &r, &sum))
			return print_failure(&r, seed, self), 1;
	printf("%llu random programs, %u schedules each, all of %llu; %llu steps; a CPU alone "
	       "made at most\n%u in a call, CPUs in step together %u until one ended\n",
	       (unsigned long long)n, SCHEDULES + STEPPING, (unsigned long long)sum.ends,
	       (unsigned long long)sum.steps, sum.alone, sum.none_ends);
	return 0;
}

static const char usage[] =
	"usage: explore [--short | --seconds N] [--progress] [--until-failure] [SCENARIO...]\n"
	"       explore --list\n"
	"       explore SCENARIO --replay SCHEDULE\n"
	"       explore --random N [--seed S] [--replay SCHEDULE]\n"
	"Runs the allocator under all schedules of its atomic operations, scenario by scenario:\n"
	"--seconds N each (60: 20 minutes in all), or --short; or N random programs under\n"
	"random schedules.\n"
	"Ends with 0 when nothing failed, with 1 when something did, with 2 for wrong words.\n";

static const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; i < sizeof scenario_all / sizeof *scenario_all; i++)
		if (!strcmp(name, scenario_all[i]->name))
			return scenario_all[i];
	if (!strcmp(name, planted_round.name))
		return &planted_round;
	fprintf(stderr, "explore: no scenario is called '%s'; see --list\n%s", name, usage);
	exit(2);
}

static void list(void)
{
	for (size_t i = 0; i < sizeof scenario_all / sizeof *scenario_all; i++)
		printf("%-12s %s\n", scenario_all[i]->name, scenario_all[i]->what);
}

static _Noreturn void bad_number(const char *option, const char *text, const char *wanted)
{
	fprintf(stderr, "explore: %s %s: %s is wanted\n", option, text, wanted);
	exit(2);
}

static uint64_t count_in(const char *option, const char *text, uint64_t least)
{
	char *end;

	errno = 0;
	uint64_t n = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end || errno || n < least)
		bad_number(option, text, least ? "a whole number from 1 on" : "a whole number");
	return n;
}

static double seconds_in(const char *option, const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (text[strspn(text, "0123456789.")] || end == text || *end || !(n > 0 && n < 1e9))
		bad_number(option, text, "a positive number of seconds");
	return n;
}

int main(int argc, char **argv)
{
	struct explore_limits l = { .seconds = 60 };
	const struct scenario *chosen[sizeof scenario_all / sizeof *scenario_all];
	unsigned n = 0, enough = UINT_MAX;
	const char *schedule = NULL;
	uint64_t programs = 0, seed = 1;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--replay") && i + 1 < argc)
			schedule = argv[++i];
		else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
			l.seconds = seconds_in("--seconds", argv[++i]);
		else if (!strcmp(argv[i], "--random") && i + 1 < argc)
			programs = count_in("--random", argv[++i], 1);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = count_in("--seed", argv[++i], 0);
		else if (!strcmp(argv[i], "--short"))
			l.seconds = 0, l.states = SHORT_RUN;
		else if (!strcmp(argv[i], "--progress"))
			l.progress = true;
		else if (!strcmp(argv[i], "--until-failure"))
			enough = 1;
		else if (!strcmp(argv[i], "--list"))
			return list(), 0;
		else if (argv[i][0] == '-' || n == sizeof chosen / sizeof *chosen)
			return fputs(usage, stderr), 2;
		else
			chosen[n++] = scenario_named(argv[i]);
	}
	if (programs && n == 0 && schedule)
		return replay(random_program(seed), schedule);
	if (programs && n == 0)
		return run_random(programs, seed, argv[0]);
	if (schedule && n == 1)
		return replay(chosen[0], schedule);
	if (schedule)
		return fputs(usage, stderr), 2;
	if (n == 0)
		for (; n < sizeof chosen / sizeof *chosen; n++)
			chosen[n] = scenario_all[n];
	print_heading(n, l.seconds);
	unsigned tried = 0;
	while (tried < n && tally.failed < enough)
		run(chosen[tried++], l, argv[0]);
	return print_verdict(tried);
}
