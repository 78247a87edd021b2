/* SPDX-License-Identifier: MIT */
/* Planted faults that only a process has; see tests/planted.c. */
#include <signal.h>
#include <stdlib.h>

#include "../test.h"

#define SUITE "planted"

TEST_BY_NAME(crash)
{
	raise(SIGKILL);
}

/* Only a program built with ASan notices. */
TEST_BY_NAME(overrun)
{
	volatile size_t size = 16;		/* or the compiler would notice first */
	volatile char *p = malloc(size);

	p[size] = 1;
	free((void *)p);
}
