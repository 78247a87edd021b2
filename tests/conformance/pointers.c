/* SPDX-License-Identifier: MIT */
/* Wrong frees by pointer: what never was the first byte of a page, or no page at all (I5). */
#define SUITE "conform.pointers"
#include "conform.h"

#include <labyrinth/mm.h>

/* Refused by every function that takes a page, and the batch accepts nothing. */
static void refused(void *p, unsigned order, owner_t me, enum page_error why)
{
	EXPECT_EQ(freepages(p, order, me), why);
	if (order == 0) {
		EXPECT_EQ(freepage(p, me), why);
		EXPECT_EQ(freepages_bulk(1, &p, me), 0);
		EXPECT_EQ(page_share(p, me), why);
		EXPECT_EQ(page_unshare(p, me), why);
	}
	EXPECT_EQ(page_transfer(p, order, me, OWNER_KERNEL), why);
}

TEST(a_pointer_into_a_page_is_misaligned)
{
	static const size_t off[] = { 1, 8, 64, 2048, PAGE_SIZE - 1 };

	ASSERT_EQ(conform_start(&labyrinth_ops, CONFORM_SMALL, 1), 0);
	owner_t me = owner_register("icarus");
	unsigned char *p = allocpages(GFP_ATOMIC, 1, me);
	ASSERT(p);
	for (unsigned i = 0; i < sizeof(off) / sizeof(*off); i++) {
		refused(p + off[i], 0, me, PAGE_MISALIGNED);
		refused(p + off[i], 1, me, PAGE_MISALIGNED);
	}
	EXPECT_EQ(freepages(p, 1, me), PAGE_OK);
	EXPECT_EQ(owner_unregister(me), 0);
	labyrinth_ops.stop();
}

TEST(what_is_no_page_is_not_ram)
{
	static int in_the_image;
	int on_the_stack = 0;
	const uintptr_t wrong[] = {
		0, PAGE_SIZE, (uintptr_t)&in_the_image, (uintptr_t)&on_the_stack,
		0x00007ffffffff000, 0x8000000000000000, UINTPTR_MAX,
	};

	ASSERT_EQ(conform_start(&labyrinth_ops, CONFORM_SMALL, 1), 0);
	owner_t me = owner_register("icarus");
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		void *aligned = (void *)(wrong[i] & ~(uintptr_t)(PAGE_SIZE - 1));

		refused(aligned, 0, me, PAGE_NOT_RAM);
	}
	EXPECT_EQ(owner_unregister(me), 0);
	labyrinth_ops.stop();
}
