/* SPDX-License-Identifier: MIT */
/* The hosted tests' main: arguments in, exit status out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../test.h"

static const char usage[] =
	"usage: tests [--list] [--seed N] [PATTERN]\n"
	"Runs the tests whose full name (suite.name) matches PATTERN: a glob with * and ?,\n"
	"or a part of the name.  Without PATTERN, all.  Ends with 0 when all passed, else 1.\n";

static _Noreturn void bad_usage(const char *what, const char *arg)
{
	fprintf(stderr, "tests: %s '%s'\n%s", what, arg, usage);
	exit(2);
}

static uint64_t random_seed(void)
{
	uint64_t seed;

	/* 32 bits of it: short enough to type again. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return 1;
	return seed & UINT32_MAX;
}

static uint64_t parse_seed(const char *text)
{
	char *end;

	errno = 0;
	uint64_t seed = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		bad_usage("--seed wants a number, not", text);
	return seed;
}

int main(int argc, char **argv)
{
	const char *pattern = NULL;
	uint64_t seed = random_seed();
	bool list = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--seed"))
			seed = parse_seed(i + 1 < argc ? argv[++i] : "");
		else if (argv[i][0] == '-')
			bad_usage("unknown option", argv[i]);
		else if (pattern)
			bad_usage("one PATTERN only, not also", argv[i]);
		else
			pattern = argv[i];
	}
	if (list) {
		test_list(pattern);
		return 0;
	}
	return test_run_all(pattern, seed) != 0;
}
