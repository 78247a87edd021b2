/* SPDX-License-Identifier: MIT */
/*
 * Real NMIs while a thread allocates and frees; their handler does so as well (I13).
 * The PIT is set anew at each NMI to a random time, so that in the end every instruction
 * has been interrupted.  tools/check-nmi says which, from the lines that begin with NMI-.
 */
#define SUITE "nmi"
#include <tests/test.h>

#include "storm.h"

#include <arch/console.h>
#include <arch/irq.h>
#include <arch/nmi.h>
#include <arch/trap.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>

#define FEW       500u			/* NMIs, unless nmis= says how many */
#define HELD      16u			/* pages at most, of the thread and of the handler */
#define SILENCE   ((uint64_t)15 * 1000000000)	/* ns without an NMI: there will be none */
#define TEXT_MAX  0x14000u		/* bytes of mm/ */

enum { ON_PATH = 1, STRUCK = 2 };	/* of an address */

extern const unsigned char mm_text_start[], mm_text_end[];	/* linker.ld */

static uint8_t seen[TEXT_MAX];

static struct {
	owner_t thread, handler, other;
	void *held[HELD];
	uint64_t random;
	uint64_t nmis, nested, in_mm;
	uint64_t wanted, period;
	uint64_t from_reserve;		/* pages taken while only the reserve was left */
	uint32_t depth, deepest;
	bool over, steal, pause;
	void *mine[HELD];		/* the thread's */
} storm;

/* Marsaglia, "Xorshift RNGs", JSS 8(14), 2003.  An NMI in the middle does no harm. */
static uint64_t random_below(uint64_t limit)
{
	uint64_t x = storm.random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	storm.random = x;
	return (x >> 11) % limit;
}

static void note_place(uint64_t rip, uint8_t what)
{
	uint64_t at = rip - (uint64_t)mm_text_start;

	if (at < TEXT_MAX && at < (uint64_t)(mm_text_end - mm_text_start)) {
		seen[at] |= what;
		storm.in_mm += what == STRUCK;
	}
}

/* Take a page, or give one back, now and then by way of another owner. */
static void deed(void)
{
	void **slot = &storm.held[random_below(HELD)];
	void *page = __atomic_exchange_n(slot, NULL, __ATOMIC_RELAXED), *none = NULL;

	if (page) {
		storm_book_give(HANDLER, page, storm.handler,
			  random_below(4) ? OWNER_NONE : storm.other);
		return;
	}
	page = storm_book_take(HANDLER, storm.handler);
	/* relaxed: all on one CPU; a nested NMI may have filled the slot */
	if (page && !__atomic_compare_exchange_n(slot, &none, page, false, __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
		storm_book_give(HANDLER, page, storm.handler, OWNER_NONE);
}

/* Let the next NMI in already, if it comes in time. */
static void open_up(void)
{
	pit_shoot(1 + (unsigned)random_below(storm.period / 4 + 1));
	__asm__ volatile("int3" : : : "memory");
	deed();
}

static bool on_nmi(struct trap_frame *f)
{
	storm.nmis++;
	if (++storm.depth > storm.deepest)
		storm.deepest = storm.depth;
	storm.nested += storm.depth > 1;
	note_place(f->rip, STRUCK);
	if (storm.steal && storm.nmis % 64 == 0 && storm.mine[0])
		freepage(storm.mine[0], storm.thread);
	deed();
	if (storm.depth < 8 && !storm.pause && random_below(16) == 0)
		open_up();
	storm.depth--;
	if (storm.nmis >= storm.wanted)
		storm.over = true;
	else if (storm.depth == 0 && !storm.pause)
		pit_shoot(1 + (unsigned)random_below(storm.period));
	return true;
}

static bool pass(struct trap_frame *f)
{
	(void)f;
	return true;
}

/* --- the thread */

static void work(void)
{
	void **mine = storm.mine;

	for (unsigned i = 0; i < 256; i++) {
		void **slot = &mine[i * 5 % HELD];

		if (*slot) {
			storm_book_give(THREAD, *slot, storm.thread, OWNER_NONE);
			*slot = NULL;
		}
		*slot = i < 256 - HELD ? storm_book_take(THREAD, storm.thread) : NULL;
		/* The hot pair, bare: some 60 instructions, which everything is about. */
		for (unsigned k = 0; k < 8; k++) {
			void *page = allocpage(GFP_ATOMIC, storm.thread);

			if (!page || freepage(page, storm.thread) != PAGE_OK)
				storm_book.spurious++;
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (mine[i]) {
			storm_book_give(THREAD, mine[i], storm.thread, OWNER_NONE);
			mine[i] = NULL;
		}
}

struct taken {
	struct taken *next;
	unsigned order;
};

static bool take_one(struct taken **list, gfp_t gfp, unsigned order)
{
	struct taken *page = allocpages(gfp, order, storm.other);

	if (page) {
		*page = (struct taken){ *list, order };
		*list = page;
	}
	return page;
}

/* Frames that only atomic requests may have.  Thread, handler and squeeze() hold HELD each. */
static uint64_t reserve(void)
{
	struct zone_stats s;
	uint64_t sum = 0;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		sum += s.min;
	}
	return sum;
}

/*
 * All that a request which may not use the reserve can have, and a little of that: a list
 * through the pages.  What is free then is the reserve, without this CPU's cache.
 */
static struct taken *squeeze(void)
{
	struct taken *list = NULL;

	page_drain();
	for (unsigned order = ORDER_MAX + 1; order-- > 0;)
		while (take_one(&list, GFP_NOWAIT, order))
			continue;
	for (unsigned i = 0; i < HELD && take_one(&list, GFP_ATOMIC, 0); i++)
		continue;
	page_drain();
	return list;
}

static void release(struct taken *list)
{
	while (list) {
		struct taken t = *list;

		freepages(list, t.order, storm.other);
		list = t.next;
	}
}

static void progress(uint64_t *next)
{
	if (storm.nmis < *next || storm.wanted <= FEW)
		return;
	kprintf("NMI-PROGRESS %llu of %llu\n", (unsigned long long)storm.nmis,
		(unsigned long long)storm.wanted);
	*next += storm.wanted / 20;
}

/* Until @until NMIs have come.  Return: false when none came for long. */
static bool work_until(uint64_t until)
{
	uint64_t before = storm.nmis, since = clock_ns(), next = before;

	while (storm.nmis < until && !storm.over) {
		work();
		progress(&next);
		if (storm.nmis != before) {
			before = storm.nmis;
			since = clock_ns();
		} else if (clock_ns() - since > SILENCE) {
			return false;
		}
	}
	return true;
}

/* --- which instructions a hot pair consists of */

static bool note_step(struct trap_frame *f)
{
	note_place(f->rip, ON_PATH);
	return true;
}

static void trace_hot_pair(void)
{
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, note_step);

	freepage(allocpage(GFP_ATOMIC, storm.thread), storm.thread);
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
	void *page = allocpage(GFP_ATOMIC, storm.thread);
	freepage(page, storm.thread);
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
	trap_set_handler(TRAP_DEBUG, old);
}

#define A_LINE 64u

static void print_places(void)
{
	size_t size = (size_t)(mm_text_end - mm_text_start);

	for (size_t at = 0; at < size && at < TEXT_MAX; at += A_LINE) {
		uint8_t any = 0;

		for (size_t i = 0; i < A_LINE; i++)
			any |= seen[at + i];
		if (!any)
			continue;
		kprintf("NMI-PLACES %zx ", at);
		for (size_t i = 0; i < A_LINE; i++)
			kprintf("%u", seen[at + i]);
		kprintf("\n");
	}
}

/* --- the test */

static bool run(void)
{
	trap_handler_t old = trap_set_handler(TRAP_BREAKPOINT, pass);
	struct taken *list;
	bool alive;

	trace_hot_pair();
	pit_shoot((unsigned)storm.period);
	alive = work_until(reserve() < 6 * HELD ? storm.wanted : storm.wanted / 2);
	storm.pause = true;			/* or it would go by while memory is taken */
	list = squeeze();
	EXPECT(!allocpage(GFP_NOWAIT, storm.thread));	/* what is left is the reserve */
	storm.from_reserve = storm_book.allocs;
	storm.pause = false;
	pit_shoot((unsigned)storm.period);
	alive = alive && work_until(storm.wanted);
	storm.from_reserve = storm_book.allocs - storm.from_reserve;
	pit_stop();
	release(list);
	trap_set_handler(TRAP_BREAKPOINT, old);
	return alive;
}

static void prepare(void)
{
	storm.thread = owner_register("nmi thread");
	storm.handler = owner_register("nmi handler");
	storm.other = owner_register("nmi other");
	storm.random = test_random() | 1;
	storm.nmis = storm.nested = storm.in_mm = 0;
	storm.depth = storm.deepest = 0;
	storm.over = storm.pause = false;
	storm.from_reserve = 0;
	storm.wanted = FEW;
	storm.period = 240;		/* 200 us */
	cmdline_u64("nmis", &storm.wanted);
	cmdline_u64("nmi_period", &storm.period);
	storm.period = storm.period % 65536 ? storm.period % 65536 : 1;
}

static void drop_held(void)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (storm.held[i])
			storm_book_give(HANDLER, storm.held[i], storm.handler, OWNER_NONE);
		storm.held[i] = NULL;
	}
}

static void report(void)
{
	test_note("NMI-TOTALS %llu NMIs, %llu in mm, %llu nested, deepest %u, "
		  "%llu allocs (%llu of the reserve), %llu transfers",
		  (unsigned long long)storm.nmis,
		  (unsigned long long)storm.in_mm, (unsigned long long)storm.nested,
		  storm.deepest, (unsigned long long)storm_book.allocs,
		  (unsigned long long)storm.from_reserve,
		  (unsigned long long)storm_book.transfers);
	if (storm_book.violations)
		test_note("the first violation: %s", storm_book.first);
	EXPECT_EQ(storm_book.violations, 0);
	if (reserve() < 6 * HELD)
		test_note("the reserve of this machine is too small to live on");
	else
		EXPECT_CMP(storm.from_reserve, >, 0);
	EXPECT_EQ(storm_book.spurious, 0);
	EXPECT_EQ(storm_book.allocs, storm_book.frees);
	if (storm.wanted > FEW)
		print_places();
}

/* Does a shot arrive?  Not every machine has its PIT where the ISA's first line is. */
static bool answers(void)
{
	uint64_t start = clock_ns();

	storm.pause = true;
	pit_shoot(100);
	while (!storm.nmis && clock_ns() - start < PIT_PATIENCE)
		work();
	storm.pause = false;
	if (!storm.nmis)
		pit_is_silent();
	return storm.nmis;
}

void storm_run(bool steal)
{
	bool there;

	prepare();
	storm.steal = steal;
	if (!storm_book_open()) {
		test_skip("too much memory for a map of all frames");
	} else {
		there = nmi_add(on_nmi) && pit_start() && answers();
		if (there)
			EXPECT(run());
		pit_stop();
		nmi_remove(on_nmi);
		drop_held();
		if (there)
			report();
		else
			test_skip("no PIT whose shots arrive as NMIs");
		storm_book_close();
	}
	EXPECT_EQ(owner_unregister(storm.thread), 0);
	EXPECT_EQ(owner_unregister(storm.handler), 0);
	EXPECT_EQ(owner_unregister(storm.other), 0);
}

TEST(a_storm_of_nmis_that_allocate)
{
	storm_run(false);
}
