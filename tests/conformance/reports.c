/* SPDX-License-Identifier: MIT */
/* A refused operation is reported, with both sides named (I5). */
#define SUITE "conform.reports"
#include "conform.h"

#include <labyrinth/mm.h>
#include <labyrinth/string.h>

static char last[256];
static unsigned lines;

static void keep(const char *line)
{
	size_t n = strnlen(line, sizeof last - 1);

	memcpy(last, line, n);
	last[n] = '\0';
	lines++;
}

static bool says(const char *word)
{
	size_t n = strlen(word);

	for (const char *s = last; *s; s++)
		if (!strncmp(s, word, n))
			return true;
	return false;
}

TEST(a_foreign_free_names_both_owners)
{
	ASSERT_EQ(conform_start(&labyrinth_ops, CONFORM_SMALL, 1), 0);
	owner_t holder = owner_register("pasiphae"), thief = owner_register("minos");
	void *page = allocpage(GFP_ATOMIC, holder);

	ASSERT(page);
	lines = 0;
	mm_report_to(keep);
	EXPECT_EQ(freepage(page, thief), PAGE_WRONG_OWNER);
	mm_report_to(NULL);
	EXPECT_EQ(lines, 1);
	EXPECT(says("free") && says("pasiphae") && says("minos"));
	EXPECT(says(page_error_name(PAGE_WRONG_OWNER)));
	EXPECT_EQ(freepage(page, holder), PAGE_OK);
	EXPECT_EQ(owner_unregister(thief), 0);
	EXPECT_EQ(owner_unregister(holder), 0);
	labyrinth_ops.stop();
}

TEST(contradictory_flags_are_explained)
{
	ASSERT_EQ(conform_start(&labyrinth_ops, CONFORM_SMALL, 1), 0);
	lines = 0;
	mm_report_to(keep);
	EXPECT(!allocpages(GFP_ATOMIC | GFP_NOWAIT, 2, OWNER_KERNEL));
	mm_report_to(NULL);
	EXPECT_EQ(lines, 1);
	EXPECT(says("one behaviour"));
	EXPECT(says("order 2"));
	labyrinth_ops.stop();
}
