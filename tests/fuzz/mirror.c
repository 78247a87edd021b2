/* SPDX-License-Identifier: MIT */
/* Keeping the textbook allocator in step with labyrinth's, and comparing the two. */
#include "mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arch/directmap.h>
#include <labyrinth/memmap.h>
#include <labyrinth/mm.h>

#include "../../arch/host/machine.h"
#include "../textbook/buddy.h"

#define t (&the_textbook)

void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_alloc: %s\n", what);
	abort();
}


/* Made once and cleared where it was used: most of a sparse machine is no memory at all. */
static struct textbook_frame *frame_records(const struct frame_range *r, size_t n)
{
	static struct textbook_frame *frame;
	static struct frame_range used[MACHINE_RANGES];
	static size_t nused;

	if (!frame)
		frame = calloc(MACHINE_END, sizeof(*frame));
	require(frame && n <= MACHINE_RANGES && r[n - 1].end <= MACHINE_END, "no memory");
	for (size_t i = 0; i < nused; i++)
		memset(&frame[used[i].start], 0,
		       (used[i].end - used[i].start) * sizeof(*frame));
	memcpy(used, r, n * sizeof(*r));
	nused = n;
	return frame;
}

void mirror_start(const struct frame_range *r, size_t n, unsigned ncpu)
{
	struct textbook_frame *frame = frame_records(r, n);
	uint32_t end = r[n - 1].end;
	struct zone_stats s;

	require(labyrinth_ops.start(r, n, ncpu) == 0, "the machine does not start");
	textbook_init(t, frame, 0, end, host_ram);
	for (size_t i = 0; i < labyrinth_map.n; i++) {
		const struct mem_range *u = &labyrinth_map.r[i];

		if (u->type == MEM_USABLE)
			textbook_add(t, (uint32_t)(u->start >> PAGE_SHIFT),
				     (uint32_t)(u->end >> PAGE_SHIFT));
	}
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		labyrinth_ops.zone(z, &s);
		t->zone[z].min = s.min;
		t->zone[z].low = s.low;
	}
}

void mirror_stop(void)
{
	labyrinth_ops.stop();
}

static unsigned top_zone(gfp_t gfp)
{
	return gfp & GFP_DMA ? ZONE_DMA : gfp & GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

bool mirror_fits(gfp_t gfp, unsigned order, bool watermark)
{
	for (unsigned i = 0; i <= top_zone(gfp); i++) {
		const struct textbook_zone *z = &t->zone[i];
		uint64_t left = gfp & GFP_ATOMIC || !watermark ? 0 : z->min;

		for (unsigned k = order; k < ORDER_COUNT; k++)
			if (z->list[k] != TEXTBOOK_NIL && z->free >= left + (1u << order))
				return true;
	}
	return false;
}

void mirror_claim(frame_t f, gfp_t gfp, unsigned order, owner_t owner)
{
	require(f.n % (1u << order) == 0, "I4: a block is not aligned to its size");
	require(buddy_zone_of(f.n) <= top_zone(gfp), "I4: a block lies above its limit");
	require(buddy_claim(t, f.n, order), "I2: a block was not wholly free");

	struct textbook_frame *b = buddy_at(t, f.n);
	b->state = gfp & GFP_EXCL ? TEXTBOOK_EXCLUSIVE : TEXTBOOK_HELD;
	b->order = (uint8_t)order;
	b->owner = owner;
	t->held[owner.id] += 1u << order;
}

/* Is @e a true statement?  Where several are, each allocator may choose its own. */
static bool true_reason(enum page_error e, uint32_t f, unsigned order, owner_t owner)
{
	uint32_t head = buddy_block_of(t, f);
	const struct textbook_frame *b = head == TEXTBOOK_NIL ? NULL : buddy_at(t, head);
	bool held = b && b->state != TEXTBOOK_FREE;

	switch (e) {
	case PAGE_NOT_RAM:
		return !b;
	case PAGE_MISALIGNED:
		return order > ORDER_MAX || f % (1u << order) != 0;
	case PAGE_DOUBLE_FREE:
		return b && !held;
	case PAGE_INSIDE_BLOCK:
		return held && head != f;
	case PAGE_WRONG_OWNER:
		return held && head == f && b->owner.id != owner.id;
	case PAGE_WRONG_ORDER:
		return held && head == f && b->order != order;
	case PAGE_WRONG_STATE:
		return held && head == f;
	default:
		return false;
	}
}

void mirror_judge(enum page_error e, enum page_error mine, frame_t f, unsigned order,
		  owner_t owner)
{
	bool nobody = owner.id == 0 || owner.id > t->owners;
	bool true_answer = e == PAGE_OK ? mine == PAGE_OK :
			   mine != PAGE_OK && (e == mine || (e == PAGE_BAD_OWNER ? nobody :
			   true_reason(e, f.n, order, owner)));

	if (true_answer)
		return;
	fprintf(stderr, "frame 0x%x order %u owner %u: labyrinth says \"%s\", ", f.n, order,
		owner.id, page_error_name(e));
	fprintf(stderr, "the textbook \"%s\"\n", page_error_name(mine));
	require((e == PAGE_OK) == (mine == PAGE_OK), "one of the two refuses");
	require(false, "I5: the reason is not true");
}

static void report(const char *what)
{
	fprintf(stderr, "audit: %s\n", what);
}

void mirror_compare(unsigned ncpu)
{
	struct zone_stats s;

	for (unsigned i = ncpu; i-- > 0;) {
		host_bind_cpu(i);
		labyrinth_ops.drain();
	}
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		labyrinth_ops.zone(z, &s);
		require(s.total == t->zone[z].total, "I3: a zone's total differs");
		require(s.free == t->zone[z].free, "I3: a zone's free frames differ");
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			require(s.blocks[k] == t->zone[z].blocks[k],
				"I8: the free blocks of an order differ");
	}
	for (uint8_t o = 1; o <= t->owners; o++)
		require(labyrinth_ops.held((owner_t){ o }) == t->held[o],
			"I7: what an owner holds differs");
	require(labyrinth_ops.audit(report) == 0, "labyrinth's audit fails");
	/* It looks at every number up to the end, and is tested well enough elsewhere. */
	if (t->end < ZONE_DMA32_END)
		require(textbook_audit(t, report) == 0, "the textbook's audit fails");
}
