/* SPDX-License-Identifier: MIT */
/* Sinks and the log: all text arrives, in order, also what was printed before. */
#include "tests/test.h"

#include <arch/console.h>
#include <labyrinth/console.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#define SUITE "console"

/* A sink of our own that keeps the last bytes it was sent. */
static struct {
	char text[512];
	size_t total;
} heard;

static void listen(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		heard.text[heard.total++ % sizeof(heard.text)] = s[i];
}

static const struct console_sink ear = { "ear", listen };

/* Were the last bytes heard those of @s? */
static bool heard_last(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (n > heard.total ||
		    heard.text[(heard.total - n + i) % sizeof(heard.text)] != s[i])
			return false;
	return true;
}

TEST(a_sink_hears_what_is_printed_until_removed)
{
	ASSERT(console_add(&ear));
	kprintf("# ear: %d\n", 42);
	EXPECT(heard_last("# ear: 42\n"));
	console_remove(&ear);
	kprintf("# unheard\n");
	EXPECT(heard_last("# ear: 42\n"));
}

TEST(a_late_sink_catches_up)
{
	kprintf("# printed before the ear\n");
	ASSERT(console_add(&ear));
	console_remove(&ear);
	EXPECT(heard_last("# printed before the ear\n"));
}

TEST(text_longer_than_any_buffer_arrives_whole)
{
	ASSERT(console_add(&ear));
	size_t before = heard.total;
	EXPECT_EQ(kprintf("# %0300d\n", 7), 303);
	console_remove(&ear);
	EXPECT_EQ(heard.total - before, 303);
	EXPECT(heard_last("0000007\n"));
}

TEST(no_more_sinks_than_places)
{
	static const struct console_sink deaf[CONSOLE_SINKS_MAX] = {
		{ "deaf", listen }, { "deaf", listen }, { "deaf", listen }, { "deaf", listen }
	};
	size_t added = 0;

	while (added < CONSOLE_SINKS_MAX && console_add(&deaf[added]))
		added++;
	EXPECT(!console_add(&ear));
	for (size_t i = 0; i < added; i++)
		console_remove(&deaf[i]);
	EXPECT(console_add(&ear));
	console_remove(&ear);
}

TEST(the_log_reads_back)
{
	char out[64];
	uint64_t pos = 0;
	size_t n, total = 0;

	while ((n = console_log_read(&pos, out, sizeof(out))) > 0)
		total += n;
	EXPECT(total <= CONSOLE_LOG_SIZE);
	uint64_t start = pos;
	console_write("# logged\n", 9);
	n = console_log_read(&pos, out, sizeof(out));
	EXPECT_EQ(n, 9);
	EXPECT_EQ(pos - start, 9);
	EXPECT(memcmp(out, "# logged\n", 9) == 0);
	pos = 0;
	EXPECT(console_log_read(&pos, out, 1) == 1);
}
