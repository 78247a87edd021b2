/* SPDX-License-Identifier: MIT */
/* The tests with several CPUs, run on the textbook allocator. */
#define SUITE "threads.textbook"
#define THREAD_OPS textbook_ops
#include "../crew/threads.h"

#include "../../test.h"

THREAD_TESTS(THREAD_REGISTER)
