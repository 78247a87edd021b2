/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite: what every page allocator must do, whoever wrote it.
 * The tests take whatever is free in the allocator that they are given and put
 * it all back, so the kernel's own can be tested while the kernel uses it.
 */
#pragma once

#include "../test.h"
#include "allocator.h"

/* A block that a test holds. */
struct block {
	frame_t f;
	uint8_t order;
	uint8_t owner;			/* which of the owners in struct conform */
	uint8_t refs;			/* extra references that the test took */
	bool excl;			/* asked for with GFP_EXCL */
};

#define CONFORM_OWNERS 3u

/* What a test gets to work with. */
struct conform {
	const struct allocator_ops *a;
	owner_t owner[CONFORM_OWNERS];	/* [0] is the one that most tests use */
	struct block *log;		/* the blocks held, newest last */
	size_t n, room;
	gfp_t where;			/* see conform_confine() */
};

/* The machines that hosted tests run on; the kernel has the one it has. */
enum conform_machine { CONFORM_SMALL, CONFORM_TINY, CONFORM_LARGE };

/* Start @a, run @test, put everything back, check that free memory is what it was. */
void conform_run(const struct allocator_ops *a, enum conform_machine machine,
		 void (*test)(struct conform *c));

/* --- for the tests: each names what it took, so that conform_run() can tell a leak */

/*
 * For tests that take all memory: where that would be too much, as in an
 * emulator with gigabytes, they are confined to the lowest zone.  From here on
 * c->where is part of every request that goes through the functions below.
 */
void conform_confine(struct conform *c);

/* The highest zone that this test's requests may use. */
unsigned conform_top(const struct conform *c);

/* Take a block and log it.  Return: false for NULL, or when the log is full. */
bool conform_take(struct conform *c, gfp_t gfp, unsigned order);

/* Take blocks of @order until none is left, or @max were taken.  Return: how many. */
size_t conform_take_all(struct conform *c, unsigned order, size_t max);

/* Take all memory, the largest blocks first, but for about @spare frames. */
void conform_squeeze(struct conform *c, uint64_t spare);

/* Free log entry @i; the last one takes its place. */
void conform_give(struct conform *c, size_t i);

/* Free everything that is logged, from entry @from on, in random order. */
void conform_give_all(struct conform *c, size_t from);

/* Check I2 and I4 over the log, which is sorted for that. */
void conform_check_log(struct conform *c);

/* Frames free in the zones that this test may use. */
uint64_t conform_free(const struct conform *c);
uint64_t conform_logged(const struct conform *c);	/* frames in the log */

/* All that a refused operation must leave as it was. */
struct conform_snapshot {
	struct zone_stats zone[ZONE_COUNT];
	uint64_t held[CONFORM_OWNERS];
	struct page_info info;
};
void conform_snapshot(const struct conform *c, frame_t f, struct conform_snapshot *out);
void conform_unchanged(const struct conform *c, const struct conform_snapshot *before);

/* Each world says whether a test may take @frames, all there are, one by one if need be. */
bool conform_may_take(uint64_t frames);

/* Each world supplies the memory for the log.  Return: entries; 0 when there is no memory. */
size_t conform_log_get(struct block **log);
void conform_log_put(struct block *log);

/* Each world says which machine it can offer; the kernel offers what it has. */
int conform_start(const struct allocator_ops *a, enum conform_machine machine, unsigned ncpu);

/* The list of tests: X(machine, name).  Each is void conform_NAME(struct conform *). */
#define CONFORM_TESTS(X)                                                      \
	/* blocks.c */                                                        \
	X(CONFORM_SMALL, every_order_is_aligned)                              \
	X(CONFORM_LARGE, the_largest_orders_too)                              \
	X(CONFORM_SMALL, blocks_are_disjoint)                                 \
	X(CONFORM_SMALL, frames_add_up)                                       \
	X(CONFORM_SMALL, split_and_merge_lose_nothing)                        \
	X(CONFORM_LARGE, large_blocks_come_back)                              \
	X(CONFORM_SMALL, batches_are_like_single_pages)                       \
	X(CONFORM_SMALL, zeroed_pages_are_zero)                               \
	X(CONFORM_SMALL, contents_stay_as_they_are)                           \
	/* exhaustion.c */                                                    \
	X(CONFORM_SMALL, every_frame_can_be_had)                              \
	X(CONFORM_TINY, every_frame_can_be_had_in_a_tiny_machine)             \
	X(CONFORM_LARGE, large_memory_can_be_had_whole)                       \
	X(CONFORM_SMALL, the_last_block_of_each_order)                        \
	X(CONFORM_SMALL, a_single_freed_frame_is_found)                       \
	X(CONFORM_SMALL, fragmented_memory_says_so)                           \
	/* refusals.c */                                                      \
	X(CONFORM_SMALL, double_free_is_refused)                              \
	X(CONFORM_SMALL, foreign_free_is_refused)                             \
	X(CONFORM_SMALL, wrong_order_is_refused)                              \
	X(CONFORM_SMALL, misaligned_free_is_refused)                          \
	X(CONFORM_SMALL, free_inside_a_block_is_refused)                      \
	X(CONFORM_SMALL, free_of_a_free_page_is_refused)                      \
	X(CONFORM_SMALL, free_outside_memory_is_refused)                      \
	X(CONFORM_SMALL, nobody_is_refused)                                   \
	X(CONFORM_SMALL, batch_frees_skip_the_wrong_ones)                     \
	/* hands.c */                                                         \
	X(CONFORM_SMALL, transfer_changes_the_owner)                          \
	X(CONFORM_SMALL, wrong_transfer_is_refused)                           \
	X(CONFORM_SMALL, shared_blocks_stay)                                  \
	X(CONFORM_SMALL, exclusive_blocks_are_never_shared)                   \
	X(CONFORM_SMALL, handles_go_stale)                                    \
	/* zones.c */                                                         \
	X(CONFORM_SMALL, contradictory_flags_are_refused)                     \
	X(CONFORM_SMALL, zone_limits_hold)                                    \
	X(CONFORM_LARGE, high_memory_goes_first)                              \
	X(CONFORM_SMALL, the_walk_tells_what_happened)                        \
	X(CONFORM_SMALL, nowait_leaves_the_reserve)                           \
	/* random.c */                                                        \
	X(CONFORM_SMALL, random_calls)                                        \
	X(CONFORM_TINY, random_calls_in_a_tiny_machine)                       \
	X(CONFORM_SMALL, random_calls_with_little_left)

#define CONFORM_DECLARE(machine, name) void conform_##name(struct conform *c);
CONFORM_TESTS(CONFORM_DECLARE)

/* Register all of them under the file's SUITE, for the allocator OPS. */
#define CONFORM_REGISTER(machine, name) \
	TEST(name) { conform_run(&CONFORM_OPS, machine, conform_##name); }
