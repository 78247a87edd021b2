/* SPDX-License-Identifier: MIT */
/* The kernel's allocator on 1 TiB, most of which it must never touch. */
#define SUITE "conform.terabyte"
#include "../conform.h"

#include <sys/resource.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <labyrinth/mm.h>

static const struct frame_range terabyte[] = { { 0x100, 0xc0000 }, { 0x100000, 0x10040000 } };

static long resident_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

TEST(it_starts_without_touching_all_of_it)
{
	long before = resident_kib();
	unsigned long long start = clock_ns();

	ASSERT_EQ(labyrinth_ops.start(terabyte, 2, 1), 0);
	test_note("mm_init took %llu us", (clock_ns() - start) / 1000);
	/* The words alone are 2 GiB. */
	EXPECT_CMP(resident_kib() - before, <, 32 << 10);
	labyrinth_ops.stop();
}

TEST(every_frame_is_counted_once)
{
	struct zone_stats s;
	struct mm_stats all;
	uint64_t total = 0, in_blocks;

	ASSERT_EQ(labyrinth_ops.start(terabyte, 2, 1), 0);
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		total += s.total;
		EXPECT_EQ(s.free, s.total);
		in_blocks = 0;
		for (unsigned k = 0; k < ORDER_COUNT; k++)
			in_blocks += s.blocks[k] << k;
		EXPECT_EQ(in_blocks, s.free);
	}
	mm_stats(&all);
	EXPECT_EQ(all.frames, total);
	EXPECT_EQ(total + (all.metadata_bytes - CPU_LOCAL_BYTES) / PAGE_SIZE,
		  0xc0000 - 0x100 + 0x10040000 - 0x100000);
	EXPECT_CMP(all.metadata_bytes, <=, 10 * total + (1 << 20));
	labyrinth_ops.stop();
}

TEST(the_largest_blocks_come_and_go)
{
	owner_t me;
	frame_t f[6];
	struct zone_stats before, after;

	ASSERT_EQ(labyrinth_ops.start(terabyte, 2, 1), 0);
	me = owner_register("asterion");
	zone_stats(ZONE_NORMAL, &before);
	for (unsigned i = 0; i < 6; i++) {
		f[i] = labyrinth_ops.alloc(GFP_ATOMIC, ORDER_MAX, me, NULL);
		EXPECT(!frame_is_none(f[i]));
		EXPECT_EQ(f[i].n % (1u << ORDER_MAX), 0);
	}
	EXPECT_EQ(mm_audit(NULL), 0);
	for (unsigned i = 0; i < 6; i++)
		EXPECT_EQ(labyrinth_ops.free(f[i], ORDER_MAX, me), PAGE_OK);
	page_drain();
	zone_stats(ZONE_NORMAL, &after);
	EXPECT_EQ(after.blocks[ORDER_MAX], before.blocks[ORDER_MAX]);
	EXPECT_EQ(owner_unregister(me), 0);
	labyrinth_ops.stop();
}

TEST(memory_never_touched_is_free_like_any_other)
{
	struct page_info info;
	frame_t f = { 0x4000000 };		/* at 256 GiB */

	ASSERT_EQ(labyrinth_ops.start(terabyte, 2, 1), 0);
	owner_t me = owner_register("asterion");
	page_query(f, &info);
	EXPECT_EQ(info.state, PAGE_FREE);
	EXPECT(info.in_zone);
	EXPECT_EQ(labyrinth_ops.free(f, 0, me), PAGE_DOUBLE_FREE);
	EXPECT_EQ(labyrinth_ops.free(f, 3, me), PAGE_DOUBLE_FREE);
	EXPECT_EQ(labyrinth_ops.free((frame_t){ f.n + 1 }, 1, me), PAGE_MISALIGNED);
	EXPECT_EQ(owner_unregister(me), 0);
	labyrinth_ops.stop();
}
