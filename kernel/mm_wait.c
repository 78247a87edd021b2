/* SPDX-License-Identifier: MIT */
/*
 * GFP_KERNEL requests that sleep; mm_wait.h has the promises.
 *
 * mm/ tells of each free while somebody waits (mm_watch_frees()), from any context, NMI
 * included; all that is done there is to raise a deferred call.  That one asks mm/ on
 * behalf of the first in each line, and hands over what it got.  So whoever sleeps
 * wakes with a block in his hands, or because his time is over.
 *
 * Not all that can be had was freed, though.  What somebody had in his hands as the first was
 * refused may come back without a word: pieces of a block gathered in vain, the rest of a group
 * just woken.  Or a refill that the drain came into the middle of caches it.  So the first in
 * each line looks again now and then.
 */
#include <labyrinth/mm_wait.h>

#include <arch/console.h>
#include <arch/irq.h>
#include <labyrinth/deferred.h>
#include <labyrinth/list.h>
#include <labyrinth/mm_sleep.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <labyrinth/thread.h>
#include <labyrinth/wait.h>

#include "kernel/reclaim.h"

enum { LINE_DMA, LINE_DMA32, LINE_ALL, LINES };

struct waiter {
	struct list_node node;
	uint64_t ticket;		/* who came first */
	gfp_t gfp;
	unsigned order;
	owner_t owner;
	struct zone_walk *walk;
	void *page;			/* handed over */
	struct event served;
};

/* The lock is taken by the deferred call too. */
static struct {
	struct spinlock lock;
	struct list line[LINES];
	bool draining;			/* somebody has all CPUs give up what they cache */
	bool watching;
	uint64_t tickets;
	struct mm_wait_stats stats;
} all;

static unsigned line_of(gfp_t gfp)
{
	return gfp & GFP_DMA ? LINE_DMA : gfp & GFP_DMA32 ? LINE_DMA32 : LINE_ALL;
}

/* --- under the lock */

static struct waiter *first_of(unsigned line)
{
	struct list_node *n = all.line[line].first;

	return n ? LIST_ENTRY(n, struct waiter, node) : NULL;
}

/* On while somebody waits, and without a gap while caches are emptied for whoever does. */
static void watch(void)
{
	bool on = all.stats.waiting || all.draining;

	if (on != all.watching)
		mm_watch_frees(on);
	all.watching = on;
}

static void leave(struct waiter *w)
{
	list_remove(&all.line[line_of(w->gfp)], &w->node);
	all.stats.waiting--;
	watch();
}

/* Return: false when nothing fits the first of @line, or nobody waits. */
static bool serve_first(unsigned line)
{
	struct waiter *w = first_of(line);

	if (!w)
		return false;
	w->page = mm_try(w->gfp, w->order, w->owner, w->walk);
	if (!w->page)
		return false;
	leave(w);
	all.stats.served++;
	event_set(&w->served);
	return true;
}

/* The line, of those in @lines, whose first came before the others'.  LINES: nobody there. */
static unsigned oldest(unsigned lines)
{
	unsigned best = LINES;

	for (unsigned i = 0; i < LINES; i++)
		if (lines >> i & 1 && first_of(i) &&
		    (best == LINES || first_of(i)->ticket < first_of(best)->ticket))
			best = i;
	return best;
}

static void serve_all(void)
{
	unsigned lines = (1u << LINES) - 1, i;

	while ((i = oldest(lines)) < LINES)
		if (!serve_first(i))
			lines &= ~(1u << i);
}

/* --- when memory comes free */

static void serve_later(struct deferred *d)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	(void)d;
	serve_all();
	spin_unlock_irqrestore(&all.lock, flags);
}

static struct deferred serving = { .fn = serve_later };

static void freed(void)
{
	deferred_raise(&serving);
}

/* --- waiting */

static bool anybody_before(gfp_t gfp)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);
	bool any = first_of(line_of(gfp));

	spin_unlock_irqrestore(&all.lock, flags);
	return any;
}

/*
 * Return: must @w have the caches emptied?  The first of all who wait now must, unless somebody
 * is about it, who has been served meanwhile: nothing has been cached since he began.
 */
static bool join(struct waiter *w)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);
	bool drains = all.stats.waiting++ == 0 && !all.draining;

	all.draining |= drains;
	all.stats.drains += drains;
	watch();
	w->ticket = all.tickets++;
	list_append(&all.line[line_of(w->gfp)], &w->node);
	all.stats.slept++;
	spin_unlock_irqrestore(&all.lock, flags);
	return drains;
}

static void drain(void *unused)
{
	(void)unused;
	page_drain();
}

static void drained(void)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	all.draining = false;
	watch();
	spin_unlock_irqrestore(&all.lock, flags);
}

static void serve_now(void)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	serve_all();
	spin_unlock_irqrestore(&all.lock, flags);
}

/* His time is over; unless a block came at the last moment. */
static void give_up(struct waiter *w)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	if (list_linked(&w->node)) {
		leave(w);
		all.stats.gave_up++;
		serve_all();		/* somebody smaller may have stood behind */
	}
	spin_unlock_irqrestore(&all.lock, flags);
}

/* Return: is it @w who has the caches emptied once more?  Not while somebody else is about it. */
static bool looks_again(const struct waiter *w)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);
	bool drains = first_of(line_of(w->gfp)) == w && !all.draining;

	all.draining |= drains;
	all.stats.drains += drains;
	spin_unlock_irqrestore(&all.lock, flags);
	return drains;
}

#define LOOK_AGAIN ((uint64_t)100 * 1000000)	/* nanoseconds */

static void wait_and_look(struct waiter *w, uint64_t deadline)
{
	for (;;) {
		uint64_t soon = clock_ns() + LOOK_AGAIN;

		if (event_wait(&w->served, soon < deadline ? soon : deadline) || soon >= deadline)
			return;
		if (looks_again(w)) {
			cpu_call_all(drain, NULL);
			drained();
			serve_now();
		}
	}
}

static void *wait_in_line(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk,
			  uint64_t deadline)
{
	struct waiter w = { .gfp = gfp, .order = order, .owner = owner, .walk = walk };

	/* From the drain on every free is told; what came before it, the serving finds. */
	if (join(&w)) {
		cpu_call_all(drain, NULL);
		drained();
	}
	serve_now();
	wait_and_look(&w, deadline);
	give_up(&w);
	/* Who handed over may still be leaving the event, which lies on our stack. */
	wait_unlock(&w.served.queue, wait_lock(&w.served.queue));
	return w.page;
}

/* --- a request */

static void must_be_able_to_sleep(unsigned order, owner_t owner)
{
	const char *where = in_nmi() ? "in the handler of an NMI"
			  : in_interrupt() ? "in an interrupt's handler"
			  : irq_enabled() ? "where preemption is forbidden"
			  : "where interrupts are masked";

	if (in_atomic())
		panic("GFP_KERNEL, order %u, for %s %s", order, owner_name(owner), where);
	sched_may_sleep("GFP_KERNEL");
}

/* Can a free help, or does nothing that could happen? */
static bool worth_waiting(gfp_t gfp, unsigned order, const struct zone_walk *walk)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		if (walk->zone[z] == ZONE_INJECTED)
			return false;
	return mm_may_ever_fit(gfp, order);
}

static uint64_t deadline_of(uint64_t patience)
{
	uint64_t now = clock_ns();

	return patience > UINT64_MAX - now ? WAIT_FOREVER : now + patience;
}

/* His time may be over before those in front of him have gone. */
static void not_tried_yet(struct zone_walk *walk)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		walk->zone[z] = ZONE_NOT_TRIED;
}

static void *request(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	uint64_t patience = reclaiming() ? 0 : mm_patience();
	bool queue = patience && anybody_before(gfp);
	void *page;

	not_tried_yet(walk);
	page = queue ? NULL : mm_try(gfp, order, owner, walk);
	if (page || !patience || (!queue && !worth_waiting(gfp, order, walk)))
		return page;
	if (reclaim(order, &all.stats.reclaims) && !anybody_before(gfp)) {
		page = mm_try(gfp, order, owner, walk);
		if (page)
			return page;
	}
	return wait_in_line(gfp, order, owner, walk, deadline_of(patience));
}

static void *alloc(gfp_t gfp, unsigned order, owner_t owner, struct zone_walk *walk)
{
	void *page = request(gfp, order, owner, walk);

	/* Here rather than with the lock held, as it takes as long as it takes. */
	if (page && gfp & GFP_ZERO)
		memset(page, 0, PAGE_SIZE << order);
	return page;
}

void *allocpages_wait(gfp_t gfp, unsigned order, owner_t owner, uint64_t timeout_ns)
{
	uint64_t before = mm_set_patience(timeout_ns);
	void *page;

	KASSERT(gfp & GFP_KERNEL);
	page = allocpages(gfp, order, owner);
	mm_set_patience(before);
	return page;
}

void mm_wait_stats(struct mm_wait_stats *out)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	*out = all.stats;
	spin_unlock_irqrestore(&all.lock, flags);
}

void mm_wait_init(void)
{
	static const struct mm_sleeper sleeper = { must_be_able_to_sleep, alloc, freed };

	mm_set_sleeper(&sleeper);
}
