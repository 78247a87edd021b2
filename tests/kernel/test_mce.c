/* SPDX-License-Identifier: MIT */
/* What machine checks mean, and that they are switched on.  tests/mce-check has real ones. */
#define SUITE "mce"
#include <tests/test.h>

#include <labyrinth/smp.h>
#include <labyrinth/string.h>
#include <port/features.h>
#include <port/io.h>
#include <port/mce.h>

#define UNCORRECTED (MCE_VALID | MCE_UNCORRECTED | MCE_ENABLED)
#define ADDRESSED   (UNCORRECTED | MCE_HAS_ADDRESS | MCE_HAS_MISC)
#define PHYSICAL    0x80u		/* misc: the address is physical ... */
#define FROM_PAGE   (PHYSICAL | 12)	/* ... and good from bit 12 up */

static enum mce_verdict judge(uint64_t status, uint64_t misc, bool recovery)
{
	const struct mce_bank b = { status, 0x12345678, misc };
	const char *why = NULL;
	enum mce_verdict v = mce_judge(&b, recovery, &why);

	/* A reason, if and only if there is something to give a reason for. */
	EXPECT_EQ(why != NULL, v == MCE_STOP);
	return v;
}

TEST(memory_that_nobody_has_used_yet_can_be_put_aside)
{
	EXPECT_EQ(judge(ADDRESSED, FROM_PAGE, true), MCE_MEMORY);
	EXPECT_EQ(judge(ADDRESSED | MCE_SIGNALED, FROM_PAGE, true), MCE_MEMORY);
	EXPECT_EQ(judge(ADDRESSED | MCE_SIGNALED, PHYSICAL | 6, true), MCE_MEMORY);
}

TEST(no_error_and_corrected_ones_are_nothing)
{
	EXPECT_EQ(judge(0, 0, true), MCE_NOTHING);
	EXPECT_EQ(judge(ADDRESSED & ~MCE_VALID, FROM_PAGE, true), MCE_NOTHING);
	EXPECT_EQ(judge(MCE_VALID | MCE_ENABLED, 0, true), MCE_NOTHING);
	EXPECT_EQ(judge(MCE_VALID | MCE_OVERFLOW, 0, false), MCE_NOTHING);
}

TEST(all_else_stops_the_machine)
{
	EXPECT_EQ(judge(ADDRESSED | MCE_CONTEXT, FROM_PAGE, true), MCE_STOP);
	EXPECT_EQ(judge(MCE_VALID | MCE_CONTEXT, 0, true), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED, FROM_PAGE, false), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED | MCE_OVERFLOW, FROM_PAGE, true), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED | MCE_SIGNALED | MCE_ACTION, FROM_PAGE, true), MCE_STOP);
	EXPECT_EQ(judge(UNCORRECTED, FROM_PAGE, true), MCE_STOP);
	EXPECT_EQ(judge(UNCORRECTED | MCE_HAS_ADDRESS, FROM_PAGE, true), MCE_STOP);
	EXPECT_EQ(judge(UNCORRECTED | MCE_HAS_MISC, FROM_PAGE, true), MCE_STOP);
	/* addresses of other kinds: segment offset, linear, memory, generic */
	EXPECT_EQ(judge(ADDRESSED, 0 << 6 | 12, true), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED, 1 << 6 | 12, true), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED, 3 << 6 | 12, true), MCE_STOP);
	EXPECT_EQ(judge(ADDRESSED, 7 << 6 | 12, true), MCE_STOP);
}

static void expect_memory(uint64_t address, uint64_t misc, uint64_t start, uint64_t size)
{
	const struct mce_bank b = { ADDRESSED, address, misc };
	uint64_t at = 0;

	EXPECT_EQ(mce_memory(&b, &at), size);
	EXPECT_EQ(at, start);
}

TEST(the_address_is_good_from_some_bit_up)
{
	expect_memory(0x12345678, PHYSICAL | 0, 0x12345000, 0x1000);
	expect_memory(0x12345678, PHYSICAL | 6, 0x12345000, 0x1000);
	expect_memory(0x12345678, FROM_PAGE, 0x12345000, 0x1000);
	expect_memory(0x12345678, PHYSICAL | 16, 0x12340000, 0x10000);
	expect_memory(0xf123456789abcu, PHYSICAL | 30, 0xf123440000000u, (uint64_t)1 << 30);
	expect_memory(UINT64_MAX, PHYSICAL | 63, (uint64_t)1 << 63, (uint64_t)1 << 63);
}

TEST(codes_have_names)
{
	EXPECT(strcmp(mce_kind(0xc3), "memory scrubbing") == 0);
	EXPECT(strcmp(mce_kind(0x9f), "memory read") == 0);
	EXPECT(strcmp(mce_kind(0xa0), "memory write") == 0);
	EXPECT(strcmp(mce_kind(0x134), "cache") == 0);
	EXPECT(strcmp(mce_kind(0x1134), "cache") == 0);
	EXPECT(strcmp(mce_kind(0x17a), "cache") == 0);
	EXPECT(strcmp(mce_kind(0x0e0f), "bus") == 0);
	EXPECT(strcmp(mce_kind(0x0014), "translation") == 0);
	EXPECT(strcmp(mce_kind(0x0005), "internal") == 0);
	EXPECT(strcmp(mce_kind(0), "internal") == 0);
}

static unsigned wrong;

/* CR4.MCE, IA32_MCG_CTL, IA32_MC0_CTL and the last bank's: SDM vol. 3, 16.3. */
static void look(void *arg)
{
	uint64_t cap = rdmsr(0x179);
	uint32_t last = ((uint32_t)cap & 0xff) - 1;

	(void)arg;
	wrong += !(read_cr4() & 0x40);
	wrong += cap & 0x100 && !rdmsr(0x17b);
	wrong += !rdmsr(0x400 + 4 * last);
	wrong += (rdmsr(0x401 + 4 * last) & MCE_VALID) != 0;
}

TEST(they_are_switched_on_on_every_cpu)
{
	if (!cpu_features.mce || !cpu_features.mca) {
		test_skip("this processor does not tell of machine checks");
		return;
	}
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		wrong = 0;
		if (cpu_online(cpu) && cpu_call(cpu, look, NULL))
			EXPECT_EQ(wrong, 0);
	}
}
