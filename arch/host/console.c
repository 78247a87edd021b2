/* SPDX-License-Identifier: MIT */
/* A Linux process as the machine: its console, its clock, its end. */
#include <arch/console.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Straight to the descriptor: usable from a signal handler, and nothing is lost in a crash. */
void console_write(const char *s, size_t n)
{
	while (n) {
		ssize_t done = write(STDOUT_FILENO, s, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		s += done;
		n -= (size_t)done;
	}
}

_Noreturn void machine_exit(_Bool ok)
{
	exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

unsigned long long clock_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t))
		return 0;
	return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}
