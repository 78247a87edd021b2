/* SPDX-License-Identifier: MIT */
/*
 * Is the textbook allocator sane?  One pass over the frame records, block by
 * block, one over the lists, and the sums of both against the counters.
 */
#include "buddy.h"

/* What the audit counts for itself, to hold against what the allocator believes. */
struct tally {
	size_t wrong;
	void (*report)(const char *what);
	uint64_t free[ZONE_COUNT], held[ZONE_COUNT];	/* frames */
	uint64_t owned[OWNER_COUNT];			/* frames, by owner */
	uint64_t blocks[ZONE_COUNT][ORDER_COUNT];	/* free ones */
};

static void expect(struct tally *a, bool ok, const char *what)
{
	if (ok)
		return;
	a->wrong++;
	if (a->report)
		a->report(what);
}

/* One block, whose first frame is @f.  Return: its size in frames. */
static uint32_t audit_block(struct textbook *t, struct tally *a, uint32_t f)
{
	const struct textbook_frame *b = buddy_at(t, f);
	uint32_t size = 1u << b->order, buddy = f ^ size;
	enum zone_id z = buddy_zone_of(f);

	expect(a, f % size == 0, "I4: a block is not aligned to its size");
	if (size > t->end - f) {
		expect(a, false, "I2: a block ends beyond the memory there is");
		return 1;
	}
	for (uint32_t i = 1; i < size; i++)
		expect(a, buddy_at(t, f + i)->state == TEXTBOOK_INSIDE,
		       "I2: a block begins inside another");
	if (b->state != TEXTBOOK_FREE) {
		expect(a, b->owner.id > 0 && b->owner.id <= t->owners, "I7: held by nobody");
		a->held[z] += size;
		a->owned[b->owner.id % OWNER_COUNT] += size;
		return size;
	}
	a->free[z] += size;
	a->blocks[z][b->order]++;
	if (b->order < ORDER_MAX && buddy >= t->first && buddy < t->end &&
	    buddy_zone_of(buddy) == z)
		expect(a, buddy_at(t, buddy)->state != TEXTBOOK_FREE ||
			  buddy_at(t, buddy)->order != b->order,
		       "I8: two free buddies stand side by side");
	return size;
}

/* Every element of a list is a free block of the list's order, and linked both ways. */
static uint64_t audit_list(struct textbook *t, struct tally *a, unsigned zone, unsigned order)
{
	uint32_t prev = TEXTBOOK_NIL, f = t->zone[zone].list[order];
	uint64_t n = 0;

	while (f != TEXTBOOK_NIL && n <= t->zone[zone].blocks[order]) {
		const struct textbook_frame *b = buddy_at(t, f);

		expect(a, b->state == TEXTBOOK_FREE && b->order == order,
		       "I1: a list holds what is not a free block of its order");
		expect(a, b->prev == prev, "I1: a list is not linked both ways");
		prev = f;
		f = b->next;
		n++;
	}
	return n;
}

static void audit_zone(struct textbook *t, struct tally *a, unsigned zone)
{
	const struct textbook_zone *z = &t->zone[zone];

	expect(a, z->free == a->free[zone], "I3: the count of free frames is wrong");
	expect(a, z->total == a->free[zone] + a->held[zone], "I3: free + held is not the total");
	for (unsigned k = 0; k < ORDER_COUNT; k++) {
		uint64_t n = audit_list(t, a, zone, k);

		expect(a, n == z->blocks[k], "I1: a list's length is not its count");
		expect(a, n == a->blocks[zone][k], "I1: a free block is in no list");
	}
}

size_t textbook_audit(struct textbook *t, void (*report)(const char *what))
{
	static struct tally a;		/* too large for a kernel stack; one audit at a time */

	a = (struct tally){ .report = report };
	for (uint32_t f = t->first; f < t->end;)
		f += buddy_at(t, f)->state == TEXTBOOK_INSIDE ? 1 : audit_block(t, &a, f);
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		audit_zone(t, &a, z);
	for (unsigned o = 0; o < OWNER_COUNT; o++)
		expect(&a, a.owned[o] == t->held[o], "I7: an owner's count is wrong");
	return a.wrong;
}
