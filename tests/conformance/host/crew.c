/* SPDX-License-Identifier: MIT */
/* Threads that play CPUs: starting them, what they all do, and the checks at the end. */
#include "crew.h"

#include <sched.h>
#include <stdlib.h>

#include "../../../arch/host/machine.h"

#ifdef __SANITIZE_THREAD__
#define SLOWER 6u		/* it makes do with fewer: it needs no luck to see a race */
#else
#define SLOWER 1u
#endif

unsigned crew_rounds(unsigned n)
{
	return n / SLOWER;
}

/* xorshift64*: Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003. */
uint64_t hand_random(struct hand *h, uint64_t limit)
{
	h->random ^= h->random >> 12;
	h->random ^= h->random << 25;
	h->random ^= h->random >> 27;
	return (h->random * 0x2545f4914f6cdd1du >> 32) % limit;
}

void hand_expect(struct hand *h, bool ok)
{
	h->faults += !ok;
}

/* Spinning, so that all go on within some nanoseconds of each other: what is tested is races. */
void hand_meet(struct hand *h)
{
	struct crew *c = h->crew;
	unsigned round = atomic_load(&c->round);

	if (atomic_fetch_add(&c->waiting, 1) + 1 == c->hands) {
		atomic_store(&c->waiting, 0);
		atomic_fetch_add(&c->round, 1);
		return;
	}
	for (unsigned spins = 0; atomic_load(&c->round) == round; spins++)
		if (spins > 2000)
			sched_yield();		/* there are fewer cores than threads */
}

void hand_dawdle(struct hand *h)
{
	for (volatile unsigned i = (unsigned)hand_random(h, 60); i > 0; i--)
		continue;
}

void hand_mark(struct hand *h, const struct block *b, int expected, int mark)
{
	int *holder = &h->crew->holder[b->f.n];

	for (uint32_t i = 0; i < 1u << b->order; i += h->crew->stride) {
		hand_expect(h, holder[i] == expected);
		holder[i] = mark;
	}
}

bool hand_take(struct hand *h, gfp_t gfp, unsigned order)
{
	if (h->n == sizeof(h->log) / sizeof(*h->log))
		return false;

	frame_t f = h->crew->a->alloc(gfp, order, h->crew->owner[0], NULL);
	if (frame_is_none(f)) {
		h->nulls++;
		return false;
	}
	hand_expect(h, f.n % (1u << order) == 0);
	h->log[h->n] = (struct block){ .f = f, .order = (uint8_t)order };
	hand_mark(h, &h->log[h->n++], 0, (int)h->cpu + 1);
	return true;
}

void hand_give(struct hand *h, size_t i)
{
	struct block b = h->log[i];

	hand_mark(h, &b, (int)h->cpu + 1, 0);
	hand_expect(h, h->crew->a->free(b.f, b.order, h->crew->owner[b.owner]) == PAGE_OK);
	h->log[i] = h->log[--h->n];
}

static void *hand_main(void *arg)
{
	struct hand *h = arg;

	host_bind_cpu(h->cpu);
	hand_meet(h);
	h->crew->work(h);
	while (h->n > 0)
		hand_give(h, h->n - 1);
	h->crew->a->drain();
	return NULL;
}

static void report(const char *what)
{
	test_note("audit: %s", what);
}

static void run_threads(struct crew *c)
{
	pthread_t thread[CREW_MAX];

	for (unsigned i = 0; i < c->hands; i++) {
		c->hand[i].crew = c;
		c->hand[i].cpu = i;
		c->hand[i].random = test_random() | 1;
		if (pthread_create(&thread[i], NULL, hand_main, &c->hand[i]) != 0) {
			test_fail(__FILE__, __LINE__, "no thread could be started");
			abort();		/* the others wait for it at the barrier */
		}
	}
	for (unsigned i = 0; i < c->hands; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < c->hands; i++)
		EXPECT_EQ(c->hand[i].faults, 0);
}

static void read_blocks(const struct allocator_ops *a, struct zone_stats s[ZONE_COUNT])
{
	a->drain();
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		a->zone(z, &s[z]);
}

static uint32_t highest_frame(const struct allocator_ops *a)
{
	struct zone_stats normal;

	a->zone(ZONE_NORMAL, &normal);
	return normal.total > 0 ? 0x200000 : ZONE_DMA32_END;
}

void crew_run(const struct allocator_ops *a, enum conform_machine machine, unsigned hands,
	      void (*before)(struct crew *c), void (*work)(struct hand *h),
	      void (*after)(struct crew *c), void *shared)
{
	static struct zone_stats then[ZONE_COUNT], now[ZONE_COUNT];
	struct crew *c = calloc(1, sizeof(*c));

	ASSERT(c && conform_start(a, machine, hands) == 0);
	*c = (struct crew){ .a = a, .hands = hands, .work = work, .shared = shared, .stride = 1,
			    .owner = { a->owner("ariadne"), a->owner("theseus") },
			    .frames = highest_frame(a) };
	c->holder = calloc(c->frames, sizeof(*c->holder));
	ASSERT(c->holder);
	read_blocks(a, then);
	if (before)
		before(c);
	run_threads(c);
	if (after)
		after(c);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(a->held(c->owner[i]), 0);
	read_blocks(a, now);
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			EXPECT_EQ(now[z].blocks[k], then[z].blocks[k]);
	EXPECT_EQ(a->audit(report), 0);
	EXPECT_EQ(a->forget(c->owner[1]), 0);
	EXPECT_EQ(a->forget(c->owner[0]), 0);
	a->stop();
	free(c->holder);
	free(c);
}

/* --- making memory short */

#define REST_MAX (1u << 16)

bool crew_hold(struct crew *c, unsigned order)
{
	frame_t f = c->a->alloc(GFP_ATOMIC, order, c->owner[1], NULL);

	if (frame_is_none(f) || c->rest_n == REST_MAX)
		return false;
	c->rest[c->rest_n++] = (struct block){ .f = f, .order = (uint8_t)order };
	return true;
}

void crew_leave_blocks(struct crew *c, unsigned order, unsigned n)
{
	c->rest = calloc(REST_MAX, sizeof(*c->rest));
	c->rest_n = 0;
	if (!c->rest)
		abort();
	/* The blocks wanted first, as many as there are; then whatever is left. */
	while (crew_hold(c, order))
		continue;
	size_t wanted = c->rest_n;
	for (unsigned k = order; k-- > 0;)
		while (crew_hold(c, k))
			continue;
	EXPECT_CMP(wanted, >=, n);
	for (unsigned i = 0; i < n && wanted > 0; i++) {
		struct block *b = &c->rest[(wanted - 1) * i / n];

		EXPECT_EQ(c->a->free(b->f, order, c->owner[1]), PAGE_OK);
		b->f = FRAME_NONE;
	}
	c->a->drain();
}

void crew_give_rest_back(struct crew *c)
{
	for (size_t i = 0; i < c->rest_n; i++)
		if (!frame_is_none(c->rest[i].f))
			EXPECT_EQ(c->a->free(c->rest[i].f, c->rest[i].order, c->owner[1]),
				  PAGE_OK);
	free(c->rest);
}
