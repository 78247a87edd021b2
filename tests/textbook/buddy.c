/* SPDX-License-Identifier: MIT */
/*
 * The binary buddy system: K. C. Knowlton, "A fast storage allocator", CACM 8(10),
 * 1965; D. E. Knuth, The Art of Computer Programming, vol. 1, section 2.5,
 * algorithms R (reservation) and S (liberation).  Two blocks of 2^k frames are
 * buddies when their first frame numbers differ in bit k alone.
 */
#include "buddy.h"

enum zone_id buddy_zone_of(uint32_t f)
{
	return f < ZONE_DMA_END ? ZONE_DMA : f < ZONE_DMA32_END ? ZONE_DMA32 : ZONE_NORMAL;
}

uint32_t buddy_block_of(struct textbook *t, uint32_t f)
{
	for (unsigned k = 0; k <= ORDER_MAX && f >= t->first && f < t->end; k++) {
		uint32_t head = f & ~((1u << k) - 1);

		if (head < t->first)
			break;
		if (buddy_at(t, head)->state != TEXTBOOK_INSIDE && buddy_at(t, head)->order >= k)
			return head;
	}
	return TEXTBOOK_NIL;
}

/* --- the lists of free blocks: doubly linked, since a merge takes from the middle */

static void push(struct textbook *t, struct textbook_zone *z, uint32_t f, unsigned order)
{
	struct textbook_frame *b = buddy_at(t, f);

	b->state = TEXTBOOK_FREE;
	b->order = (uint8_t)order;
	b->prev = TEXTBOOK_NIL;
	b->next = z->list[order];
	if (b->next != TEXTBOOK_NIL)
		buddy_at(t, b->next)->prev = f;
	z->list[order] = f;
	z->blocks[order]++;
}

static void pull(struct textbook *t, struct textbook_zone *z, uint32_t f)
{
	struct textbook_frame *b = buddy_at(t, f);

	if (b->prev == TEXTBOOK_NIL)
		z->list[b->order] = b->next;
	else
		buddy_at(t, b->prev)->next = b->next;
	if (b->next != TEXTBOOK_NIL)
		buddy_at(t, b->next)->prev = b->prev;
	z->blocks[b->order]--;
	b->state = TEXTBOOK_INSIDE;
}

/* Algorithm R: the smallest block that is large enough; what is too much goes back. */
uint32_t buddy_reserve(struct textbook *t, struct textbook_zone *z, unsigned order)
{
	unsigned k = order;

	while (k <= ORDER_MAX && z->list[k] == TEXTBOOK_NIL)
		k++;
	if (k > ORDER_MAX)
		return TEXTBOOK_NIL;

	uint32_t f = z->list[k];
	pull(t, z, f);
	while (k-- > order)
		push(t, z, f + (1u << k), k);	/* the upper half */
	z->free -= 1u << order;
	return f;
}

/* The same for one block in particular: halve what it lies in until only it is left. */
bool buddy_claim(struct textbook *t, uint32_t f, unsigned order)
{
	struct textbook_zone *z = &t->zone[buddy_zone_of(f)];
	uint32_t head = buddy_block_of(t, f);

	if (head == TEXTBOOK_NIL || buddy_at(t, head)->state != TEXTBOOK_FREE ||
	    buddy_at(t, head)->order < order)
		return false;

	unsigned k = buddy_at(t, head)->order;
	pull(t, z, head);
	while (k-- > order) {
		uint32_t upper = head + (1u << k);

		push(t, z, f >= upper ? head : upper, k);
		head = f >= upper ? upper : head;
	}
	z->free -= 1u << order;
	return true;
}

/* A free block of just this order, in the same zone: zones never merge. */
static bool is_free_buddy(struct textbook *t, uint32_t f, uint32_t buddy, unsigned order)
{
	if (buddy < t->first || buddy >= t->end)
		return false;
	return buddy_at(t, buddy)->state == TEXTBOOK_FREE && buddy_at(t, buddy)->order == order &&
	       buddy_zone_of(buddy) == buddy_zone_of(f);
}

/* Algorithm S: as long as the buddy is free as well, the two become one. */
void buddy_liberate(struct textbook *t, uint32_t f, unsigned order)
{
	struct textbook_zone *z = &t->zone[buddy_zone_of(f)];

	z->free += 1u << order;
	for (; order < ORDER_MAX; order++) {
		uint32_t buddy = f ^ (1u << order);

		if (!is_free_buddy(t, f, buddy, order))
			break;
		pull(t, z, buddy);
		buddy_at(t, f)->state = TEXTBOOK_INSIDE;
		f &= ~(1u << order);		/* the lower of the two */
	}
	push(t, z, f, order);
}

/* --- setting up */

void textbook_init(struct textbook *t, struct textbook_frame *frame, uint32_t first,
		   uint32_t end, void *memory)
{
	*t = (struct textbook){ .lock = ATOMIC_FLAG_INIT, .frame = frame, .first = first,
				.end = end, .memory = memory };
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			t->zone[z].list[k] = TEXTBOOK_NIL;
}

void textbook_add(struct textbook *t, uint32_t start, uint32_t end)
{
	while (start < end) {
		unsigned k = 0;

		/* The largest block that is aligned here, and ends in the range and zone. */
		while (k < ORDER_MAX && start % (2u << k) == 0 && (2u << k) <= end - start &&
		       buddy_zone_of(start + (2u << k) - 1) == buddy_zone_of(start))
			k++;
		t->zone[buddy_zone_of(start)].total += 1u << k;
		buddy_liberate(t, start, k);
		start += 1u << k;
	}
}
