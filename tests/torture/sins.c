/* SPDX-License-Identifier: MIT */
/* Wrong operations on purpose: each must be refused, with nothing changed (I5). */
#include "torture.h"

/* In the order of what the allocator should answer. */
static enum page_error wrong_owner(const struct piece *p, owner_t owner)
{
	owner_t other = torture.owner[(p->owner + 1) % TORTURE_OWNERS];

	(void)owner;
	return freepages(p->page, p->order, other);
}

static enum page_error wrong_order(const struct piece *p, owner_t owner)
{
	/* A larger one may be misaligned: refused all the same. */
	return freepages(p->page, p->order ? p->order - 1u : 1, owner);
}

static enum page_error misaligned(const struct piece *p, owner_t owner)
{
	return freepages((char *)p->page + 16, p->order, owner);
}

static enum page_error inside(const struct piece *p, owner_t owner)
{
	return freepage((char *)p->page + (PAGE_SIZE << p->order) / 2, owner);
}

static enum page_error no_memory(const struct piece *p, owner_t owner)
{
	(void)p;
	return freepage((void *)0x1000, owner);
}

static enum page_error nobody(const struct piece *p, owner_t owner)
{
	(void)owner;
	return freepages(p->page, p->order, OWNER_NONE);
}

static enum page_error foreign_transfer(const struct piece *p, owner_t owner)
{
	owner_t other = torture.owner[(p->owner + 1) % TORTURE_OWNERS];

	return page_transfer(p->page, p->order, other, owner);
}

static enum page_error foreign_unshare(const struct piece *p, owner_t owner)
{
	(void)owner;
	return page_unshare(p->page, torture.owner[(p->owner + 1) % TORTURE_OWNERS]);
}

void sin_against(struct traveller *t, unsigned i)
{
	static enum page_error (*const sins[])(const struct piece *, owner_t) = {
		wrong_owner, wrong_order, misaligned, inside, no_memory, nobody,
		foreign_transfer, foreign_unshare,
	};
	const struct piece *p = &t->log[i];
	unsigned which = (unsigned)dice(t, sizeof(sins) / sizeof(sins[0]));

	if (sins[which](p, torture.owner[p->owner]) == PAGE_OK)
		torture_fault(t, "sin %u against frame 0x%x, order %u, was allowed (I5)", which,
			      page_to_frame(p->page).n, p->order);
	t->sins++;
}
