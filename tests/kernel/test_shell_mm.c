/* SPDX-License-Identifier: MIT */
/* The commands about memory say what is, and do what they say. */
#include "tests/test.h"

#include <labyrinth/console.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "kernel/shell.h"

#define SUITE "shell_mm"

static struct {
	char text[8192];
	size_t n;
} said;

static void listen(const char *s, size_t n)
{
	for (size_t i = 0; i < n && said.n < sizeof(said.text) - 1; i++)
		said.text[said.n++] = s[i];
}

static const struct console_sink ear = { "ear", listen };

__attribute__((format(printf, 1, 2))) static bool execute(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_add(&ear);
	memset(&said, 0, sizeof(said));	/* without what the log had */
	ok = shell_execute(line);
	console_remove(&ear);
	return ok;
}

static bool says(const char *what)
{
	size_t n = strlen(what);

	for (const char *s = said.text; *s; s++)
		if (strncmp(s, what, n) == 0)
			return true;
	test_note("no \"%s\" in what was said", what);
	return false;
}

/* The address at the beginning of what alloc said. */
static void *allocated(void)
{
	const char *colon = strchr(said.text, ':');
	char word[24];
	uint64_t addr = 0;

	if (colon && colon - said.text < (ptrdiff_t)sizeof(word)) {
		memcpy(word, said.text, (size_t)(colon - said.text));
		word[colon - said.text] = '\0';
		shell_address(word, &addr);
	}
	return (void *)(uintptr_t)addr;
}

TEST(alloc_page_and_free_tell_the_same_story)
{
	struct page_info info;

	ASSERT(execute("alloc 2 dma32 zero"));
	void *page = allocated();
	page_query(page_to_frame(page), &info);
	ASSERT(info.state == PAGE_HELD && info.order == 2);
	EXPECT(strcmp(owner_name(info.owner), "shell") == 0);
	EXPECT(execute("page %p", page));
	EXPECT(says("held, in a block of order 2 (16 KiB)") && says("owner       shell"));
	EXPECT(execute("free %p 3", page) && says("Not freed: "));
	EXPECT(execute("free %llx", (unsigned long long)(uintptr_t)page + 1) &&
	       says("Not freed: in the middle of a page"));
	page_query(page_to_frame(page), &info);
	EXPECT(info.state == PAGE_HELD);
	EXPECT(execute("free %p", page) && says("order 2 (16 KiB) is free again"));
	EXPECT(execute("free %p 2", page) && says("Not freed: free already"));
}

TEST(free_takes_physical_addresses_too)
{
	ASSERT(execute("alloc"));
	unsigned long long at = frame_to_phys(page_to_frame(allocated())).v;

	EXPECT(execute("free %llx", at));
	EXPECT(says("order 0 (4 KiB) is free again"));
}

TEST(what_cannot_be_had_is_explained)
{
	EXPECT(execute("alloc 18 dma") && says("DMA     zone too small"));
	EXPECT(says("Normal  excluded by the flags"));
	EXPECT(execute("alloc 99") && says("Nothing taken: the largest order is 18 (1 GiB)."));
	EXPECT(execute("alloc 18446744073709551615") && says("Nothing taken:"));
	EXPECT(execute("alloc atomic nowait") && says("Nothing taken."));
	EXPECT(!execute("alloc lots") && says("usage: alloc") &&
	       says("lots is no flag"));
	EXPECT(!execute("free") && says("usage: free"));
	EXPECT(!execute("free 1000 x") && says("usage: free") && says("\"x\" is no order"));
	EXPECT(!execute("free zzz") && says("\"zzz\" is neither an address") &&
	       says("usage: free"));
}

TEST(page_tells_what_an_address_is)
{
	EXPECT(execute("page shell_execute+4") && says("function    shell_execute+0x4"));
	EXPECT(says("read-only, executable") && says("kernel image") && says("a dead end"));
	EXPECT(execute("page ffff800000000000") && says("nothing is: an access faults"));
	EXPECT(execute("page ffffffffffffffff") && says("nothing is"));
	EXPECT(execute("page fffffffffff000") && says("a hole") && says("beyond what a frame"));
	EXPECT(!execute("page no_such_function") && says("neither an address"));
}

TEST(mem_fits_80_columns)
{
	size_t column = 0;

	EXPECT(execute("mem all"));
	EXPECT(says("Zones, in frames of 4 KiB:") && says("Dead ends: "));
	for (const char *s = said.text; *s; s++) {
		column = *s == '\n' ? 0 : column + 1;
		EXPECT(column <= 80);
	}
	EXPECT(!execute("mem everything"));
}

TEST(alloc_explains_a_failure_and_keeps_nothing)
{
	mm_fail_nth(1);
	EXPECT(execute("alloc 0 atomic"));
	EXPECT_EQ(mm_fail_nth(0), 1);
	EXPECT(says("made to fail by a test"));
	EXPECT(!allocated());
}
