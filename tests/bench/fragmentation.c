/* SPDX-License-Identifier: MIT */
/*
 * The fragmentation test.  Its oracle is greedy: it takes every page from the
 * fullest 2 MiB frame that has one, which needs to know all of memory at once.
 */
#include "fragmentation.h"

#include <stdlib.h>
#include <string.h>

#include "../conformance/allocator.h"

#define FRAMES    (1u << 21)		/* 8 GiB */
#define HUGE_SIZE 512u			/* frames of a 2 MiB frame */
#define HUGES     (FRAMES / HUGE_SIZE)
#define FIRST     0x100000u		/* at 4 GiB: one zone for all of it */
#define ROUNDS    100u

/* What the test asks of an allocator; a page is whatever it returns. */
struct subject {
	const char *name;
	uint32_t (*take)(void);
	void (*give)(uint32_t page);
	uint32_t (*free_huge)(void);
	uint32_t frames;
};

static uint64_t random_state;

/* splitmix64, from a fixed seed: every allocator meets the same sequence. */
static uint32_t random_below(uint32_t limit)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(((z ^ z >> 31) >> 32) * limit >> 32);
}

/* --- the oracle: chunks in lists by how many of their pages are used */

static uint16_t used[HUGES];
static int32_t list[HUGE_SIZE + 1], next[HUGES], prev[HUGES];

static void link_in(uint32_t h)
{
	next[h] = list[used[h]];
	prev[h] = -1;
	if (next[h] >= 0)
		prev[next[h]] = (int32_t)h;
	list[used[h]] = (int32_t)h;
}

static void unlink_from(uint32_t h)
{
	if (prev[h] >= 0)
		next[prev[h]] = next[h];
	else
		list[used[h]] = next[h];
	if (next[h] >= 0)
		prev[next[h]] = prev[h];
}

static void greedy_start(void)
{
	memset(list, -1, sizeof list);
	memset(used, 0, sizeof used);
	for (uint32_t h = HUGES; h-- > 0;)
		link_in(h);
}

static uint32_t greedy_take(void)
{
	unsigned fullest = HUGE_SIZE - 1;

	while (list[fullest] < 0)
		fullest--;
	uint32_t h = (uint32_t)list[fullest];
	unlink_from(h);
	used[h]++;
	link_in(h);
	return h;
}

static void greedy_give(uint32_t h)
{
	unlink_from(h);
	used[h]--;
	link_in(h);
}

static uint32_t greedy_free_huge(void)
{
	uint32_t n = 0;

	for (int32_t h = list[0]; h >= 0; h = next[h])
		n++;
	return n;
}

/* --- the allocators */

static const struct allocator_ops *ops;
static owner_t owner;

static uint32_t ops_take(void)
{
	return ops->alloc(GFP_ATOMIC, 0, owner, NULL).n;
}

static void ops_give(uint32_t page)
{
	ops->free((frame_t){ page }, 0, owner);
}

static uint32_t ops_free_huge(void)
{
	struct zone_stats s;
	uint64_t n = 0;

	ops->drain();
	ops->zone(ZONE_NORMAL, &s);
	for (unsigned k = 9; k < ORDER_COUNT; k++)
		n += s.blocks[k] << (k - 9);
	return (uint32_t)n;
}

/* --- the test */

static void take_many(const struct subject *s, uint32_t *page, uint32_t *n, uint32_t many)
{
	while (many-- > 0) {
		page[*n] = s->take();
		if (page[(*n)++] == UINT32_MAX) {
			fprintf(stderr, "fragmentation: %s ran out of memory\n", s->name);
			exit(1);
		}
	}
}

static void give_many(const struct subject *s, uint32_t *page, uint32_t *n, uint32_t many)
{
	while (many-- > 0) {
		uint32_t i = random_below(*n);

		s->give(page[i]);
		page[i] = page[--*n];
	}
}

static void run(const struct subject *s, FILE *csv)
{
	uint32_t *page = calloc(FRAMES, sizeof(*page)), n = 0;

	if (!page)
		exit(2);
	random_state = 1;
	take_many(s, page, &n, (uint32_t)((uint64_t)s->frames * 9 / 10));
	give_many(s, page, &n, n / 2);
	printf("%-10s", s->name);
	for (uint32_t round = 0; round <= ROUNDS; round++) {
		if (round > 0) {
			uint32_t tenth = n / 10;

			give_many(s, page, &n, tenth);
			take_many(s, page, &n, tenth);
		}
		if (round % (ROUNDS / 4) != 0)
			continue;
		double percent = 100.0 * s->free_huge() / ((s->frames - n) / HUGE_SIZE);
		printf(" %9.1f %%", percent);
		if (csv)
			fprintf(csv, "%s,fragmentation_%u,9,1,%.1f,\n", s->name, round, percent);
	}
	printf("\n");
	give_many(s, page, &n, n);
	free(page);
}

static void run_ops(const struct allocator_ops *a, FILE *csv)
{
	static const struct frame_range ram = { FIRST, FIRST + FRAMES };
	struct zone_stats z;

	ops = a;
	if (a->start(&ram, 1, 1) != 0)
		exit(2);
	owner = a->owner("fragmentation");
	a->zone(ZONE_NORMAL, &z);
	run(&(struct subject){ a->name, ops_take, ops_give, ops_free_huge, (uint32_t)z.free }, csv);
	a->stop();
}

void fragmentation_run(FILE *csv)
{
	printf("\nfragmentation: 8 GiB, 90 %% filled, half of that freed, rounds of 10 %%\n"
	       "2 MiB frames free, of those possible\n%-10s", "after");
	for (uint32_t round = 0; round <= ROUNDS; round += ROUNDS / 4)
		printf(" %11u", round);
	printf("\n");
	run_ops(&labyrinth_ops, csv);
	run_ops(&textbook_ops, csv);
	greedy_start();
	run(&(struct subject){ "greedy", greedy_take, greedy_give, greedy_free_huge, FRAMES }, csv);
}
