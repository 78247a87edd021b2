/* SPDX-License-Identifier: MIT */
/* Which schedules: all of them (E2), random ones, or a given one. */
#include "engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- states seen before, and how many schedules lead on from each */

struct seen { uint64_t hash; double schedules; };

static struct seen *table;
static uint64_t table_size, table_used;

static void table_clear(void)
{
	free(table);
	table_size = 1u << 16;
	table_used = 0;
	table = calloc(table_size, sizeof *table);
}

static struct seen *table_find(uint64_t hash)
{
	uint64_t i = hash & (table_size - 1);

	while (table[i].hash && table[i].hash != hash)
		i = (i + 1) & (table_size - 1);
	return &table[i];
}

static void table_grow(void)
{
	struct seen *old = table;
	uint64_t n = table_size;

	table_size *= 2;
	table = calloc(table_size, sizeof *table);
	if (!table) {
		fprintf(stderr, "explore: no memory for %llu states\n",
			(unsigned long long)table_size);
		exit(2);
	}
	for (uint64_t i = 0; i < n; i++)
		if (old[i].hash)
			*table_find(old[i].hash) = old[i];
	free(old);
}

#define UNFINISHED (-1.0)

static void table_add(uint64_t hash)
{
	if (2 * table_used >= table_size)
		table_grow();
	*table_find(hash) = (struct seen){ hash, UNFINISHED };
	table_used++;
}

/* --- steps that can be taken back */

#define DEPTH_MAX 16000u
#define ALONE_MAX 500u		/* steps of one call, in a row */
#define NONE_ENDS_MAX 3000u	/* and of all together, while none ends; waking an area is long */

struct frame {
	uint64_t hash;
	uint32_t choices;	/* not tried yet */
	uint8_t choice;		/* the one being tried */
	uint8_t last;		/* the CPU that ran before, 8: none */
	uint16_t switches;
	uint16_t alone;		/* steps of the same CPU in the same call until here */
	uint16_t none_ends;	/* steps since a call has ended */
	double schedules;
	/* to take the choice back */
	struct cpu cpu;
	size_t mark, stack_bytes;
};

static struct frame frames[DEPTH_MAX + 1];
static unsigned char *saved;		/* stacks, the deepest last */
static size_t saved_n, saved_max;

static void save(struct frame *f, unsigned cpu)
{
	f->cpu = explore_cpu[cpu];
	f->mark = engine_mark();
	f->stack_bytes = (size_t)(engine_stack_top(cpu) - (unsigned char *)f->cpu.sp);
	if (saved_n + f->stack_bytes > saved_max) {
		saved_max = 2 * (saved_n + f->stack_bytes);
		saved = realloc(saved, saved_max);
		if (!saved)
			abort();
	}
	memcpy(saved + saved_n, f->cpu.sp, f->stack_bytes);
	saved_n += f->stack_bytes;
}

static void take_back(const struct frame *f)
{
	unsigned cpu = f->choice % 8;

	engine_undo(f->mark);
	saved_n -= f->stack_bytes;
	explore_cpu[cpu] = f->cpu;
	memcpy(f->cpu.sp, saved + saved_n, f->stack_bytes);
	explore_failure = NULL;
}

static bool is_switch(const struct frame *f, unsigned choice)
{
	return choice / 8 == 2 ||
	       (choice < 8 && f->last < 8 && choice != f->last && !explore_cpu[f->last].done);
}

static void advance(struct frame *f, unsigned choice, struct frame *next)
{
	f->choice = (uint8_t)choice;
	next->switches = (uint16_t)(f->switches + is_switch(f, choice));
	next->last = choice / 8 == 1 ? f->last : (uint8_t)(choice % 8);
	next->alone = choice == f->last && explore_cpu[choice % 8].addr ? (uint16_t)(f->alone + 1)
									 : 0;
	save(f, choice % 8);
	engine_step(choice);
	/* Before a call, or at the end: the one before has ended. */
	const struct cpu *c = &explore_cpu[choice % 8];
	next->none_ends = c->addr && !c->done ? (uint16_t)(f->none_ends + 1) : 0;
}

static void arrive(struct frame *f, const struct explore_limits *l)
{
	f->choices = engine_choices();
	f->schedules = 0;
	f->hash = engine_hash();
	if (l->switches) {
		f->hash = mix(f->hash, f->switches * 16u + f->last);
		for (unsigned c = 0; c < 24; c++)
			if (f->choices >> c & 1 &&
			    f->switches + (unsigned)is_switch(f, c) > l->switches)
				f->choices &= ~(1u << c);
	}
	f->hash |= f->hash == 0;
}

/* The lowest of the CPU that ran before, or else of all. */
static unsigned next_choice(const struct frame *f)
{
	if (f->last < 8 && f->choices >> f->last & 1)
		return f->last;
	return (unsigned)__builtin_ctz(f->choices);
}

/* --- schedules as text: a to d, that CPU goes on, and how often; A to D, its oldest store
 * leaves; w to z, its interrupt comes */

static const char letters[] = "abcd....ABCD....wxyz....";

static void write_schedule(unsigned depth, char *out, size_t size)
{
	size_t at = 0;

	for (unsigned i = 0; i < depth && at + 8 < size;) {
		unsigned n = 1;

		while (i + n < depth && frames[i + n].choice == frames[i].choice)
			n++;
		at += (size_t)snprintf(out + at, size - at, n > 1 ? "%c%u" : "%c",
				       letters[frames[i].choice], n);
		i += n;
	}
	out[at] = '\0';
}

static void failed(struct explore_result *r, unsigned depth)
{
	r->failed = true;
	snprintf(r->why, sizeof r->why, "%s", explore_failure);
	write_schedule(depth, r->schedule, sizeof r->schedule);
}

static void too_deep(struct explore_result *r, unsigned depth)
{
	explore_failure = "it goes on and on";
	failed(r, depth);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool enough(const struct explore_limits *l, const struct explore_result *r, double start,
		   unsigned depth)
{
	if (l->states && r->states >= l->states)
		return true;
	if (r->steps % 4096)
		return false;
	if (l->progress && r->steps % (1u << 22) == 0)
		fprintf(stderr, "  ... %llu states, depth %u\n", (unsigned long long)r->states,
			depth);
	return l->seconds > 0 && now() - start > l->seconds;
}

static bool is_endless(const struct frame *f)
{
	if (explore_failure || (f->alone <= ALONE_MAX && f->none_ends <= NONE_ENDS_MAX))
		return false;
	explore_failure = f->alone > ALONE_MAX ? "I10: a call does not end though nobody else runs"
					       : "I10: CPUs in step, and no call ends";
	return true;
}

/* What the step just taken led to.  Return: is there somewhere to go on from? */
static bool look(struct frame *f, const struct explore_limits *l, struct explore_result *r,
		 unsigned depth)
{
	if (explore_failure) {
		if (strcmp(explore_failure, NOT_FOLLOWED) == 0)
			r->cut = true;
		else
			failed(r, depth);
		return false;
	}
	if (is_endless(f)) {
		failed(r, depth);
		return false;
	}
	arrive(f, l);
	struct seen *s = table_find(f->hash);
	if (s->hash) {
		if (s->schedules == UNFINISHED) {
			explore_failure = "it comes back to where it was: no progress";
			failed(r, depth);
		}
		f->schedules = s->schedules;
		return false;
	}
	table_add(f->hash);
	r->states++;
	if (f->choices)
		return true;
	/* All is done, unless the switches are used up. */
	if (engine_choices() == 0) {
		r->ends++;
		f->schedules = 1;
		if (!engine_end())
			failed(r, depth);
	}
	table_find(f->hash)->schedules = f->schedules;
	return false;
}

void explore_all(const struct explore_program *p, const struct explore_limits *l,
		 struct explore_result *r)
{
	double start = now();
	unsigned depth = 0;

	*r = (struct explore_result){ .failed = false };
	table_clear();
	saved_n = 0;
	engine_start(p, l->lost, l->tries);
	frames[0].last = 8;
	frames[0].switches = 0;
	if (!look(&frames[0], l, r, 0))
		goto out;
	for (;;) {
		struct frame *f = &frames[depth], *next = f + 1;

		if (!f->choices) {
			table_find(f->hash)->schedules = f->schedules;
			r->schedules = f->schedules;
			if (depth == 0) {
				r->complete = true;
				break;
			}
			depth--;
			frames[depth].schedules += f->schedules;
			take_back(&frames[depth]);
			continue;
		}
		unsigned choice = next_choice(f);
		f->choices &= ~(1u << choice);
		advance(f, choice, next);
		next->schedules = 0;
		r->steps++;
		if (look(next, l, r, depth + 1)) {
			depth++;
			if (depth == DEPTH_MAX)
				too_deep(r, depth);
		} else if (!r->failed) {
			f->schedules += next->schedules;
			take_back(f);
		}
		if (r->failed || enough(l, r, start, depth))
			break;
	}
out:
	engine_stop();
}

/* --- random ones */

/* xorshift64*: Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003. */
static uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 0x2545f4914f6cdd1du >> 32) % n);
}

static unsigned random_choice(const struct frame *f, uint64_t *state)
{
	if (f->last < 8 && f->choices >> f->last & 1 && random_below(state, 8))
		return f->last;

	uint32_t m = f->choices;
	for (unsigned n = random_below(state, (uint32_t)__builtin_popcount(m)); n > 0; n--)
		m &= m - 1;
	return (unsigned)__builtin_ctz(m);
}

#define BEFORE_ALONE 250u		/* steps at most before a CPU runs alone */

/* Who runs alone, 8: nobody; and from which depth on the next one may. */
struct alone { unsigned cpu, from; };

/* Everyone but one CPU is stopped, wherever he is, until its script is done; then others are
 * let go, and after a while all but another. */
static unsigned alone_choice(struct alone *a, const struct frame *f, unsigned depth,
			     uint64_t *state)
{
	if (a->cpu < 8 && explore_cpu[a->cpu].done) {
		a->cpu = 8;
		a->from = depth + random_below(state, BEFORE_ALONE / 2);
	}
	if (a->cpu == 8 && depth >= a->from && f->last < 8 && !explore_cpu[f->last].done)
		a->cpu = f->last;
	return a->cpu < 8 ? a->cpu : random_choice(f, state);
}

/*
 * CPUs that stay in step: in turn each wins some compare-and-swaps and does some operations more,
 * which repeats after a few turns, but for the first one.  Whose turn it is, which, and what is
 * left of it.
 */
#define BEATS 3u

struct beat { unsigned won, then; };

struct rhythm {
	unsigned cpus, cpu, turn;
	struct beat left, each[EXPLORE_CPUS][BEATS];
};

static struct rhythm some_rhythm(unsigned cpus, uint64_t *state)
{
	struct rhythm h = { .cpus = cpus,
			    .left = { random_below(state, 8), random_below(state, 16) } };
	bool even = random_below(state, 4) != 0;	/* all turns are alike */

	for (unsigned c = 0; c < cpus; c++)
		for (unsigned i = 0; i < BEATS; i++) {
			struct beat *b = &h.each[c][i];

			b->won = random_below(state, 4);
			b->then = random_below(state, 4) + !b->won;
			if (even)
				*b = h.each[c][0];
		}
	return h;
}

static unsigned rhythm_choice(struct rhythm *h, uint32_t choices)
{
	/* When all are done there are stores that have not left. */
	if (!(choices & 0xff))
		return (unsigned)__builtin_ctz(choices);
	while (explore_cpu[h->cpu].done || h->left.won + h->left.then == 0) {
		h->cpu = (h->cpu + 1) % h->cpus;
		h->turn += h->cpu == 0;
		h->left = h->each[h->cpu][h->turn % BEATS];
	}
	return h->cpu;
}

static void rhythm_step(struct rhythm *h, bool won)
{
	if (h->left.won == 0)
		h->left.then--;
	else if (won)
		h->left.won--;
}

/* To the end.  Return: its depth. */
static unsigned one_random(const struct explore_program *p, const struct explore_limits *l,
			   uint64_t *state, struct explore_result *r)
{
	struct alone a = { .cpu = 8, .from = l->alone ? random_below(state, BEFORE_ALONE)
						       : DEPTH_MAX };
	struct rhythm h = { .cpus = 0 };
	unsigned depth = 0;

	if (l->in_step)
		h = some_rhythm(p->cpus, state);
	for (; !explore_failure && depth < DEPTH_MAX; depth++) {
		struct frame *f = &frames[depth];

		f->choices = engine_choices() & (l->in_step ? 0xffff : UINT32_MAX);
		if (!f->choices)
			break;
		unsigned choice = l->in_step ? rhythm_choice(&h, f->choices)
					     : alone_choice(&a, f, depth, state);
		advance(f, choice, f + 1);
		if (l->in_step)
			rhythm_step(&h, f->cpu.won != explore_cpu[choice % 8].won);
		r->steps++;
		r->alone = f[1].alone > r->alone ? f[1].alone : r->alone;
		r->none_ends = f[1].none_ends > r->none_ends ? f[1].none_ends : r->none_ends;
		is_endless(f + 1);
	}
	if (depth == DEPTH_MAX)
		explore_failure = "it goes on and on";
	if (!explore_failure)
		engine_end();
	if (explore_failure && strcmp(explore_failure, NOT_FOLLOWED) != 0)
		failed(r, depth);
	return depth;
}

void explore_random(const struct explore_program *p, const struct explore_limits *l,
		    uint64_t runs, uint64_t seed, struct explore_result *r)
{
	double start = now();
	uint64_t state = seed | 1;

	*r = (struct explore_result){ .failed = false };
	saved_n = 0;
	engine_start(p, 0, 0);
	frames[0].last = 8;
	for (uint64_t i = 0; i < runs && !r->failed; i++) {
		unsigned depth = one_random(p, l, &state, r);

		r->schedules++;
		while (depth > 0)
			take_back(&frames[--depth]);
		if (l->seconds > 0 && now() - start > l->seconds)
			break;
	}
	engine_stop();
}

/* --- a given one */

bool explore_replay(const struct explore_program *p, const char *schedule,
		    struct explore_result *r)
{
	unsigned depth = 0;
	bool fits = true;

	*r = (struct explore_result){ .failed = false };
	saved_n = 0;
	engine_start(p, 0, 0);
	explore_tracing = true;
	while (*schedule && fits && !explore_failure) {
		const char *at = strchr(letters, *schedule);
		char *end;
		unsigned long n = strtoul(++schedule, &end, 10);

		n = end == schedule ? 1 : n;
		schedule = end;
		fits = at && isalpha((unsigned char)*at);
		for (; n > 0 && fits && !explore_failure && depth < DEPTH_MAX; n--, depth++) {
			unsigned choice = (unsigned)(at - letters);

			fits = engine_choices() >> choice & 1;
			if (fits) {
				advance(&frames[depth], choice, &frames[depth + 1]);
				is_endless(&frames[depth + 1]);
			}
		}
	}
	if (fits && !explore_failure && engine_choices() == 0)
		engine_end();
	if (explore_failure)
		failed(r, depth);
	explore_tracing = false;
	engine_stop();
	engine_print_trace();
	return fits;
}
