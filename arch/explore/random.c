/* SPDX-License-Identifier: MIT */
/* Schedules at random, and CPUs that stay in step. */
#include "path.h"

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
		advance(f, choice);
		if (l->in_step)
			rhythm_step(&h, f->cpu.won != explore_cpu[choice % 8].won);
		r->steps++;
		r->alone = f[1].alone > r->alone ? f[1].alone : r->alone;
		r->none_ends = f[1].none_ends > r->none_ends ? f[1].none_ends : r->none_ends;
		look_for_end(f + 1, true);
	}
	if (depth == DEPTH_MAX)
		explore_failure = "it goes on and on";
	if (!explore_failure)
		engine_end();
	if (explore_failure)
		path_failed(r, depth, depth);
	return depth;
}

void explore_random(const struct explore_program *p, const struct explore_limits *l,
		    uint64_t runs, uint64_t seed, struct explore_result *r)
{
	double start = explore_seconds();
	uint64_t state = seed | 1;

	*r = (struct explore_result){ .failed = false };
	path_begin(p);
	for (uint64_t i = 0; i < runs && !r->failed; i++) {
		unsigned depth = one_random(p, l, &state, r);

		r->schedules++;
		while (depth > 0)
			take_back(&frames[--depth]);
		if (l->seconds > 0 && explore_seconds() - start > l->seconds)
			break;
	}
	engine_stop();
}

