/* SPDX-License-Identifier: MIT */
/* How long a thread waits for memory. */
#include <labyrinth/mm_wait.h>

#include "kernel/reclaim.h"

#include "sched.h"

uint64_t mm_patience(void)
{
	return thread_current()->patience;
}

uint64_t mm_set_patience(uint64_t timeout_ns)
{
	uint64_t before = thread_current()->patience;

	thread_current()->patience = timeout_ns;
	return before;
}
