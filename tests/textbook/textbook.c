/* SPDX-License-Identifier: MIT */
/*
 * What the kernel promises about pages, kept the simple way: one lock around the
 * buddy system in buddy.c, and a record for every frame of who holds it.
 */
#include "textbook.h"

#include "buddy.h"

#include <arch/cpu.h>

static void lock(struct textbook *t)
{
	/* Acquire: pairs with the release in unlock(), so that we see all it wrote. */
	while (atomic_flag_test_and_set_explicit(&t->lock, memory_order_acquire))
		cpu_relax();
}

static void unlock(struct textbook *t)
{
	/* Release: pairs with the acquire in lock(). */
	atomic_flag_clear_explicit(&t->lock, memory_order_release);
}

/* --- allocation */

static bool known(const struct textbook *t, owner_t owner)
{
	return owner.id > 0 && owner.id <= t->owners;
}

static bool gfp_makes_sense(gfp_t gfp)
{
	gfp_t behaviour = gfp & GFP_BEHAVIOUR;

	if (behaviour == 0 || (behaviour & (behaviour - 1)) != 0)
		return false;			/* exactly one behaviour */
	return (gfp & GFP_WHERE) != GFP_WHERE && (gfp & ~GFP_ALL) == 0;
}

static enum zone_id highest_zone(gfp_t gfp)
{
	return gfp & GFP_DMA ? ZONE_DMA : gfp & GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/* What a request must leave in the zone. */
static uint64_t watermark(const struct textbook_zone *z, gfp_t gfp)
{
	return gfp & GFP_ATOMIC ? 0 : gfp & GFP_NOWAIT ? z->min : z->low;
}

static enum zone_refusal try_zone(struct textbook *t, struct textbook_zone *z, gfp_t gfp,
				  unsigned order, uint32_t *f)
{
	uint64_t size = 1u << order;

	if (z->total == 0)
		return ZONE_EMPTY;
	if (z->total < size)
		return ZONE_TOO_SMALL;
	if (z->free < size)
		return ZONE_EXHAUSTED;
	if (z->free - size < watermark(z, gfp))
		return ZONE_BELOW_WATERMARK;
	*f = buddy_reserve(t, z, order);
	return *f == TEXTBOOK_NIL ? ZONE_FRAGMENTED : ZONE_SERVED;
}

/* The zone walk: from the highest allowed zone down, because low memory is scarce. */
static uint32_t walk_zones(struct textbook *t, gfp_t gfp, unsigned order, struct zone_walk *walk)
{
	uint32_t f = TEXTBOOK_NIL;

	for (unsigned i = ZONE_COUNT; i-- > 0;) {
		struct textbook_zone *z = &t->zone[i];

		walk->free[i] = z->free;
		if (f != TEXTBOOK_NIL)
			walk->zone[i] = ZONE_NOT_TRIED;
		else if (i > highest_zone(gfp))
			walk->zone[i] = ZONE_EXCLUDED;
		else
			walk->zone[i] = try_zone(t, z, gfp, order, &f);
	}
	return f;
}

frame_t textbook_alloc(struct textbook *t, gfp_t gfp, unsigned order, owner_t owner,
		       struct zone_walk *walk)
{
	struct zone_walk unread;

	walk = walk ? walk : &unread;
	*walk = (struct zone_walk){ .bad_flags = !gfp_makes_sense(gfp) || order > ORDER_MAX,
				    .bad_owner = !known(t, owner) };
	for (unsigned i = 0; i < ZONE_COUNT; i++)
		walk->zone[i] = ZONE_NOT_TRIED;
	if (walk->bad_flags || walk->bad_owner)
		return FRAME_NONE;

	lock(t);
	uint32_t f = walk_zones(t, gfp, order, walk);
	if (f != TEXTBOOK_NIL) {
		struct textbook_frame *b = buddy_at(t, f);

		b->state = gfp & GFP_EXCL ? TEXTBOOK_EXCLUSIVE : TEXTBOOK_HELD;
		b->order = (uint8_t)order;
		b->owner = owner;
		t->held[owner.id] += 1u << order;
	}
	unlock(t);
	if (f != TEXTBOOK_NIL && (gfp & GFP_ZERO) != 0)
		__builtin_memset(t->memory + ((size_t)(f - t->first) << PAGE_SHIFT), 0,
				 PAGE_SIZE << order);
	return (frame_t){ f };			/* TEXTBOOK_NIL is FRAME_NONE */
}

/* --- giving back, and the other changes of hands */

/* May @owner do something to the block of @order at @f?  The reasons against it (I5). */
static enum page_error check(struct textbook *t, uint32_t f, unsigned order, owner_t owner)
{
	uint32_t head = buddy_block_of(t, f);

	if (!known(t, owner))
		return PAGE_BAD_OWNER;
	if (head == TEXTBOOK_NIL)
		return PAGE_NOT_RAM;
	if (order > ORDER_MAX || f % (1u << order) != 0)
		return PAGE_MISALIGNED;
	if (buddy_at(t, head)->state == TEXTBOOK_FREE)
		return PAGE_DOUBLE_FREE;
	if (head != f)
		return PAGE_INSIDE_BLOCK;
	if (buddy_at(t, f)->owner.id != owner.id)
		return PAGE_WRONG_OWNER;
	return buddy_at(t, f)->order == order ? PAGE_OK : PAGE_WRONG_ORDER;
}

static enum page_error check_unshared(struct textbook *t, uint32_t f, unsigned order, owner_t owner)
{
	enum page_error e = check(t, f, order, owner);

	return e == PAGE_OK && buddy_at(t, f)->refs > 0 ? PAGE_WRONG_STATE : e;
}

enum page_error textbook_free(struct textbook *t, frame_t f, unsigned order, owner_t owner)
{
	lock(t);
	enum page_error e = check_unshared(t, f.n, order, owner);
	if (e == PAGE_OK) {
		buddy_at(t, f.n)->generation++;
		t->held[owner.id] -= 1u << order;
		buddy_liberate(t, f.n, order);
	}
	unlock(t);
	return e;
}

enum page_error textbook_transfer(struct textbook *t, frame_t f, unsigned order,
				  owner_t from, owner_t to)
{
	lock(t);
	enum page_error e = known(t, to) ? check_unshared(t, f.n, order, from) : PAGE_BAD_OWNER;
	if (e == PAGE_OK) {
		buddy_at(t, f.n)->generation++;
		buddy_at(t, f.n)->owner = to;
		t->held[from.id] -= 1u << order;
		t->held[to.id] += 1u << order;
	}
	unlock(t);
	return e;
}

static enum page_error reference(struct textbook *t, uint32_t f, owner_t owner, int change)
{
	lock(t);
	uint32_t head = buddy_block_of(t, f);
	enum page_error e = check(t, f, head == f ? buddy_at(t, f)->order : 0, owner);
	if (e == PAGE_OK && (buddy_at(t, f)->state == TEXTBOOK_EXCLUSIVE ||
			     (change < 0 && buddy_at(t, f)->refs == 0)))
		e = PAGE_WRONG_STATE;
	if (e == PAGE_OK)
		buddy_at(t, f)->refs += (uint32_t)change;
	unlock(t);
	return e;
}

enum page_error textbook_share(struct textbook *t, frame_t f, owner_t owner)
{
	return reference(t, f.n, owner, 1);
}

enum page_error textbook_unshare(struct textbook *t, frame_t f, owner_t owner)
{
	return reference(t, f.n, owner, -1);
}

static enum page_state page_state(const struct textbook_frame *b)
{
	if (b->state == TEXTBOOK_FREE)
		return PAGE_FREE;
	return b->state == TEXTBOOK_EXCLUSIVE ? PAGE_EXCLUSIVE :
	       b->refs > 0 ? PAGE_SHARED : PAGE_HELD;
}

void textbook_query(struct textbook *t, frame_t f, struct page_info *out)
{
	*out = (struct page_info){ .frame = f, .head = f, .state = PAGE_RESERVED };
	lock(t);
	uint32_t head = buddy_block_of(t, f.n);
	if (head != TEXTBOOK_NIL) {
		const struct textbook_frame *b = buddy_at(t, head);
		bool held = b->state != TEXTBOOK_FREE;

		*out = (struct page_info){ .frame = f, .head = { head }, .state = page_state(b),
					   .order = b->order, .generation = b->generation,
					   .owner = held ? b->owner : OWNER_NONE,
					   .refs = held ? b->refs : 0, .in_zone = true,
					   .zone = buddy_zone_of(f.n) };
	}
	unlock(t);
}
