/* SPDX-License-Identifier: MIT */
/* The conformance suite, run on the textbook allocator: it must hold what it is to judge. */
#define SUITE "conform.textbook"
#define CONFORM_OPS textbook_ops
#include "conform.h"

CONFORM_TESTS(CONFORM_REGISTER)
