/* SPDX-License-Identifier: MIT */
/*
 * What the interrupted thread does: questions, whose answers are snapshots while
 * visitors come and go; the calls must come back, and leave everything as it is.
 */
#include <labyrinth/mm_sleep.h>

#include "scripts.h"

void script_queries(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0);
	void *block = script_take_quietly(GFP_ATOMIC, 4);
	frame_t f = page_to_frame(page), last = page_to_frame(book_dead_end());
	struct page_info info;
	void *asleep = book_asleep();

	STEPPED(0, page_query(f, &info));
	STEPPED(0, page_query((frame_t){ page_to_frame(block).n + 3 }, &info));
	STEPPED(0, page_query(last, &info));
	STEPPED(0, page_query(FRAME_NONE, &info));
	STEPPED(0, page_query((frame_t){ 0 }, &info));
	if (asleep)
		STEPPED(0, page_query(page_to_frame(asleep), &info));
	script_give_quietly(page, 0);
	STEPPED(0, page_query(f, &info));
	script_give_quietly(block, 4);
	page_drain();
	STEPPED(0, page_query(f, &info));
	STEPPED(0, f = page_to_frame(&info));
	STEPPED(0, page = frame_to_page((frame_t){ 5 }));
}

void script_counters(void)
{
	struct zone_stats zone;
	struct zone_counts counts;
	struct owner_stats owner;
	struct mm_stats mm;
	struct mm_event event[4];
	void *block = script_take_quietly(GFP_ATOMIC, 5);
	void *large = script_take_quietly(GFP_ATOMIC, 7);
	unsigned unusable = 0;
	size_t n = 0;

	for (unsigned o = 0; o < 10; o += 3)
		script_give_quietly(script_take_quietly(GFP_ATOMIC, o), o);
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		STEPPED(0, zone_stats((enum zone_id)z, &zone));
		STEPPED(0, zone_counts((enum zone_id)z, &counts));
		STEPPED(0, unusable += zone_unusable(&zone, 5));
	}
	STEPPED(0, owner_stats(step_owner[STEP_VISITOR], &owner));
	STEPPED(0, owner_stats((owner_t){ OWNER_COUNT }, &owner));
	STEPPED(0, mm_stats(&mm));
	STEPPED(0, n = mm_events(event, 4));
	script_give_quietly(block, 5);
	script_give_quietly(large, 7);
	zone = (struct zone_stats){ .total = unusable + n };
	STEPPED(0, unusable = zone_unusable(&zone, 5));
}

static void hear(const char *line) { (void)line; }

void script_audit(void)
{
	void *page = script_take_quietly(GFP_ATOMIC, 0), *lent = script_take_quietly(GFP_ATOMIC, 2);
	void *low[2] = { script_take_quietly(GFP_ATOMIC | GFP_DMA, 0),
			 script_take_quietly(GFP_ATOMIC | GFP_DMA32, 3) };
	contract_t c = contract_declare(step_owner[STEP_THREAD], GFP_DMA, 1, 2, NULL);

	/* Homes that are whole: not merged, and not to be complained about. */
	for (unsigned o = 0; o < 10; o += 3)
		script_give_quietly(script_take_quietly(GFP_ATOMIC, o), o);
	page_lend(lent, 2, step_owner[STEP_THREAD]);
	/* What it finds while others come and go means nothing. */
	STEPPED(0, mm_audit(hear));
	STEPPED(0, mm_audit(NULL));
	/* One of the contract's blocks is out, and then it ends: it is dying. */
	script_fill(GFP_ATOMIC | GFP_DMA, 0, 0);
	void *drawn = allocpages(GFP_ATOMIC | GFP_DMA, 1, step_owner[STEP_THREAD]);
	script_unfill();
	STEPPED(0, mm_audit(hear));
	if (drawn)
		freepages(drawn, 1, step_owner[STEP_THREAD]);
	page_reclaim(lent, 2, step_owner[STEP_THREAD]);
	contract_release(c);
	script_give_quietly(low[0], 0);
	script_give_quietly(low[1], 3);
	script_give_quietly(page, 0);
	script_give_quietly(lent, 2);
}

void script_names(void)
{
	const char *name = NULL;

	STEPPED(0, name = zone_name(ZONE_DMA));
	STEPPED(0, name = zone_name(ZONE_COUNT));
	STEPPED(0, name = page_error_name(PAGE_DOUBLE_FREE));
	STEPPED(0, name = page_error_name(PAGE_ERROR_COUNT));
	STEPPED(0, name = page_state_name(PAGE_HELD));
	STEPPED(0, name = page_state_name(PAGE_STATE_COUNT));
	STEPPED(0, name = zone_refusal_name(ZONE_FRAGMENTED));
	STEPPED(0, name = zone_refusal_name(ZONE_REFUSAL_COUNT));
	STEPPED(0, name = contract_error_name(CONTRACT_SHORT));
	STEPPED(0, name = contract_error_name(CONTRACT_ERROR_COUNT));
	STEPPED(0, name = mem_type_name(MEM_KERNEL));
	STEPPED(0, name = mem_type_name(MEM_TYPE_COUNT));
	if (!name)
		step_violation("I1", "a name is missing");
	STEPPED(0, mm_report_to(hear));
	STEPPED(0, mm_report_to(NULL));
	mm_report_to(hear);
}

void script_memory_map(void)
{
	static struct memmap map, empty, all;
	struct memmap_summary sum;
	bool hole = false;
	enum mem_type type = MEM_USABLE;

	memmap_init(&empty);
	memmap_init(&map);
	memmap_add(&map, 0x1000, 0x9f000, MEM_USABLE);
	memmap_add(&map, 0x100000, 0x1800800, MEM_USABLE);
	memmap_add(&map, 0x1700000, 0x1710000, MEM_RESERVED);
	memmap_add(&map, 0x1800800, 0x1900000, MEM_USABLE);
	memmap_add(&map, (uint64_t)4 << 30, (uint64_t)5 << 30, MEM_USABLE);
	STEPPED(0, type = memmap_type_at(&map, 0x2000, &hole));
	STEPPED(0, type = memmap_type_at(&map, 0xa0000, &hole));
	STEPPED(0, type = memmap_type_at(&map, UINT64_MAX, NULL));
	STEPPED(0, type = memmap_type_at(&map, UINT64_MAX, &hole));
	STEPPED(0, type = memmap_type_at(&map, (uint64_t)6 << 30, NULL));
	STEPPED(0, type = memmap_type_at(&map, (uint64_t)6 << 30, &hole));
	STEPPED(0, memmap_summarize(&map, &sum));
	STEPPED(0, memmap_summarize(&empty, &sum));
	memmap_init(&all);
	memmap_add(&all, 0x1000, UINT64_MAX, MEM_RESERVED);
	STEPPED(0, type = memmap_type_at(&all, UINT64_MAX, NULL));
	for (uint32_t e = 0; e < 9; e++)
		STEPPED(0, type = mem_type_from_e820(e));
	if (type != MEM_RESERVED || !hole)
		step_violation("I4", "the memory map says something else while visitors come");
}

/* Requests that a test makes fail: armed at rest, counted while visitors come. */
void script_injected(void)
{
	static const gfp_t where[] = { 0, GFP_DMA, GFP_DMA32 };
	owner_t me = step_owner[STEP_THREAD];
	contract_t c = CONTRACT_NONE;
	struct zone_walk walk;
	void *page = NULL;

	book_pooled += 1 << 20;		/* the request that fails may be a visitor's */
	for (unsigned n = 1; n < 6; n++) {
		unsigned order = n < 4 ? 0 : 2;
		gfp_t gfp = where[n % 3];

		mm_fail_nth(n % 3 + 1);
		if (n == 5)
			STEPPED(4, page = mm_try(GFP_KERNEL | gfp, order, me, &walk));
		else
			STEPPED(4, page = allocpages(GFP_ATOMIC | gfp, order, me));
		mm_fail_nth(0);
		if (page)
			freepages(page, order, me);
	}
	mm_fail_nth(1);
	STEPPED(1, c = contract_declare(me, 0, 0, 1, NULL));
	mm_fail_nth(0);
	contract_release(c);
	mm_fail_nth(1);
	STEPPED(0, page = mm_try(GFP_KERNEL | GFP_DMA, 0, me, &walk));
	mm_fail_nth(0);
	if (page)
		freepage(page, me);
}
