/* SPDX-License-Identifier: MIT */
/* The tests with several CPUs, run on the kernel's own allocator. */
#define SUITE "threads.labyrinth"
#define THREAD_OPS labyrinth_ops
#include "threads.h"

#include "../../test.h"

THREAD_TESTS(THREAD_REGISTER)
