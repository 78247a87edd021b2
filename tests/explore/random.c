/* SPDX-License-Identifier: MIT */
/*
 * Random programs for two or three CPUs, or two and an interrupt.
 *
 * All of memory is taken in blocks of mixed orders; some are given back, while CPUs find their
 * homes, some stay held, and some are there for a CPU to give.  Or memory sleeps, and the CPUs
 * wake it.  Then each runs a script of a few calls.  Every second program is rich in gifts, which
 * show at a home before they are promised, and has few homes; one in eight is small, so that all
 * of its schedules can be followed.
 *
 * NULL counts (I12) where memory is awake and nobody caches single frames, but for calls during
 * which another takes: who came too late holds what he has not put back yet.
 */
#include "random.h"

#include <stdio.h>
#include <string.h>

#include "../../mm/block.h"

#define TRAVELLERS 3u		/* the third is a CPU, or the interrupt of CPU 0 */
#define STEPS      3u		/* of two calls at most: what history.c records */
#define BLOCKS     64u
#define ABOVE_16M  0x1000u	/* where a zone begins that can have more than eight areas */
#define MIXED      7u		/* blocks of random orders; then as large as they come */

enum act { ACT_NONE, ACT_TAKE, ACT_TAKE_GIVE, ACT_ALLOC, ACT_ALLOC_FREE, ACT_GIVE, ACT_DRAIN };
enum fate { FATE_FREE, FATE_HELD, FATE_GIVEN };

struct step { enum act act; unsigned order; uint32_t frame; };
struct block { enum fate fate; unsigned order; uint32_t frame; };

static struct step script[TRAVELLERS][STEPS];
static struct block block[BLOCKS];
static unsigned nblocks, homes[EXPLORE_CPUS];
static uint64_t state;
static bool giving, small;
static struct scenario program;

/* xorshift64*, as in arch/explore/search.c. */
static uint32_t below(uint32_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1du >> 32) % n);
}

static unsigned some_order(void)
{
	static const uint8_t orders[] = { 0, 0, 0, 3, 5, 5, 6, 6, 7, 8, 9, 9, 10 };

	return orders[below(sizeof orders)];
}

/* --- memory */

static void take_all(void)
{
	uint32_t frame;

	for (nblocks = 0;; nblocks++) {
		unsigned order = nblocks < MIXED ? some_order() : 10;

		while (!zone_take(mm.hot_zone, order, &frame))
			if (order-- == 0)
				return;
		if (nblocks == BLOCKS)
			explore_fail("memory is in more than %u blocks", BLOCKS);
		block[nblocks] = (struct block){ .order = order, .frame = frame };
	}
}

/* What CPU @cpu takes and gives back is its home; 0: it has none yet. */
static void find_home(unsigned cpu)
{
	unsigned order = some_order();
	uint32_t frame;

	explore_as(cpu);
	if (zone_take(mm.hot_zone, order, &frame)) {
		zone_give(mm.hot_zone, frame, order);
		homes[cpu] = frame + 1;
	}
	explore_as(0);
}

static void decide_fates(unsigned cpus)
{
	static const enum fate fates[2][4] = { { FATE_FREE, FATE_FREE, FATE_HELD, FATE_GIVEN },
					       { FATE_FREE, FATE_GIVEN, FATE_HELD, FATE_GIVEN } };
	unsigned homeless = cpus;

	for (unsigned i = 0; i < nblocks; i++) {
		struct block *b = &block[i];

		b->fate = fates[giving][below(4)];
		if (b->fate == FATE_FREE)
			zone_give(mm.hot_zone, b->frame, b->order);
		else
			take_is_done(b->frame, b->order);
		if (!giving && below(4) == 0)
			find_home(below(cpus));
		else if (giving && homeless > 0 && below(2 * nblocks) < cpus)
			find_home(--homeless);
	}
}

/* --- scripts */

/* A block that nobody else gives, or none. */
static struct block *next_given(unsigned *from)
{
	while (*from < nblocks && block[*from].fate != FATE_GIVEN)
		++*from;
	return *from < nblocks ? &block[(*from)++] : NULL;
}

static struct step some_step(unsigned *from)
{
	static const enum act acts[] = { ACT_TAKE, ACT_TAKE_GIVE, ACT_TAKE_GIVE, ACT_GIVE, ACT_GIVE,
					 ACT_GIVE, ACT_ALLOC, ACT_ALLOC_FREE, ACT_DRAIN };
	struct step s = { .act = acts[below(sizeof acts / sizeof *acts)], .order = some_order() };
	const struct block *b = s.act == ACT_GIVE ? next_given(from) : NULL;

	if (b)
		return (struct step){ ACT_GIVE, b->order, b->frame };
	if (s.act == ACT_GIVE)
		s.act = ACT_TAKE_GIVE;
	return s;
}

static void write_scripts(void)
{
	unsigned from = 0;

	memset(script, 0, sizeof script);
	for (unsigned i = 0; i < STEPS; i++)
		for (unsigned t = 0; t < (small ? 2 : TRAVELLERS); t++)
			if (i == 0 || below(small ? 6 : 2) == 0)
				script[t][i] = some_step(&from);
	for (struct block *b; (b = next_given(&from));)
		b->fate = FATE_HELD;
}

static void follow(const struct step *s)
{
	uint32_t frame = NO_FRAME;

	switch (s->act) {
	case ACT_TAKE:
	case ACT_TAKE_GIVE:
		frame = do_take(s->order);
		if (s->act == ACT_TAKE_GIVE && frame != NO_FRAME)
			do_give(frame, s->order);
		break;
	case ACT_ALLOC:
	case ACT_ALLOC_FREE:
		frame = do_alloc(s->order);
		if (s->act == ACT_ALLOC_FREE && frame != NO_FRAME)
			do_free(frame, s->order);
		break;
	case ACT_GIVE:
		do_give(s->frame, s->order);
		break;
	case ACT_DRAIN:
		explore_pause("drain");
		page_drain();
		break;
	default:
		break;
	}
}

static void travel(unsigned t)
{
	for (unsigned i = 0; i < STEPS; i++)
		follow(&script[t][i]);
}

static void travel_0(void) { travel(0); }
static void travel_1(void) { travel(1); }
static void travel_2(void) { travel(2); }

/* --- programs */

/* Does nobody keep single frames in a cache, where others do not find them? */
static bool no_caches(void)
{
	for (unsigned i = 0; i < TRAVELLERS * STEPS; i++) {
		const struct step *s = &script[i / STEPS][i % STEPS];

		if ((s->act == ACT_ALLOC || s->act == ACT_ALLOC_FREE) && s->order < GROUP_ORDER)
			return false;
	}
	return true;
}

static void setup_awake(void)
{
	take_all();
	decide_fates(program.program.cpus);
	write_scripts();
	program.strict = program.lenient = no_caches();
}

static void setup_asleep(void)
{
	hold_all_awake();
	if (below(2))
		hold_fresh_group();
	write_scripts();
}

const struct scenario *random_program(uint64_t seed)
{
	state = (seed + 1) * 0x9e3779b97f4a7c15u | 1;
	below(2);
	giving = below(2);
	small = below(8) == 0;
	bool asleep = !giving && below(4) == 0, irq = !small && below(2);
	unsigned areas = asleep ? 34 : below(4) ? 1 + below(2) : 9;

	nblocks = 0;
	memset(homes, 0, sizeof homes);
	program = (struct scenario){
		.name = "random", .areas = areas, .first = areas > 8 ? ABOVE_16M : 0,
		.setup = asleep ? setup_asleep : setup_awake,
		.program = { .cpus = irq || small ? 2 : 3, .cpu = { travel_0, travel_1 } },
	};
	if (irq)
		program.program.irq[0] = travel_2;
	else if (!small)
		program.program.cpu[2] = travel_2;
	return &program;
}

bool random_is_small(void) { return small; }

/* --- in words */

static void print_blocks(enum fate fate, const char *heading)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nblocks; i++)
		if (block[i].fate == fate)
			printf("%s 0x%x/%u", n++ ? "," : heading, block[i].frame, block[i].order);
	if (n)
		printf("\n");
}

static void print_script(const struct step *s)
{
	static const char *const words[] = {
		"", "take", "take and give back", "allocate", "allocate and free", "give", "drain",
	};

	for (unsigned i = 0; i < STEPS; i++) {
		printf("%s%s", i && s[i].act ? "; " : "", words[s[i].act]);
		if (s[i].act == ACT_GIVE)
			printf(" 0x%x/%u", s[i].frame, s[i].order);
		else if (s[i].act && s[i].act != ACT_DRAIN)
			printf(" /%u", s[i].order);
	}
	printf("\n");
}

void random_print(void)
{
	printf("  areas: %u, from frame 0x%x; blocks are written frame/order\n", program.areas,
	       program.first);
	if (program.setup == setup_asleep)
		printf("  the areas that are awake are held, the others sleep\n");
	print_blocks(FATE_FREE, "  free:");
	print_blocks(FATE_HELD, "  held:");
	for (unsigned c = 0; c < program.program.cpus; c++)
		if (homes[c])
			printf("  home of CPU %u: 0x%x\n", c, homes[c] - 1);
	for (unsigned t = 0; t < (small ? 2 : TRAVELLERS); t++) {
		printf("  %s %u: ", t < program.program.cpus ? "CPU" : "interrupt of CPU",
		       t < program.program.cpus ? t : 0);
		print_script(script[t]);
	}
}
