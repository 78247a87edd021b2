/* SPDX-License-Identifier: MIT */
/* MADTs made by hand: whole, with holes, damaged, and random bytes. */
#include <labyrinth/madt.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SUITE "madt"

static uint8_t table[8192];
static uint8_t placed[sizeof(table)];
static uint32_t used;
static struct madt m;

static void put(uint8_t *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void begin(uint32_t flags)
{
	memset(table, 0xa5, sizeof(table));
	memcpy(table, "APIC", 4);
	put(table + 36, 0xfee00000, 4);
	put(table + 40, flags, 4);
	used = 44;
}

/* An entry of @length bytes, cleared.  Return: where. */
static uint8_t *entry(uint8_t type, uint8_t length)
{
	uint8_t *e = table + used;

	memset(e, 0, length);
	e[0] = type;
	e[1] = length;
	used += length;
	return e;
}

static void lapic(uint8_t uid, uint8_t id, uint32_t flags)
{
	uint8_t *e = entry(0, 8);

	e[2] = uid;
	e[3] = id;
	put(e + 4, flags, 4);
}

static void x2apic(uint32_t uid, uint32_t id, uint32_t flags)
{
	uint8_t *e = entry(9, 16);

	put(e + 4, id, 4);
	put(e + 8, flags, 4);
	put(e + 12, uid, 4);
}

/* Its last byte is the array's, so that the sanitizer sees whoever reads on. */
static const char *read_it(void)
{
	uint8_t *p = placed + sizeof(placed) - used;

	put(table + 4, used, 4);
	memcpy(p, table, used);
	return madt_read(&m, p);
}

TEST(processors_with_holes_and_switched_off)
{
	begin(1);
	lapic(0, 0, 1);
	lapic(1, 2, 0);
	lapic(2, 254, 2);
	x2apic(7, 0x12345, 1);
	EXPECT(read_it() == NULL);
	EXPECT(m.has_8259);
	EXPECT_EQ(m.lapic_address, 0xfee00000);
	ASSERT_EQ(m.ncpus, 4);
	EXPECT(m.cpu[0].apic_id == 0 && m.cpu[0].enabled && !m.cpu[0].online_capable);
	EXPECT(m.cpu[1].apic_id == 2 && !m.cpu[1].enabled && !m.cpu[1].online_capable);
	EXPECT(m.cpu[2].apic_id == 254 && !m.cpu[2].enabled && m.cpu[2].online_capable);
	EXPECT(m.cpu[3].apic_id == 0x12345 && m.cpu[3].uid == 7 && m.cpu[3].enabled);
	EXPECT_EQ(m.damaged + m.twice + m.too_many + m.cut_short, 0);
}

TEST(a_processor_listed_twice_counts_once)
{
	begin(0);
	lapic(0, 3, 0);
	x2apic(0, 3, 1);
	lapic(0, 3, 2);
	EXPECT(read_it() == NULL);
	EXPECT(!m.has_8259);
	ASSERT_EQ(m.ncpus, 1);
	EXPECT(m.cpu[0].enabled && m.cpu[0].online_capable);
	EXPECT_EQ(m.twice, 2);
}

TEST(numbers_that_mean_everybody_are_no_processor)
{
	begin(0);
	lapic(0, 0xff, 1);
	x2apic(0, UINT32_MAX, 1);
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.ncpus, 0);
	EXPECT_EQ(m.damaged, 2);
}

TEST(controllers_and_overrides)
{
	uint8_t *e;

	begin(0);
	e = entry(1, 12);
	e[2] = 5;
	put(e + 4, 0xfec00000, 4);
	put(e + 8, 24, 4);
	entry(1, 12);			/* at address 0: no controller */
	e = entry(2, 10);
	e[3] = 9;
	put(e + 4, 20, 4);
	put(e + 8, 0xd, 2);
	e = entry(2, 10);		/* bus 1: nobody knows which */
	e[2] = 1;
	e = entry(2, 10);
	e[3] = 16;
	e = entry(5, 12);
	put(e + 4, 0xffee00000, 8);
	EXPECT(read_it() == NULL);
	ASSERT_EQ(m.nioapics, 1);
	EXPECT(m.ioapic[0].id == 5 && m.ioapic[0].address == 0xfec00000 &&
	       m.ioapic[0].gsi_base == 24);
	ASSERT_EQ(m.noverrides, 1);
	EXPECT(m.override[0].isa == 9 && m.override[0].gsi == 20 && m.override[0].flags == 0xd);
	EXPECT_EQ(m.damaged, 3);
	EXPECT_EQ(m.lapic_address, 0xffee00000);
}

TEST(sources_of_nmis)
{
	uint8_t *e;

	begin(0);
	e = entry(3, 8);
	put(e + 2, 0xf, 2);
	put(e + 4, 17, 4);
	e = entry(4, 6);
	e[2] = 0xff;
	put(e + 3, 5, 2);
	e[5] = 1;
	e = entry(10, 12);
	put(e + 4, 300, 4);
	e[8] = 0;
	e = entry(4, 6);
	e[5] = 2;			/* there are two pins */
	EXPECT(read_it() == NULL);
	ASSERT_EQ(m.nnmis, 1);
	EXPECT(m.nmi[0].gsi == 17 && m.nmi[0].flags == 0xf);
	ASSERT_EQ(m.nlapic_nmis, 2);
	EXPECT(m.lapic_nmi[0].uid == MADT_ALL_CPUS && m.lapic_nmi[0].pin == 1 &&
	       m.lapic_nmi[0].flags == 5);
	EXPECT(m.lapic_nmi[1].uid == 300 && m.lapic_nmi[1].pin == 0);
	EXPECT_EQ(m.damaged, 1);
}

TEST(unknown_types_are_passed_over)
{
	begin(0);
	entry(0x80, 2);
	entry(11, 80);
	lapic(0, 1, 1);
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.ncpus, 1);
	EXPECT_EQ(m.damaged, 0);
}

TEST(entries_too_short_are_left_out)
{
	static const uint8_t type[] = { 0, 1, 2, 3, 4, 5, 9, 10 };

	begin(0);
	for (size_t i = 0; i < sizeof(type); i++)
		entry(type[i], 5);
	lapic(0, 1, 1);
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.damaged, sizeof(type));
	EXPECT_EQ(m.ncpus, 1);
	EXPECT_EQ(m.nioapics + m.noverrides + m.nnmis + m.nlapic_nmis, 0);
}

TEST(an_impossible_length_ends_the_walk)
{
	begin(0);
	lapic(0, 1, 1);
	entry(0, 2)[1] = 0;
	lapic(0, 2, 1);
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.ncpus, 1);
	EXPECT(m.cut_short);

	begin(0);
	lapic(0, 1, 1);
	lapic(0, 2, 1);
	used -= 1;			/* the second reaches beyond the end */
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.ncpus, 1);
	EXPECT(m.cut_short);
}

TEST(a_damaged_header_is_refused)
{
	begin(0);
	used = 43;
	EXPECT(read_it() != NULL);
	EXPECT_EQ(m.lapic_address, 0);
	begin(0);
	table[0] = 'B';
	EXPECT(read_it() != NULL);
	begin(0);
	EXPECT(read_it() == NULL);	/* nothing listed: so be it */
	EXPECT_EQ(m.ncpus, 0);
}

TEST(more_than_there_is_room_for)
{
	begin(0);
	for (unsigned i = 0; i < MADT_CPUS_MAX + 3; i++)
		x2apic(i, i, 1);
	for (unsigned i = 0; i < MADT_IOAPICS_MAX + 2; i++)
		put(entry(1, 12) + 4, 0xfec00000, 4);
	for (unsigned i = 0; i < MADT_OVERRIDES_MAX + 1; i++)
		entry(2, 10);
	for (unsigned i = 0; i < MADT_NMIS_MAX + 1; i++) {
		entry(3, 8);
		entry(4, 6);
	}
	EXPECT(read_it() == NULL);
	EXPECT_EQ(m.ncpus, MADT_CPUS_MAX);
	EXPECT_EQ(m.nioapics, MADT_IOAPICS_MAX);
	EXPECT_EQ(m.noverrides, MADT_OVERRIDES_MAX);
	EXPECT_EQ(m.nnmis, MADT_NMIS_MAX);
	EXPECT_EQ(m.nlapic_nmis, MADT_NMIS_MAX);
	EXPECT_EQ(m.too_many, 3 + 2 + 1 + 2);
}

TEST(random_bytes_are_survived)
{
	for (unsigned i = 0; i < 2000; i++) {
		begin(0);
		used += (uint32_t)test_random_below(200);
		for (uint32_t at = 36; at < used; at++)
			table[at] = (uint8_t)test_random();
		for (uint32_t at = 45; at < used && i % 2; at += table[at] + 1u)
			table[at] = (uint8_t)(2 + test_random_below(16));
		EXPECT(read_it() == NULL);
		EXPECT_CMP(m.ncpus, <=, MADT_CPUS_MAX);
	}
}
