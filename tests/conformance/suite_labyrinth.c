/* SPDX-License-Identifier: MIT */
/* The conformance suite, run on the kernel's own allocator. */
#define SUITE "conform.labyrinth"
#define CONFORM_OPS labyrinth_ops
#include "conform.h"

CONFORM_TESTS(CONFORM_REGISTER)
