/* SPDX-License-Identifier: MIT */
/* The prompt, and how a command is added to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/history.h"

struct command {
	const char *name;
	const char *args;		/* "ADDR [ORDER]"; "" for none */
	const char *what;		/* what it does, in half a line */
	const char *more;		/* lines for "help NAME", each ended; "" for none */
	/* argv[0] is the name.  False: the arguments are wrong; the usage is shown. */
	bool (*run)(int argc, char *argv[]);
};

/* COMMAND(hello, "[WHO]", "say hello", "") { ...; return true; } */
#define COMMAND(id, args_, what_, more_)                                               \
	static bool run_##id(int argc, char *argv[]);                                  \
	static const struct command command_##id = {                                   \
		.name = #id, .args = args_, .what = what_, .more = more_, .run = run_##id \
	};                                                                             \
	__attribute__((section("labcommands"), used))                                  \
	static const struct command *const entry_##id = &command_##id;                 \
	static bool run_##id(int argc, char *argv[])

/* An address below this is physical: the kernel maps nothing in the lower half. */
#define UPPER_HALF 0xffff800000000000u

#define ARGS_MAX 8			/* words of a line, the command's name included */

/**
 * shell_run() - show the picture of memory, then answer at the prompt
 *
 * Input comes from the serial line; without one this says so and stops.
 *
 * Context: the main thread.  Return: never.
 */
_Noreturn void shell_run(void);

/**
 * shell_execute() - run one line as if typed
 * @line: changed: cut into words
 *
 * Context: threads.
 * Return:  false when there is no such command, or its arguments were wrong.
 */
bool shell_execute(char *line);

/* Command number @i in no order, or NULL after the last.  Context: any. */
const struct command *shell_command(size_t i);

/* The command of this name, or NULL.  Context: any. */
const struct command *shell_find(const char *name);

/* What has been typed at the prompt. */
const struct history *shell_history(void);

/* The terminal knows neither colours nor UTF-8 (term=plain).  Context: any. */
bool shell_plain(void);

/**
 * shell_number() - a word as a number, as parse_u64() reads it, with nothing after it
 * Context: any.
 * Return:  false, *@out unchanged, when it is none.
 */
bool shell_number(const char *word, uint64_t *out);

/**
 * shell_address() - a word as an address
 *
 * Hexadecimal with or without 0x, a decimal number of K, M, G or T, or the name
 * of one of the kernel's functions, with or without +OFFSET.
 *
 * Context: any.
 * Return:  false, *@out unchanged, when it is none of these.
 */
bool shell_address(const char *word, uint64_t *out);
