/* SPDX-License-Identifier: MIT */
/* The benchmarks' cases for the kernel's own allocator, through its public functions. */
#include <arch/nmi.h>
#include <labyrinth/pool.h>

#include "kbench.h"

typedef void *block_t;

#define TITLE     "labyrinth"
#define KBENCH    kbench_labyrinth
#define INTERRUPT interrupt
#define POOL      pool

static inline block_t take(unsigned order, owner_t owner)
{
	return order == 0 ? allocpage(GFP_ATOMIC, owner) : allocpages(GFP_ATOMIC, order, owner);
}

static inline void give(block_t b, unsigned order, owner_t owner)
{
	if (order == 0)
		freepage(b, owner);
	else
		freepages(b, order, owner);
}

static inline size_t batch_take(size_t n, block_t b[], owner_t owner)
{
	return allocpages_bulk(GFP_ATOMIC, n, b, owner);
}

static inline void batch_give(size_t n, block_t b[], owner_t owner)
{
	freepages_bulk(n, b, owner);
}

static inline void pass(block_t b, owner_t from, owner_t to)
{
	page_transfer(b, 0, from, to);
}

static inline bool is_none(block_t b)        { return !b; }
static inline frame_t frame_of(block_t b)    { return page_to_frame(b); }
static inline block_t block_at(frame_t f)    { return frame_to_page(f); }
static void zone_now(enum zone_id z, struct zone_stats *s) { zone_stats(z, s); }
static owner_t register_owner(void)          { return owner_register("bench"); }

static void interrupt(void);
static void pool(void);

#include "cases.h"

/* --- from an interrupt handler: the breakpoint exception stands for any; and from an NMI's */

static bool (*in_handler)(unsigned order);

static void breakpoint(void) { __asm__ volatile("int3" : : : "memory"); }
static void nmi(void)        { __asm__ volatile("int $2" : : : "memory"); }

static bool handle(struct trap_frame *f)
{
	(void)f;
	in_handler(0);
	return true;
}

static void interrupts(const char *name, bool (*one)(unsigned order), void (*come)(void))
{
	in_handler = one;
	for (unsigned i = 0; i < WARM; i++)
		come();
	kbench_open(TITLE, name, 0, 1);
	for (unsigned i = 0; i < CALLS; i++)
		come();
	kbench_close();
}

static bool alloc_0(unsigned order) { (void)order; return one_alloc(0); }
static bool free_0(unsigned order)  { (void)order; return one_free(0); }
static bool pair_0(unsigned order)  { (void)order; return one_pair(0); }

static void interrupt(void)
{
	trap_handler_t before = trap_set_handler(TRAP_BREAKPOINT, handle);

	owners();
	interrupts("interrupt_alloc", alloc_0, breakpoint);
	interrupts("interrupt_free", free_0, breakpoint);
	interrupts("interrupt_pair", pair_0, breakpoint);
	trap_set_handler(TRAP_BREAKPOINT, before);
	if (!nmi_add(handle))
		return;
	interrupts("nmi_alloc", alloc_0, nmi);
	interrupts("nmi_free", free_0, nmi);
	interrupts("nmi_pair", pair_0, nmi);
	nmi_remove(handle);
}

/* --- pages held ready for one queue */

#define POOL_LOW  64u
#define POOL_HIGH 256u

/* Takes after gives: the pool always has pages. */
static void pool_hot(struct pool *p, const char *name, bool measure_take, bool measure_give)
{
	kbench_open(TITLE, name, 0, 1);
	for (unsigned i = 0; i < CALLS; i++) {
		if (measure_take)
			kbench_start();
		void *page = pool_take(p);
		if (measure_take && !measure_give)
			kbench_stop();
		if (!measure_take)
			kbench_start();
		pool_give(p, page);
		if (measure_give)
			kbench_stop();
	}
	kbench_close();
}

/* Every page taken is freed elsewhere: one take in 32 buys a batch. */
static void pool_stream(struct pool *p)
{
	kbench_open(TITLE, "pool_take_buying", 0, 1);
	for (unsigned i = 0; i < CALLS; i++) {
		kbench_start();
		void *page = pool_take(p);
		kbench_stop();
		freepage(page, me);
	}
	kbench_close();
}

static void pool(void)
{
	owners();
	struct pool *p = pool_create(me, GFP_ATOMIC, POOL_LOW, POOL_HIGH);

	if (!p)
		return;
	pool_hot(p, "pool_take", true, false);
	pool_hot(p, "pool_give", false, true);
	pool_hot(p, "pool_pair", true, true);
	pool_stream(p);
	pool_destroy(p);
}
