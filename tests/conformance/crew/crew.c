/* SPDX-License-Identifier: MIT */
/* What all hands of a crew do, and the checks at the end. */
#include "crew.h"

#include <labyrinth/panic.h>

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
		c->late = crew_late(c);
		atomic_store(&c->waiting, 0);
		atomic_fetch_add(&c->round, 1);
		return;
	}
	for (unsigned spins = 0; atomic_load(&c->round) == round; spins++)
		crew_wait(spins);
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

static void start_hand(struct hand *h)
{
	hand_meet(h);
	h->crew->work(h);
	while (h->n > 0)
		hand_give(h, h->n - 1);
	h->crew->a->drain();
}

static void report(const char *what)
{
	test_note("audit: %s", what);
}

static void run_hands(struct crew *c)
{
	for (unsigned i = 0; i < c->hands; i++) {
		c->hand[i].crew = c;
		c->hand[i].cpu = i;
		c->hand[i].random = test_random() | 1;
	}
	crew_start(c);
	for (unsigned i = 0; i < c->hands; i++)
		EXPECT_EQ(c->hand[i].faults, 0);
}

static void read_blocks(const struct allocator_ops *a, struct zone_stats s[ZONE_COUNT])
{
	crew_drain(a);
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		a->zone(z, &s[z]);
}

static bool begin(struct crew *c)
{
	const struct allocator_ops *a = c->a;

	if (conform_start(a, c->machine, c->hands) != 0)
		return false;
	c->owner[0] = a->owner("ariadne");
	c->owner[1] = a->owner("theseus");
	c->frames = crew_frames(a);
	c->holder = crew_memory(c->frames * sizeof(*c->holder));
	return c->holder != NULL;
}

static void end(struct crew *c)
{
	const struct allocator_ops *a = c->a;

	EXPECT_EQ(a->audit(report), 0);
	EXPECT_EQ(a->forget(c->owner[1]), 0);
	EXPECT_EQ(a->forget(c->owner[0]), 0);
	crew_memory_free(c->holder, c->frames * sizeof(*c->holder));
	a->stop();
}

static void do_nothing(struct hand *h) { (void)h; }

/* What the CPUs' caches hold from before would be merged afterwards. */
static void drain_all(struct crew *c)
{
	void (*work)(struct hand *h) = c->work;

	c->work = do_nothing;
	run_hands(c);
	c->work = work;
}

static void run(struct crew *c, void (*before)(struct crew *c), void (*after)(struct crew *c))
{
	static struct zone_stats then[ZONE_COUNT], now[ZONE_COUNT];

	drain_all(c);
	read_blocks(c->a, then);
	if (before)
		before(c);
	run_hands(c);
	if (after)
		after(c);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(c->a->held(c->owner[i]), 0);
	read_blocks(c->a, now);
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			EXPECT_EQ(now[z].blocks[k], then[z].blocks[k]);
}

bool crew_run(const struct allocator_ops *a, enum conform_machine machine, unsigned hands,
	      void (*before)(struct crew *c), void (*work)(struct hand *h),
	      void (*after)(struct crew *c), void *shared)
{
	static struct crew c;
	const char *why = hands > crew_cpus() ? "there are not enough CPUs" : crew_cannot();

	if (why) {
		if (hands == 2)
			test_skip(why);
		return false;
	}
	c = (struct crew){ .a = a, .machine = machine, .hands = hands, .work = work,
			   .shared = shared, .stride = 1, .start = start_hand };
	if (!begin(&c)) {
		test_fail(__FILE__, __LINE__, "no memory for the test itself");
		return false;
	}
	run(&c, before, after);
	end(&c);
	return true;
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
	c->rest = crew_memory(REST_MAX * sizeof(*c->rest));
	c->rest_n = 0;
	KASSERT(c->rest);
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
	crew_memory_free(c->rest, REST_MAX * sizeof(*c->rest));
}
