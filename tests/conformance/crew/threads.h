/* SPDX-License-Identifier: MIT */
/* The tests with several CPUs, for any allocator. */
#pragma once

#include "../allocator.h"

#define THREAD_TESTS(X)                 \
	/* threads.c */                 \
	X(mixed_orders)                 \
	X(large_orders)                 \
	X(one_allocates_another_frees)  \
	X(wrong_calls_change_nothing)   \
	/* races.c */                   \
	X(parts_of_one_block)           \
	X(racing_frees)                 \
	X(free_against_transfer)        \
	X(free_against_share)           \
	/* scarcity.c */                \
	X(a_block_for_each)             \
	X(crowded)                      \
	X(no_spurious_failure)          \
	X(take_everything)

#define THREAD_DECLARE(name) void threads_##name(const struct allocator_ops *a);
THREAD_TESTS(THREAD_DECLARE)

/* Register all of them under the file's SUITE, for the allocator THREAD_OPS. */
#define THREAD_REGISTER(name) TEST(name) { threads_##name(&THREAD_OPS); }
