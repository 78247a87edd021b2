/* SPDX-License-Identifier: MIT */
/* An interrupt changes the node that the interrupted call is changing: what is lost is counted. */
#define SUITE "retries"
#include <arch/trap.h>
#include <labyrinth/mm.h>

#include "../test.h"

#define VECTOR_DEBUG 1u
#define EVERY        1009u		/* instructions; more than a try takes, a walk included */
#define DRIFT        64u		/* up to as many more, or rounds and visits keep step */
#define ORDER        6u

static struct {
	owner_t owner;
	uint64_t interrupts, visits, next, failed;
} handler;

static bool take_and_give(struct trap_frame *f)
{
	(void)f;
	if (++handler.interrupts < handler.next)
		return true;
	handler.next += EVERY + handler.visits++ % DRIFT;
	void *page = allocpages(GFP_ATOMIC | GFP_DMA, ORDER, handler.owner);
	handler.failed += !page || freepages(page, ORDER, handler.owner) != PAGE_OK;
	return true;
}

/* RFLAGS.TF: a debug exception after each instruction.  Intel SDM vol. 3, 18.3.1.4. */
static void interrupts_on(void)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static void interrupts_off(void)
{
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static uint64_t zone_lost(enum zone_id z)
{
	struct zone_counts s;

	zone_counts(z, &s);
	return s.retries;
}

static uint64_t owner_lost(owner_t o)
{
	struct owner_stats s;

	owner_stats(o, &s);
	return s.retries;
}

static unsigned rounds(owner_t me, unsigned n)
{
	unsigned wrong = 0;

	while (n-- > 0) {
		void *page = allocpages(GFP_ATOMIC | GFP_DMA, ORDER, me);

		wrong += !page || freepages(page, ORDER, me) != PAGE_OK;
	}
	return wrong;
}

TEST(an_interrupt_makes_its_victim_retry)
{
	owner_t me = owner_register("victim");
	uint64_t before[ZONE_COUNT], kernel = owner_lost(OWNER_KERNEL);

	handler.owner = owner_register("interrupt");
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		before[z] = zone_lost(z);
	if (rounds(me, 50) != 0) {
		test_skip("no block of order 6 below 16 MiB");
		goto end;
	}
	EXPECT_EQ(owner_lost(me), 0);		/* alone: nothing to lose against */

	handler.interrupts = handler.visits = handler.failed = 0;
	handler.next = EVERY;
	trap_handler_t old = trap_set_handler(VECTOR_DEBUG, take_and_give);
	interrupts_on();
	unsigned wrong = rounds(me, 600);
	interrupts_off();
	trap_set_handler(VECTOR_DEBUG, old);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(handler.failed, 0);

	EXPECT_CMP(owner_lost(me), >, 0);
	EXPECT_EQ(owner_lost(me) + owner_lost(handler.owner) + owner_lost(OWNER_KERNEL) - kernel,
		  zone_lost(ZONE_DMA) - before[ZONE_DMA]);
	EXPECT_EQ(zone_lost(ZONE_NORMAL), before[ZONE_NORMAL]);
	test_note("%llu interrupts, %llu retries", (unsigned long long)handler.interrupts,
		  (unsigned long long)owner_lost(me));
end:
	EXPECT_EQ(owner_unregister(me), 0);
	EXPECT_EQ(owner_unregister(handler.owner), 0);
}
