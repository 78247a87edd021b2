/* SPDX-License-Identifier: MIT */
/*
 * NMIs that strike where a debug exception has just landed, and whose handler takes a
 * debug exception as well: it lands in the same place (docs/nmi.md, N4).
 */
#define SUITE "nmi"
#include <tests/test.h>

#include "storm.h"

#include <arch/console.h>
#include <arch/nmi.h>
#include <arch/trap.h>
#include <labyrinth/cmdline.h>
#include <port/percpu.h>
#include <port/stack.h>

#define FEW     300u			/* NMIs, unless nmis= says how many */
#define PERIOD  60u			/* ticks at most, unless nmi_period= says how many */
#define DEEP    16u			/* of the 32 levels that there are */

static struct {
	uint64_t nmis, landed, debugs, inside, wrong, random, period;
	volatile bool held;		/* nobody has asked for another shot */
} strikes;

static bool count_debug(struct trap_frame *f)
{
	strikes.debugs++;
	/* "int $1" is two bytes long, and both loops keep this in r12 */
	strikes.wrong += f->r12 != 0x1d1d1d1d || ((const uint8_t *)f->rip)[-2] != 0xcd;
	return true;
}

static void take_debug(void)
{
	__asm__ volatile("movl $0x1d1d1d1d, %%r12d\n\tint $1" : : : "r12", "memory", "cc");
}

static bool debug_in_nmi(struct trap_frame *f)
{
	uint64_t bottom = (uint64_t)percpu()->stacks[STACK_DEBUG].space;

	strikes.nmis++;
	strikes.landed += f->rsp - 1 - bottom < STACK_SIZE;
	take_debug();
	strikes.inside++;
	/* Knuth, TAOCP vol. 2, 3.3.4, line 26 of table 1 */
	strikes.random = strikes.random * 6364136223846793005u + 1442695040888963407u;
	/* Where the host stands still every shot strikes before the one before it has returned. */
	if (percpu()->nmi_depth > DEEP) {
		strikes.held = true;
		return true;
	}
	pit_shoot(1 + (unsigned)((strikes.random >> 40) % strikes.period));
	return true;
}

/* Return: how many the thread took itself. */
static uint64_t take_many(uint64_t wanted)
{
	uint64_t start = clock_ns(), own = 0;

	pit_shoot((unsigned)strikes.period);
	while (strikes.nmis < wanted && (strikes.nmis || clock_ns() - start < PIT_PATIENCE)) {
		for (unsigned i = 0; i < 100; i++, own++)
			take_debug();
		if (strikes.held) {
			strikes.held = false;
			pit_shoot((unsigned)strikes.period);
		}
	}
	pit_stop();
	if (!strikes.nmis)
		pit_is_silent();
	return own;
}

TEST(debug_exceptions_in_nmis_in_debug_exceptions)
{
	trap_handler_t old = trap_set_handler(TRAP_DEBUG, count_debug);
	uint64_t wanted = FEW, own = 0;

	strikes.period = PERIOD;
	cmdline_u64("nmis", &wanted);
	cmdline_u64("nmi_period", &strikes.period);
	strikes.period = strikes.period % 65536 ? strikes.period % 65536 : 1;
	strikes.nmis = strikes.landed = strikes.debugs = strikes.inside = strikes.wrong = 0;
	strikes.held = false;
	strikes.random = test_random();
	if (nmi_add(debug_in_nmi) && pit_start())
		own = take_many(wanted);
	pit_stop();
	nmi_remove(debug_in_nmi);
	trap_set_handler(TRAP_DEBUG, old);
	if (!strikes.nmis) {
		test_skip("no PIT whose shots arrive as NMIs");
		return;
	}
	EXPECT_EQ(strikes.wrong, 0);
	EXPECT_EQ(strikes.inside, strikes.nmis);
	EXPECT_EQ(strikes.debugs, own + strikes.nmis);
	test_note("%llu NMIs, %llu of them where a debug exception had landed",
		  (unsigned long long)strikes.nmis, (unsigned long long)strikes.landed);
}
