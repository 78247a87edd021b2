/* SPDX-License-Identifier: MIT */
/* Steps and the way back, schedules as text, and a given one. */
#include "path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALONE_MAX 500u		/* steps of one call, in a row */
#define NONE_ENDS_MAX 3000u	/* and of all together, while none ends; waking an area is long */

struct frame frames[DEPTH_MAX + 1];
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

void path_begin(const struct explore_program *p)
{
	saved_n = 0;
	engine_start(p);
	frames[0] = (struct frame){ .last = 8 };
}

void take_back(const struct frame *f)
{
	unsigned cpu = f->choice % 8;

	engine_undo(f->mark);
	saved_n -= f->stack_bytes;
	explore_cpu[cpu] = f->cpu;
	memcpy(f->cpu.sp, saved + saved_n, f->stack_bytes);
	explore_failure = NULL;
}

bool is_switch(const struct frame *f, unsigned choice)
{
	return choice / 8 == 2 ||
	       (choice < 8 && f->last < 8 && choice != f->last && !explore_cpu[f->last].done);
}

void advance(struct frame *f, unsigned choice)
{
	struct frame *next = f + 1;

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

void look_for_end(const struct frame *f, bool together)
{
	if (explore_failure)
		return;
	if (f->alone > ALONE_MAX)
		explore_failure = "I10: a call does not end though nobody else runs";
	else if (together && f->none_ends > NONE_ENDS_MAX)
		explore_failure = "I10: CPUs in step, and no call ends";
}

/* --- schedules as text: a to d, that CPU goes on, and how often; A to D, its oldest store
 * leaves; w to z, its interrupt comes; what follows a + leads back to where it began */

static const char letters[] = "abcd....ABCD....wxyz....";

static void write_schedule(unsigned depth, unsigned again, char *out, size_t size)
{
	size_t at = 0;

	for (unsigned i = 0; i < depth && at + 8 < size;) {
		unsigned n = 1;

		if (i == again)
			out[at++] = '+';
		while (i + n < depth && i + n != again && frames[i + n].choice == frames[i].choice)
			n++;
		at += (size_t)snprintf(out + at, size - at, n > 1 ? "%c%u" : "%c",
				       letters[frames[i].choice], n);
		i += n;
	}
	out[at] = '\0';
}

void path_failed(struct explore_result *r, unsigned depth, unsigned again)
{
	r->failed = true;
	snprintf(r->why, sizeof r->why, "%s", explore_failure);
	write_schedule(depth, again, r->schedule, sizeof r->schedule);
}

double explore_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- a given one */

/* @n times @choice.  Return: false if it does not fit. */
static bool replay_steps(unsigned choice, unsigned long n, unsigned *depth)
{
	for (; n > 0 && !explore_failure && *depth < DEPTH_MAX; n--, ++*depth) {
		if (!(engine_choices() >> choice & 1))
			return false;
		advance(&frames[*depth], choice);
		look_for_end(&frames[*depth + 1], true);
	}
	return true;
}

static void explain_misfit(struct explore_result *r, unsigned depth)
{
	snprintf(r->why, sizeof r->why, "it does not fit at decision %u: mm/ or the scenario has "
		 "changed since, or it was mistyped", depth + 1);
}

static bool replay_once(const struct explore_program *p, const char *schedule,
			struct explore_result *r)
{
	unsigned depth = 0, round = UINT32_MAX;	/* where the way round begins */
	uint64_t again = 0;
	bool fits = true;

	*r = (struct explore_result){ .failed = false };
	path_begin(p);
	while (*schedule && fits && !explore_failure) {
		const char *at = strchr(letters, *schedule);
		char *end;
		unsigned long n = strtoul(++schedule, &end, 10);

		if (schedule[-1] == '+') {
			again = engine_hash();
			round = depth;
			continue;
		}
		fits = at && isalpha((unsigned char)*at) &&
		       replay_steps((unsigned)(at - letters), end == schedule ? 1 : n, &depth);
		schedule = end;
	}
	if (!fits)
		explain_misfit(r, depth);
	/* An empty way round is back where it was because nobody went: that shows nothing. */
	if (fits && round == depth) {
		snprintf(r->why, sizeof r->why, "nothing follows the +: it is no way round");
		fits = false;
	}
	if (fits && !explore_failure && engine_hash() == again)
		explore_failure = FOR_EVER;
	if (fits && !explore_failure && engine_choices() == 0)
		engine_end();
	if (explore_failure)
		path_failed(r, depth, depth);
	engine_stop();
	return fits;
}

bool explore_replay(const struct explore_program *p, const char *schedule,
		    struct explore_result *r)
{
	bool fits = replay_once(p, schedule, r);
	struct explore_result shown;

	/* Then to be seen: what notes leave on the stacks hides that a state has come again. */
	explore_tracing = true;
	replay_once(p, schedule, &shown);
	explore_tracing = false;
	engine_print_trace();
	return fits;
}
