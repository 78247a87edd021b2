/* SPDX-License-Identifier: MIT */
/* All schedules (E2). */
#include "path.h"

#include <stdio.h>
#include <stdlib.h>

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

static void too_deep(struct explore_result *r, unsigned depth)
{
	explore_failure = "I10: it goes on and on";
	path_failed(r, depth, depth);
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
	return l->seconds > 0 && explore_seconds() - start > l->seconds;
}

/* Where on the way here is that state? */
static unsigned depth_of(uint64_t hash)
{
	unsigned depth = 0;

	while (frames[depth].hash != hash)
		depth++;
	return depth;
}

/* What the step just taken led to.  Return: is there somewhere to go on from? */
static bool look(struct frame *f, const struct explore_limits *l, struct explore_result *r,
		 unsigned depth)
{
	look_for_end(f, false);
	if (explore_failure) {
		path_failed(r, depth, depth);
		return false;
	}
	arrive(f, l);
	struct seen *s = table_find(f->hash);
	if (s->hash) {
		if (s->schedules == UNFINISHED) {
			explore_failure = FOR_EVER;
			path_failed(r, depth, depth_of(f->hash));
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
			path_failed(r, depth, depth);
	}
	table_find(f->hash)->schedules = f->schedules;
	return false;
}

void explore_all(const struct explore_program *p, const struct explore_limits *l,
		 struct explore_result *r)
{
	double start = explore_seconds();
	unsigned depth = 0;

	*r = (struct explore_result){ .failed = false };
	table_clear();
	path_begin(p);
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
		advance(f, choice);
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

