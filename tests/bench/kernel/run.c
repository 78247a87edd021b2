/* SPDX-License-Identifier: MIT */
/* bench=PATTERN[,PATTERN...] on the command line: which cases run, and in which order. */
#include <labyrinth/cmdline.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "../../test.h"
#include "kbench.h"

static const char *patterns;

/* Does one of the patterns, as for test=, select allocator.name? */
static bool wanted(const char *allocator, const char *name)
{
	const struct test t = { allocator, name, NULL, false };
	char pattern[64];

	for (const char *p = patterns; *p;) {
		const char *comma = strchr(p, ',');
		size_t len = comma ? (size_t)(comma - p) : strlen(p);

		ksnprintf(pattern, sizeof pattern, "%.*s", (int)len, p);
		if (len > 0 && test_selected(&t, pattern))
			return true;
		p += len + (comma != NULL);
	}
	return !*patterns;
}

struct kbench_taken kbench_big;

void kbench_take(struct kbench_taken *t, unsigned most, unsigned least,
		 frame_t (*take)(unsigned order))
{
	for (unsigned k = most + 1; k-- > least;)
		while (t->n < KBENCH_BLOCKS && !frame_is_none(t->block[t->n] = take(k)))
			t->order[t->n++] = (uint8_t)k;
}

/* Room for the names of all pages, below 4 GiB, so that the largest blocks stay whole. */
static void *take_list(unsigned *order)
{
	struct mm_stats s;

	mm_stats(&s);
	for (*order = 0; PAGE_SIZE << *order < s.frames * sizeof(void *);)
		++*order;
	return *order > ORDER_MAX ? NULL
	     : allocpages(GFP_ATOMIC | GFP_DMA32, *order, OWNER_KERNEL);
}

static void run_drain(const struct kbench_allocator *a)
{
	unsigned order;
	void *list = take_list(&order);

	if (!list) {
		kprintf("BENCH-NOTE %s.drain: no room for a list of all pages\n", a->name);
		return;
	}
	a->drain(list, PAGE_SIZE << order);
	freepages(list, order, OWNER_KERNEL);
}

static void run_cases(const struct kbench_allocator *a)
{
	const struct { const char *name; void (*run)(void); } cases[] = {
		{ "hot", a->hot }, { "batch", a->batch }, { "transfer", a->transfer },
		{ "interrupt", a->interrupt }, { "pool", a->pool }, { "scarce", a->scarce },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (cases[i].run && wanted(a->name, cases[i].name))
			cases[i].run();
}

static bool any_wanted(const char *allocator)
{
	static const char *const names[] = { "hot", "batch", "transfer", "scarce", "drain" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (wanted(allocator, names[i]))
			return true;
	return false;
}

static void run_textbook(void)
{
	unsigned order;
	void *list = wanted("textbook", "drain") ? take_list(&order) : NULL;

	/* The list before everything else is lent. */
	if (kbench_textbook_start()) {
		run_cases(&kbench_textbook);
		if (list)
			kbench_textbook.drain(list, PAGE_SIZE << order);
	} else {
		kprintf("BENCH-NOTE textbook: no room for its records\n");
	}
	kbench_textbook_stop();
	if (list)
		freepages(list, order, OWNER_KERNEL);
}

void bench_run(const char *which)
{
	patterns = which;
	cmdline_u64("benchtrace", &kbench_traced);
	kbench_calibrate();
	run_cases(&kbench_labyrinth);
	if (wanted("labyrinth", "drain"))
		run_drain(&kbench_labyrinth);
	if (any_wanted("textbook"))
		run_textbook();
	if (wanted("kernel", "interrupts"))
		kbench_interrupts();
	if (wanted("kernel", "threads"))
		kbench_threads();
	if (wanted("labyrinth", "boot"))
		kbench_boot();
	kprintf("BENCH-END\n");
}
