/* SPDX-License-Identifier: MIT */
/* The prompt's commands: found, told apart, and refused when wrong; words as numbers. */
#include "tests/test.h"

#include <labyrinth/console.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>

#include "kernel/shell.h"

#define SUITE "shell"

/* What a command says. */
static struct {
	char text[2048];
	size_t n;
} said;

static void listen(const char *s, size_t n)
{
	for (size_t i = 0; i < n && said.n < sizeof(said.text) - 1; i++)
		said.text[said.n++] = s[i];
}

static const struct console_sink ear = { "ear", listen };

static bool execute(const char *command)
{
	char line[LINE_SIZE];
	bool ok;

	memcpy(line, command, strlen(command) + 1);
	console_add(&ear);
	memset(&said, 0, sizeof(said));	/* without what the log had */
	ok = shell_execute(line);
	console_remove(&ear);
	return ok;
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

TEST(every_command_has_a_name_of_its_own_and_a_usage_that_fits)
{
	const struct command *c;
	size_t n = 0;

	for (; (c = shell_command(n)); n++) {
		EXPECT(shell_find(c->name) == c);
		EXPECT(strlen(c->name) + 1 + strlen(c->args) <= 26);
		EXPECT(*c->what && strlen(c->what) <= 80 - 2 - 26 - 1);
		EXPECT(c->run != NULL);
	}
	EXPECT(n >= 10);
}

TEST(unknown_and_misused_commands_are_refused)
{
	EXPECT(!execute("# nonsense"));
	EXPECT(starts(said.text, "There is no command \"#\"; help lists them all.\n"));
	EXPECT(!execute("clear now"));
	EXPECT(starts(said.text, "usage: clear "));
	EXPECT(!execute("help 1 2 3 4 5 6 7 8 9 10 11 12"));
	EXPECT(starts(said.text, "usage: help [COMMAND] "));
	EXPECT(!execute("test x notanumber"));
	EXPECT(starts(said.text, "\"notanumber\" is no seed: a number is wanted.\nusage: test "));
}

/* As many as fit what is kept; the rest is longer by one line each. */
TEST(cpus_has_a_line_for_each)
{
	unsigned lines = 0, cpus = cpus_possible();

	EXPECT(execute("cpus"));
	EXPECT(starts(said.text, "  CPU  APIC id  state     interrupts  doing\n    0  "));
	for (size_t i = 0; i < said.n; i++)
		lines += said.text[i] == '\n';
	if (said.n < sizeof(said.text) - 1)
		EXPECT_EQ(lines, 1 + cpus);
	EXPECT(!execute("cpus 1"));
}

TEST(threads_begins_with_who_booted)
{
	EXPECT(execute("threads"));
	EXPECT(starts(said.text, "  No.  name                    CPU  state   pri   seconds"));
	EXPECT(!execute("threads 1"));
}

TEST(blank_lines_do_nothing)
{
	EXPECT(execute(""));
	EXPECT(execute("    "));
	EXPECT_EQ(said.n, 0);
}

TEST(words_are_cut_at_blanks)
{
	EXPECT(execute("  help   ver  "));
	EXPECT(starts(said.text, "  ver "));
}

TEST(numbers)
{
	uint64_t n = 7;

	EXPECT(shell_number("10", &n) && n == 10);
	EXPECT(shell_number("0x10", &n) && n == 16);
	EXPECT(shell_number("2M", &n) && n == 2u << 20);
	EXPECT(!shell_number("10x", &n) && n == 2u << 20);
	EXPECT(!shell_number("", &n));
	EXPECT(!shell_number("-1", &n));
}

TEST(addresses)
{
	uint64_t a = 7;

	EXPECT(shell_address("1000", &a) && a == 0x1000);
	EXPECT(shell_address("0xB8000", &a) && a == 0xb8000);
	EXPECT(shell_address("ffff8000_00001000", &a) && a == 0xffff800000001000u);
	EXPECT(shell_address("16M", &a) && a == 16u << 20);
	EXPECT(shell_address("4g", &a) && a == (uint64_t)4 << 30);
	EXPECT(shell_address("shell_address", &a) && a == (uint64_t)(uintptr_t)shell_address);
	EXPECT(shell_address("shell_address+1f", &a) &&
	       a == (uint64_t)(uintptr_t)shell_address + 0x1f);
	EXPECT(!shell_address("", &a));
	EXPECT(!shell_address("0x", &a));
	EXPECT(!shell_address("_", &a));
	EXPECT(!shell_address("12345678901234567", &a));
	EXPECT(!shell_address("no_such_function_", &a));
	EXPECT(!shell_address("shell_address+", &a));
	EXPECT(!shell_address("shell_address+q", &a));
}
