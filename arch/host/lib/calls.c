/* SPDX-License-Identifier: MIT */
/* Memory by frame number: thin over mm/'s own calls, which link-time optimization inlines. */
#include <arch/directmap.h>
#include <labyrinth/mm.h>

#include "library.h"

#define PIECE 64u	/* longer batches go in pieces of this many */

#define SAME(lab, page) _Static_assert((int)(lab) == (int)(page), #lab " is " #page)
SAME(LAB_NOT_RAM, PAGE_NOT_RAM);
SAME(LAB_MISALIGNED, PAGE_MISALIGNED);
SAME(LAB_DOUBLE_FREE, PAGE_DOUBLE_FREE);
SAME(LAB_INSIDE_BLOCK, PAGE_INSIDE_BLOCK);
SAME(LAB_WRONG_OWNER, PAGE_WRONG_OWNER);
SAME(LAB_WRONG_ORDER, PAGE_WRONG_ORDER);
SAME(LAB_WRONG_STATE, PAGE_WRONG_STATE);
SAME(LAB_BAD_OWNER, PAGE_BAD_OWNER);
SAME(LAB_NO_MEMORY, PAGE_ERROR_COUNT);
SAME(LAB_ATOMIC, GFP_ATOMIC);
SAME(LAB_NOWAIT, GFP_NOWAIT);
SAME(LAB_DMA, GFP_DMA);
SAME(LAB_DMA32, GFP_DMA32);
SAME(LAB_ZERO, GFP_ZERO);
SAME(LAB_EXCL, GFP_EXCL);

#define LAB_FLAGS (LAB_ATOMIC | LAB_NOWAIT | LAB_DMA | LAB_DMA32 | LAB_ZERO | LAB_EXCL)

static _Thread_local int why;

int lab_why(void)
{
	return why;
}

static bool good_flags(unsigned flags)
{
	unsigned behaviour = flags & (LAB_ATOMIC | LAB_NOWAIT);

	return (behaviour == LAB_ATOMIC || behaviour == LAB_NOWAIT) && !(flags & ~LAB_FLAGS) &&
	       (flags & (LAB_DMA | LAB_DMA32)) != (LAB_DMA | LAB_DMA32);
}

static __attribute__((noinline, cold)) lab_frame failed(unsigned flags, unsigned order,
							lab_owner owner)
{
	why = !bound() ? why_not_bound()
	    : !good_flags(flags) ? LAB_BAD_FLAGS
	    : order > LAB_ORDER_MAX ? LAB_BAD_ORDER
	    : !owner_registered((owner_t){ owner }) ? LAB_BAD_OWNER
	    : LAB_NO_MEMORY;
	return LAB_NONE;
}

static inline lab_frame number(const void *page)
{
	return phys_to_frame(directmap_phys(page)).n;
}

static inline void *place(lab_frame f)
{
	return directmap_of(frame_to_phys((frame_t){ f }));
}

lab_frame lab_alloc(unsigned order, lab_owner owner)
{
	void *page;

	if (unlikely(!bound()))
		return failed(LAB_ATOMIC, order, owner);
	page = allocpages(GFP_ATOMIC, order, (owner_t){ owner });
	return unlikely(!page) ? failed(LAB_ATOMIC, order, owner) : number(page);
}

lab_frame lab_alloc_flags(unsigned flags, unsigned order, lab_owner owner)
{
	void *page;

	/* A flag of the kernel's that the library lacks is refused by no one else. */
	if (unlikely(!bound() || !good_flags(flags)))
		return failed(flags, order, owner);
	page = allocpages(flags, order, (owner_t){ owner });
	return unlikely(!page) ? failed(flags, order, owner) : number(page);
}

int lab_free(lab_frame f, unsigned order, lab_owner owner)
{
	if (unlikely(!bound()))
		return why_not_bound();
	return (int)freepages(place(f), order, (owner_t){ owner });
}

size_t lab_alloc_bulk(size_t n, lab_frame out[], lab_owner owner)
{
	void *pages[PIECE];
	size_t done = 0, want, got;

	if (unlikely(!bound())) {
		failed(LAB_ATOMIC, 0, owner);
		return 0;
	}
	do {
		want = n - done < PIECE ? n - done : PIECE;
		got = allocpages_bulk(GFP_ATOMIC, want, pages, (owner_t){ owner });
		for (size_t i = 0; i < got; i++)
			out[done++] = number(pages[i]);
	} while (got == want && done < n);
	if (done < n)
		failed(LAB_ATOMIC, 0, owner);
	return done;
}

size_t lab_free_bulk(size_t n, const lab_frame f[], lab_owner owner)
{
	void *pages[PIECE];
	size_t accepted = 0;

	for (size_t done = 0; bound() && done < n;) {
		size_t k = 0;

		while (k < PIECE && done < n)
			pages[k++] = place(f[done++]);
		accepted += freepages_bulk(k, pages, (owner_t){ owner });
	}
	return accepted;
}

int lab_transfer(lab_frame f, unsigned order, lab_owner from, lab_owner to)
{
	if (unlikely(!bound()))
		return why_not_bound();
	return (int)page_transfer(place(f), order, (owner_t){ from }, (owner_t){ to });
}

int lab_share(lab_frame f, lab_owner owner)
{
	return bound() ? (int)page_share(place(f), (owner_t){ owner }) : why_not_bound();
}

int lab_unshare(lab_frame f, lab_owner owner)
{
	return bound() ? (int)page_unshare(place(f), (owner_t){ owner }) : why_not_bound();
}

void lab_drain(void)
{
	if (bound())
		page_drain();
}

void *lab_contents(lab_frame f)
{
	return in_range(f) ? place(f) : NULL;
}

uint64_t lab_fail_nth(uint64_t n)
{
	return bound() ? mm_fail_nth(n) : 0;
}

lab_owner lab_owner_new(const char *name)
{
	return bound() ? owner_register(name).id : LAB_NOBODY;
}

int lab_owner_end(lab_owner owner)
{
	if (!bound())
		return why_not_bound();
	if (!owner_registered((owner_t){ owner }))
		return LAB_BAD_OWNER;
	return owner_unregister((owner_t){ owner }) ? LAB_IN_USE : LAB_OK;
}

const char *lab_owner_name(lab_owner owner)
{
	return owner_name((owner_t){ owner });
}
