/* SPDX-License-Identifier: MIT */
/* Scenarios of whole calls: frame words, owners, caches, interrupts, sleeping memory. */
#include "scenario.h"
#include "scenarios.h"

#include <labyrinth/contract.h>

#include "../../mm/mm_state.h"
#include "../../mm/word.h"

static void nothing(void) { }

static void *page_of(uint32_t frame) { return frame_to_page((frame_t){ frame }); }

static void alloc_free(void)
{
	uint32_t f = do_alloc(0);

	if (f != NO_FRAME)
		do_free(f, 0);
}

static void alloc_free_3(void)
{
	uint32_t f = do_alloc(3);

	if (f != NO_FRAME)
		do_free(f, 3);
}

static void alloc(void) { do_alloc(0); }

/* --- caches and interrupts */

static void warm(void)
{
	freepage(allocpage(GFP_ATOMIC, OWNER_KERNEL), OWNER_KERNEL);
}

const struct scenario case_irq_hot = {
	.name = "irq-hot", .what = "the hot path, and an interrupt that takes and gives",
	.areas = 1, .setup = warm,
	.program = { .cpus = 1, .cpu = { alloc_free }, .irq = { alloc_free } },
};

const struct scenario case_irq_take = {
	.name = "irq-take", .what = "the hot path, and an interrupt that takes and keeps",
	.areas = 1, .setup = warm,
	.program = { .cpus = 1, .cpu = { alloc_free }, .irq = { alloc } },
};

const struct scenario case_irq_cold = {
	.name = "irq-cold", .what = "a refill, and an interrupt that refills in the middle of it",
	.areas = 1, .setup = nothing,
	.program = { .cpus = 1, .cpu = { alloc_free }, .irq = { alloc_free } },
};

const struct scenario case_irq_2 = {
	.name = "irq-2", .what = "a refill, an interrupt in it, and another CPU",
	.areas = 1, .setup = nothing,
	.program = { .cpus = 2, .cpu = { alloc, alloc_free_3 }, .irq = { alloc } },
};

static void drain(void) { page_drain(); }

const struct scenario case_irq_drain = {
	.name = "irq-drain", .what = "a drain, and an interrupt that takes and gives",
	.areas = 1, .setup = warm,
	.program = { .cpus = 1, .cpu = { drain }, .irq = { alloc_free } },
};

const struct scenario case_irq_drain_2 = {
	.name = "irq-drain-2", .what = "a drain, and an interrupt that takes and keeps",
	.areas = 1, .setup = warm,
	.program = { .cpus = 1, .cpu = { drain }, .irq = { alloc } },
};

/* All but a page of an area that is CPU 0's home is free. */
static void home_but_a_page(void)
{
	hold_all(6);
	take_for(0, 0);
	let(0, 9);
	make_home(0, 6);
}

static void give_0(void) { do_give(0, 0); }

const struct scenario case_home_left = {
	.name = "home-left", .what = "a gift makes a home whole, and an interrupt leaves it",
	.areas = 1, .setup = home_but_a_page,
	.program = { .cpus = 1, .cpu = { give_0 }, .irq = { drain } },
};

/* --- wrong frees, and hands changing at once */

static uint64_t wins;
static uint32_t victim;

static void lend_0(void)
{
	wins = 0;
	victim = page_to_frame(allocpage(GFP_ATOMIC, history_owner)).n;
}

static void lend_3(void)
{
	wins = 0;
	victim = page_to_frame(allocpages(GFP_ATOMIC, 3, history_owner)).n;
}

static void won(enum page_error e, unsigned order, enum page_error other)
{
	if (e != PAGE_OK && e != PAGE_DOUBLE_FREE && e != other)
		explore_fail("refused for a wrong reason: %s", page_error_name(e));
	if (e == PAGE_OK)
		explore_set(&wins, wins + ((uint64_t)1 << order));
}

static void free_0(void) { won(freepage(page_of(victim), history_owner), 0, PAGE_DOUBLE_FREE); }

static void free_3(void)
{
	won(freepages(page_of(victim), 3, history_owner), 0, PAGE_DOUBLE_FREE);
}

static void transfer(void)
{
	won(page_transfer(page_of(victim), 0, history_owner, OWNER_KERNEL), 8, PAGE_DOUBLE_FREE);
}

static void free_transferred(void)
{
	won(freepage(page_of(victim), history_owner), 0, PAGE_WRONG_OWNER);
}

static void one_won(void)
{
	if (wins != 1)
		explore_fail("I5: %llu frees of one block succeeded", (unsigned long long)wins);
}

/* The generation tells that it was freed or transferred, once. */
static void one_won_or_transferred(void)
{
	if (wins != 1 && wins != 0x100)
		explore_fail("a free and a transfer both succeeded");
	if (wins == 0x100 && freepage(page_of(victim), OWNER_KERNEL) != PAGE_OK)
		explore_fail("the page is not with its new owner");
	if (word_generation(atom_load(&mm.words[victim])) != (wins == 1 ? 1 : 2))
		explore_fail("W2: the generation has not grown with each change of hands");
}

const struct scenario case_double = {
	.name = "double", .what = "a page freed twice at once: exactly one is right",
	.areas = 1, .setup = lend_0, .also = one_won,
	.program = { .cpus = 2, .cpu = { free_0, free_0 } },
};

const struct scenario case_double_3 = {
	.name = "double-3", .what = "a block freed twice at once",
	.areas = 1, .setup = lend_3, .also = one_won,
	.program = { .cpus = 2, .cpu = { free_3, free_3 } },
};

const struct scenario case_double_irq = {
	.name = "double-irq", .what = "a page freed, and freed again by an interrupt in it",
	.areas = 1, .setup = lend_0, .also = one_won,
	.program = { .cpus = 1, .cpu = { free_0 }, .irq = { free_0 } },
};

const struct scenario case_transfer_free = {
	.name = "transfer", .what = "a free against a transfer",
	.areas = 1, .setup = lend_0, .also = one_won_or_transferred,
	.program = { .cpus = 2, .cpu = { free_transferred, transfer } },
};

/* --- the very last frames, through whole calls: no caches below the low mark */

static void one_page_left(void)
{
	hold_all(0);
	let(100, 0);
}

const struct scenario case_page_last = {
	.name = "page-last", .what = "two CPUs and one page",
	.areas = 1, .exact = true, .setup = one_page_left,
	.program = { .cpus = 2, .cpu = { alloc_free, alloc } },
};

static uint64_t failed_calls(void)
{
	struct zone_counts s;
	uint64_t sum = 0;

	zone_counts(zone_id(mm.hot_zone), &s);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		sum += s.failures[r];
	return sum;
}

static uint64_t failed_before, failed_of_owner;

static uint64_t owner_failed(void)
{
	struct owner_stats s;
	uint64_t sum = 0;

	owner_stats(history_owner, &s);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		sum += s.failures[r];
	return sum;
}

static void nothing_left(void)
{
	hold_all(9);
	failed_before = failed_calls();
	failed_of_owner = owner_failed();
}

static void fail(void) { do_alloc(0); }

static void both_counted(void)
{
	if (failed_calls() != failed_before + 2 || owner_failed() != failed_of_owner + 2)
		explore_fail("I3: a failed call was not counted");
}

const struct scenario case_fail_count = {
	.name = "fail-count", .what = "two CPUs fail at once, and both are counted",
	.areas = 1, .setup = nothing_left, .also = both_counted,
	.program = { .cpus = 2, .cpu = { fail, fail } },
};

/* --- a reserve contract of one page, all else held */

static contract_t contract;

static void contracted(unsigned pages)
{
	contract = contract_declare(history_owner, 0, 0, pages, NULL);
	if (contract.v == 0)
		explore_fail("the contract was refused");
	page_drain();
	hold_all(9);
}

static void one_page_contracted(void) { contracted(1); }
static void two_pages_contracted(void) { contracted(2); }

static void release(void) { contract_release(contract); }

static void is_released(void)
{
	enum contract_error e = contract_release(contract);

	if (e != CONTRACT_OK && e != CONTRACT_STALE)
		explore_fail("a contract could not be released: %s", contract_error_name(e));
}

const struct scenario case_contract = {
	.name = "contract", .what = "a contract ends while its page is taken and given back",
	.areas = 1, .setup = one_page_contracted, .also = is_released, .no_history = true,
	.program = { .cpus = 2, .cpu = { alloc_free, release } },
};

const struct scenario case_contract_2 = {
	.name = "contract-2", .what = "two CPUs draw on a contract of one page",
	.areas = 1, .setup = one_page_contracted, .also = is_released, .no_history = true,
	.program = { .cpus = 2, .cpu = { alloc_free, alloc_free } },
};

/* K2: each gets a page, and not the same. */
static void alloc_promised(void)
{
	if (do_alloc(0) == NO_FRAME)
		explore_fail("K2: a contract of two pages failed its second taker");
}

const struct scenario case_contract_two = {
	.name = "contract-two", .what = "two CPUs draw on a contract of two pages",
	.areas = 1, .setup = two_pages_contracted, .also = is_released, .no_history = true,
	.program = { .cpus = 2, .cpu = { alloc_promised, alloc_promised } },
};

const struct scenario case_contract_two_irq = {
	.name = "contract-2i", .what = "a contract of two pages, an interrupt takes the second",
	.areas = 1, .setup = two_pages_contracted, .also = is_released, .no_history = true,
	.program = { .cpus = 1, .cpu = { alloc_promised }, .irq = { alloc_promised } },
};

const struct scenario case_contract_irq = {
	.name = "contract-irq", .what = "a contract is drawn on, and again by an interrupt",
	.areas = 1, .setup = one_page_contracted, .also = is_released, .no_history = true,
	.program = { .cpus = 1, .cpu = { alloc_free }, .irq = { alloc_free } },
};

/* --- memory that sleeps: areas beyond the 32 that are woken at boot */

#define SLEEPERS_FROM 0x1000u

static void all_awake_held(void) { hold_all_awake(); }

static void take_9(void) { do_take(9); }
static void take_6(void) { do_take(6); }
static void take_0(void) { do_take(0); }

static void take_give_0(void)
{
	uint32_t f = do_take(0);

	if (f != NO_FRAME)
		do_give(f, 0);
}

/* One area is awake in part: a group, all of it held. */
static void part_awake(void)
{
	hold_all_awake();
	hold_fresh_group();
}

const struct scenario case_wake = {
	.name = "wake", .what = "two CPUs wake memory at once, of which there is enough for both",
	.areas = 34, .first = SLEEPERS_FROM, .strict = true, .setup = all_awake_held,
	.program = { .cpus = 2, .cpu = { take_9, take_0 } },
};

const struct scenario case_wake_groups = {
	.name = "wake-groups", .what = "two CPUs wake a group each, and one gives its frame back",
	.areas = 34, .first = SLEEPERS_FROM, .strict = true, .setup = all_awake_held,
	.program = { .cpus = 2, .cpu = { take_0, take_give_0 } },
};

const struct scenario case_wake_irq = {
	.name = "wake-irq", .what = "a refill that wakes, and an interrupt in it that does",
	.areas = 34, .first = SLEEPERS_FROM, .setup = all_awake_held,
	.program = { .cpus = 1, .cpu = { alloc_free }, .irq = { alloc_free } },
};

const struct scenario case_wake_cached = {
	.name = "wake-cached", .what = "two CPUs wake groups for their caches",
	.areas = 34, .first = SLEEPERS_FROM, .setup = all_awake_held,
	.program = { .cpus = 2, .cpu = { alloc, alloc } },
};

const struct scenario case_wake_part = {
	.name = "wake-part", .what = "the last groups that sleep: one claims the next, one all",
	.areas = 33, .first = SLEEPERS_FROM, .setup = part_awake,
	.program = { .cpus = 2, .cpu = { take_0, take_6 } },
};

const struct scenario case_wake_rest = {
	.name = "wake-rest", .what = "what sleeps in an area that is awake in part is found",
	.areas = 33, .first = SLEEPERS_FROM, .strict = true, .setup = part_awake,
	.program = { .cpus = 1, .cpu = { take_0 } },
};

const struct scenario case_wake_last = {
	.name = "wake-last", .what = "the last area: one wants a page, one all of it",
	.areas = 33, .first = SLEEPERS_FROM, .setup = all_awake_held,
	.program = { .cpus = 2, .cpu = { take_0, take_9 } },
};
