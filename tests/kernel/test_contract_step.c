/* SPDX-License-Identifier: MIT */
/*
 * Reserve contracts with interrupts at instruction granularity (I13): the handler
 * draws on the contract that the interrupted call is drawing on, giving to,
 * making or ending.
 */
#define SUITE "contract_step"
#include <tests/conformance/conform.h>

#include <arch/trap.h>
#include <labyrinth/contract.h>
#include <labyrinth/mm.h>

#define VECTOR_DEBUG 1u
#define BLOCKS       4u

static struct {
	owner_t owner, other;
	uint64_t interrupts, failed;
	bool declares;
	unsigned every;			/* instructions, on average */
} handler;

/* One block at a time, on top of the thread's three. */
static bool draw(struct trap_frame *f)
{
	(void)f;
	/* By chance: what takes longer than a fixed distance would never find peace. */
	handler.interrupts++;
	if (test_random_below(handler.every) != 0)
		return true;
	void *page = allocpages(GFP_ATOMIC | GFP_DMA, 0, handler.owner);
	if (!page || freepage(page, handler.owner) != PAGE_OK)
		handler.failed++;
	if (handler.declares && handler.interrupts % 3 == 0)
		contract_release(contract_declare(handler.other, GFP_DMA, 0, 2, NULL));
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

static unsigned thread_draws(void)
{
	void *page[BLOCKS - 1];
	unsigned wrong = 0;

	for (unsigned i = 0; i < BLOCKS - 1; i++)
		wrong += !(page[i] = allocpages(GFP_NOWAIT | GFP_DMA, 0, handler.owner));
	wrong += page_transfer(page[0], 0, handler.owner, handler.other) != PAGE_OK;
	wrong += freepage(page[0], handler.other) != PAGE_OK;
	for (unsigned i = 1; i < BLOCKS - 1; i++)
		wrong += freepage(page[i], handler.owner) != PAGE_OK;
	return wrong;
}

static unsigned thread_declares(void)
{
	struct contract_answer answer;
	contract_t k = contract_declare(handler.other, GFP_DMA, 1, 3, &answer);
	void *page = allocpages(GFP_ATOMIC | GFP_DMA, 1, handler.other);
	unsigned wrong = k.v == CONTRACT_NONE.v && answer.error != CONTRACT_SHORT;

	if (k.v != CONTRACT_NONE.v)
		wrong += !page || contract_release(k) != CONTRACT_OK;
	if (page)
		wrong += freepages(page, 1, handler.other) != PAGE_OK;
	return wrong;
}

static void step_through(struct conform *c, unsigned (*work)(void), unsigned rounds)
{
	unsigned wrong = 0;

	handler.owner = c->owner[1];
	handler.other = c->owner[2];
	handler.interrupts = handler.failed = 0;
	trap_handler_t old = trap_set_handler(VECTOR_DEBUG, draw);
	interrupts_on();
	for (unsigned i = 0; i < rounds; i++)
		wrong += work();
	interrupts_off();
	trap_set_handler(VECTOR_DEBUG, old);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(handler.failed, 0);
	test_note("%llu interrupts", (unsigned long long)handler.interrupts);
}

static void with_a_contract(struct conform *c, uint64_t spare, unsigned (*work)(void))
{
	struct contract_stats s;

	c->where = GFP_DMA;
	contract_t k = contract_declare(c->owner[1], GFP_DMA, 0, BLOCKS, NULL);
	ASSERT(k.v != CONTRACT_NONE.v);
	conform_squeeze(c, spare);
	step_through(c, work, handler.every > 1 ? 12 : 4);
	EXPECT(contract_stats(k, &s));
	EXPECT_EQ(s.aside, BLOCKS);
	EXPECT_EQ(contract_release(k), CONTRACT_OK);
}

static void drawing(struct conform *c)
{
	handler.declares = false;
	handler.every = 1;
	with_a_contract(c, 0, thread_draws);
}

static void declaring(struct conform *c)
{
	struct zone_stats s;

	handler.declares = true;
	/*
	 * Not at every one: a compare-and-swap in general memory whose word changes
	 * before each try would never come to an end (lock-free is not wait-free).
	 */
	handler.every = 101;
	zone_stats(ZONE_DMA, &s);
	with_a_contract(c, s.min + 16, thread_declares);
}

TEST(interrupts_draw_on_the_same_contract)
{
	conform_run(&labyrinth_ops, CONFORM_SMALL, drawing);
}

TEST(interrupts_find_contracts_half_made)
{
	conform_run(&labyrinth_ops, CONFORM_SMALL, declaring);
}
