/* SPDX-License-Identifier: MIT */
/* alloc and free: the allocator by hand. */
#include <arch/directmap.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "kernel/shell.h"
#include "kernel/size_text.h"

/* The prompt holds its pages under a name of its own, taken at the first request. */
static owner_t shell_owner(void)
{
	static owner_t owner;

	if (owner.id == OWNER_NONE.id)
		owner = owner_register("shell");
	return owner;
}

static const struct { const char *name; gfp_t flag; } flags[] = {
	{ "atomic", GFP_ATOMIC }, { "nowait", GFP_NOWAIT }, { "kernel", GFP_KERNEL },
	{ "dma", GFP_DMA },	  { "dma32", GFP_DMA32 },   { "zero", GFP_ZERO },
	{ "excl", GFP_EXCL },
};

static bool parse_flag(const char *word, gfp_t *gfp)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(word, flags[i].name) == 0) {
			*gfp |= flags[i].flag;
			return true;
		}
	}
	return false;
}

static void explain_failure(const struct zone_walk *walk)
{
	if (walk->bad_flags || walk->bad_owner) {
		/* the allocator has said why */
		kprintf("Nothing taken.  Try: help alloc\n");
		return;
	}
	kprintf("Nothing fits.  Zone by zone:\n");
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		kprintf("  %-6s  %s, %llu frames free\n", zone_name(z),
			zone_refusal_name(walk->zone[z]), (unsigned long long)walk->free[z]);
}

/* What mm/ takes is narrower than what can be typed. */
static bool too_large(const char *undone, uint64_t order)
{
	char size[SIZE_TEXT_MAX];

	if (order <= ORDER_MAX)
		return false;
	kprintf("%s: the largest order is %u (%s).\n", undone, ORDER_MAX,
		size_text(size, (uint64_t)PAGE_SIZE << ORDER_MAX));
	return true;
}

static void show_block(const void *page, unsigned order)
{
	struct page_info info;
	char size[SIZE_TEXT_MAX];

	page_query(page_to_frame(page), &info);
	kprintf("%p: physical %#llx, order %u (%s), zone %s\n", page,
		(unsigned long long)directmap_phys(page).v, order,
		size_text(size, (uint64_t)PAGE_SIZE << order), zone_name(info.zone));
}

COMMAND(alloc, "[ORDER] [FLAG...]", "take a block of 2^ORDER pages",
	"  FLAGs: one of nowait (the default), atomic, kernel; dma or dma32; zero; excl.\n")
{
	struct zone_walk walk;
	uint64_t order = 0;
	gfp_t gfp = 0;
	int i = 1;

	if (argc > 1 && shell_number(argv[1], &order))
		i = 2;
	for (; i < argc; i++)
		if (!parse_flag(argv[i], &gfp)) {
			kprintf("%s is no flag; help alloc lists them\n", argv[i]);
			return false;
		}
	if (!(gfp & GFP_BEHAVIOUR))
		gfp |= GFP_NOWAIT;
	if (too_large("Nothing taken", order))
		return true;
	const void *page = allocpages_walk(gfp, (unsigned)order, shell_owner(), &walk);
	if (page)
		show_block(page, (unsigned)order);
	else
		explain_failure(&walk);
	return true;
}

/* What alloc says, or the physical address: both are meant. */
static bool parse_page(const char *word, void **page)
{
	uint64_t addr;

	if (!shell_address(word, &addr)) {
		kprintf("\"%s\" is neither an address nor the name of a function.\n", word);
		return false;
	}
	*page = addr < UPPER_HALF ? directmap_of((phys_t){ addr }) : (void *)(uintptr_t)addr;
	return true;
}

/* Two things are misaligned to the allocator; here one of them can be told. */
static const char *why_not(const void *page, enum page_error error)
{
	if (error == PAGE_MISALIGNED && (uintptr_t)page % PAGE_SIZE != 0)
		return "in the middle of a page";
	return page_error_name(error);
}

COMMAND(free, "ADDR [ORDER]", "give a block back",
	"  ADDR as alloc printed it, or physical.  Without ORDER the block's own is\n"
	"  taken; a wrong one is refused, as are pages that others hold.\n")
{
	struct page_info info = { .order = 0 };
	uint64_t order;
	void *page;
	char size[SIZE_TEXT_MAX];

	if (argc < 2 || argc > 3 || !parse_page(argv[1], &page))
		return false;
	frame_t frame = page_to_frame(page);
	if (!frame_is_none(frame))
		page_query(frame, &info);
	order = info.order;
	if (argc == 3 && !shell_number(argv[2], &order)) {
		kprintf("\"%s\" is no order: a number is wanted.\n", argv[2]);
		return false;
	}
	if (too_large("Not freed", order))
		return true;
	enum page_error error = freepages(page, (unsigned)order, shell_owner());
	if (error)
		kprintf("Not freed: %s.  Try: page %s\n", why_not(page, error), argv[1]);
	else
		kprintf("%p: order %u (%s) is free again\n", page, (unsigned)order,
			size_text(size, (uint64_t)PAGE_SIZE << order));
	return true;
}
