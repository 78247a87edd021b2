/* SPDX-License-Identifier: MIT */
/* ACPI tables made by hand, whole and broken, in a small physical memory of their own. */
#include <kernel/acpi_power.h>
#include <labyrinth/string.h>

#include "../test.h"

#define SUITE "acpi"

#define BASE  0x7fe0000u	/* where the small memory begins */
#define SIZE  0x4000u
#define BEYOND (BASE + SIZE)

static uint8_t memory[SIZE];
static uint32_t used;		/* tables are made from the bottom up */
static uint8_t rsdp[36];
static struct acpi_tables tables;
static struct acpi_power power;

static const void *at(uint64_t phys, uint64_t size)
{
	if (phys < BASE || phys >= BEYOND || size > BEYOND - phys)
		return NULL;
	return memory + (phys - BASE);
}

static void put(uint8_t *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void fix_sum(uint8_t *p, size_t n, size_t field)
{
	uint8_t sum = 0;

	p[field] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[field] = (uint8_t)-sum;
}

static uint8_t *table_at(uint32_t phys)
{
	return memory + (phys - BASE);
}

static void seal_table(uint32_t phys)
{
	uint8_t *p = table_at(phys);

	fix_sum(p, acpi_u32(p + 4), 9);
}

/* A table with @n bytes after its header.  Return: where. */
static uint32_t make(const char *sig, const void *body, uint32_t n)
{
	uint32_t phys = BASE + used;
	uint8_t *p = table_at(phys);

	used += (36 + n + 15) & ~15u;
	memset(p, 0, 36 + n);
	memcpy(p, sig, 4);
	put(p + 4, 36 + n, 4);
	if (body)
		memcpy(p + 36, body, n);
	seal_table(phys);
	return phys;
}

static uint32_t make_list(size_t entry, const uint32_t *phys, size_t n)
{
	uint32_t list = make(entry == 8 ? "XSDT" : "RSDT", NULL, (uint32_t)(n * entry));

	for (size_t i = 0; i < n; i++)
		put(table_at(list) + 36 + i * entry, phys[i], entry);
	seal_table(list);
	return list;
}

static void make_rsdp(uint32_t rsdt, uint64_t xsdt)
{
	memset(rsdp, 0, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = xsdt ? 2 : 0;
	put(rsdp + 16, rsdt, 4);
	put(rsdp + 20, 36, 4);
	put(rsdp + 24, xsdt, 8);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
}

static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 6, 0, 0 };

/* FADT of @length bytes with a DSDT that holds s5; the rest zero. */
static uint32_t make_fadt(uint32_t length)
{
	uint32_t dsdt = make("DSDT", s5, sizeof(s5));
	uint32_t fadt = make("FACP", NULL, length - 36);

	put(table_at(fadt) + 40, dsdt, 4);
	seal_table(fadt);
	return fadt;
}

static void start(void)
{
	used = 0;
	memset(memory, 0xa5, sizeof(memory));
}

/* Read a machine whose only listed table is @fadt. */
static void read_power(uint32_t fadt)
{
	seal_table(fadt);
	make_rsdp(make_list(4, &fadt, 1), 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) == NULL);
	acpi_power_read(&power, &tables);
}

TEST(reads_the_rsdt)
{
	start();
	uint32_t list[] = { make("APIC", "12345678", 8), 0, make_fadt(116) };

	make_rsdp(make_list(4, list, 3), 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) == NULL);
	EXPECT_EQ(tables.n, 3);		/* the DSDT among them, the empty entry not */
	EXPECT_EQ(tables.nrejected, 0);
	EXPECT(acpi_tables_find(&tables, "APIC") == at(list[0], 1));
	EXPECT(acpi_tables_find(&tables, "DSDT") != NULL);
	EXPECT(acpi_tables_find(&tables, "HPET") == NULL);
}

TEST(prefers_the_xsdt)
{
	start();
	uint32_t old = make("OLD ", NULL, 0), new = make("NEW ", NULL, 0);

	make_rsdp(make_list(4, &old, 1), make_list(8, &new, 1));
	EXPECT(acpi_tables_read(&tables, rsdp, true, at) == NULL);
	EXPECT(acpi_tables_find(&tables, "NEW ") != NULL);
	EXPECT(acpi_tables_find(&tables, "OLD ") == NULL);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) == NULL);
	EXPECT(acpi_tables_find(&tables, "OLD ") != NULL);
}

TEST(falls_back_to_the_rsdt)
{
	start();
	uint32_t old = make("OLD ", NULL, 0), new = make("NEW ", NULL, 0);
	uint32_t xsdt = make_list(8, &new, 1);

	make_rsdp(make_list(4, &old, 1), xsdt);
	rsdp[32]++;			/* the extended part's checksum */
	EXPECT(acpi_tables_read(&tables, rsdp, true, at) == NULL);
	EXPECT(acpi_tables_find(&tables, "OLD ") != NULL);

	rsdp[32]--;
	table_at(xsdt)[9]++;
	EXPECT(acpi_tables_read(&tables, rsdp, true, at) == NULL);
	EXPECT(acpi_tables_find(&tables, "OLD ") != NULL);
	EXPECT_EQ(tables.nrejected, 1);
}

TEST(leaves_out_broken_tables)
{
	start();
	uint32_t list[] = { make("SUM ", NULL, 4), make("HUGE", NULL, 4), make("TINY", NULL, 4),
			    BEYOND, BEYOND - 8, make("GOOD", NULL, 4) };

	table_at(list[0])[40 - 1] ^= 1;
	put(table_at(list[1]) + 4, SIZE, 4);
	put(table_at(list[2]) + 4, 35, 4);
	make_rsdp(make_list(4, list, 6), 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) == NULL);
	EXPECT_EQ(tables.n, 1);
	EXPECT(acpi_tables_find(&tables, "GOOD") != NULL);
	ASSERT(tables.nrejected == 5);
	EXPECT(strcmp(tables.rejected[0].sig, "SUM?") == 0);
	EXPECT(strcmp(tables.rejected[0].why, "has a wrong checksum") == 0);
	EXPECT(strcmp(tables.rejected[1].why, "cannot be reached whole") == 0);
	EXPECT(strcmp(tables.rejected[2].why, "has an impossible length") == 0);
	EXPECT_EQ(tables.rejected[3].phys, BEYOND);
	EXPECT(strcmp(tables.rejected[4].why, "cannot be reached") == 0);
}

TEST(refuses_a_broken_root)
{
	start();
	uint32_t table = make("GOOD", NULL, 4), list = make_list(4, &table, 1);

	make_rsdp(list, 0);
	rsdp[16] ^= 1;
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) != NULL);
	make_rsdp(table, 0);		/* a table, but not the list */
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) != NULL);
	make_rsdp(0, 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) != NULL);
	make_rsdp(BEYOND, 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) != NULL);
	EXPECT_EQ(tables.n, 0);
	EXPECT(acpi_tables_find(&tables, "GOOD") == NULL);
}

/* More entries than places, and a list that lists itself. */
TEST(survives_a_mad_list)
{
	static uint32_t list[3 * ACPI_TABLES_MAX];

	start();
	list[0] = make("GOOD", NULL, 4);
	for (size_t i = 1; i < 3 * ACPI_TABLES_MAX; i++)
		list[i] = BASE + used;	/* where the list itself will be */
	make_rsdp(make_list(4, list, 3 * ACPI_TABLES_MAX), 0);
	EXPECT(acpi_tables_read(&tables, rsdp, false, at) == NULL);
	EXPECT_EQ(tables.n, ACPI_TABLES_MAX);
	EXPECT_EQ(tables.nrejected, ACPI_TABLES_MAX);
}

TEST(finds_the_root_in_a_bios_area)
{
	start();
	make_rsdp(BASE, 0);
	memcpy(memory + 0x120, rsdp, 20);
	memcpy(memory + 0x48, rsdp, 20);	/* not on a 16-byte boundary */
	memcpy(memory + 0x60, "RSD PTR ", 8);	/* wrong sum */
	EXPECT(acpi_rsdp_scan(memory, SIZE) == memory + 0x120);
	EXPECT(acpi_rsdp_scan(memory, 0x120 + 35) == NULL);
	EXPECT(acpi_rsdp_scan(memory, 0) == NULL);
}

static bool s5_is(const uint8_t *aml, size_t n, unsigned a, unsigned b)
{
	uint8_t type[2] = { 99, 99 };

	return acpi_find_s5(aml, n, type) && type[0] == a && type[1] == b;
}

TEST(sleep_types_in_all_encodings)
{
	static const uint8_t small[] = { 0x5b, 0x80, 0x08, '\\', '_', 'S', '5', '_',
					 0x12, 5, 4, 0, 1, 0, 0 };
	static const uint8_t wide[6 + 0x11 + 4] = { 0x08, '_', 'S', '5', '_', 0x12, 0x41, 0x01, 2,
						    0x0b, 7, 0, 0x0c, 3, 0, 0, 0 };
	static const uint8_t both[] = { 0x08, '_', 'S', '5', '_', 0x12, 5, 1, 0x0b, 5, 6 };

	EXPECT(s5_is(s5, sizeof(s5), 5, 6));
	EXPECT(s5_is(small, sizeof(small), 0, 1));
	EXPECT(s5_is(wide, sizeof(wide), 7, 3));
	EXPECT(!s5_is(wide, 6 + 0x10, 7, 3));	/* its package ends one byte further */
	EXPECT(s5_is(both, sizeof(both), 5, 6));
}

TEST(sleep_types_that_are_none)
{
	static const uint8_t method[] = { 0x14, 8, '_', 'S', '5', '_', 0, 0xa4, 0x12, 3, 1, 0 };
	static const uint8_t too_big[] = { 0x08, '_', 'S', '5', '_', 0x12, 5, 2, 0x0a, 8, 0 };
	static const uint8_t reference[] = {
		0x08, '_', 'S', '5', '_', 0x12, 7, 1, 'S', 'L', 'P', 'T'
	};
	static const uint8_t beyond[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x3f, 2, 0, 0 };
	static const uint8_t inside[] = { 0x08, '_', 'S', '5', '_', 0x12, 3, 2, 0, 0 };
	static const uint8_t empty[] = { 0x08, '_', 'S', '5', '_', 0x12, 0, 2, 0, 0 };
	static const uint8_t unnamed[] = { 0x70, '_', 'S', '5', '_', 0x12, 4, 2, 0, 0 };
	uint8_t type[2];

	EXPECT(!acpi_find_s5(unnamed, sizeof(unnamed), type));
	EXPECT(!acpi_find_s5(method, sizeof(method), type));
	EXPECT(!acpi_find_s5(too_big, sizeof(too_big), type));
	EXPECT(!acpi_find_s5(reference, sizeof(reference), type));
	EXPECT(!acpi_find_s5(beyond, sizeof(beyond), type));
	EXPECT(!acpi_find_s5(inside, sizeof(inside), type));
	EXPECT(!acpi_find_s5(empty, sizeof(empty), type));
	EXPECT(!acpi_find_s5((const uint8_t *)"_S5_", 4, type));
	for (size_t n = 0; n < 12; n++)
		EXPECT(!acpi_find_s5(s5, n, type));
}

/* What looks like it comes first; the definition counts. */
TEST(sleep_types_after_a_decoy)
{
	uint8_t aml[64];

	memset(aml, 0x08, sizeof(aml));
	memcpy(aml + 1, "_S5_", 4);
	memcpy(aml + 20, s5, sizeof(s5));
	EXPECT(s5_is(aml, sizeof(aml), 5, 6));
}

TEST(power_of_an_old_machine)
{
	start();
	uint32_t fadt = make_fadt(116);
	uint8_t *f = table_at(fadt);

	put(f + 48, 0xb2, 4);
	f[52] = 0xf1;
	put(f + 56, 0x600, 4);
	put(f + 64, 0x604, 4);
	read_power(fadt);
	EXPECT(power.no_off == NULL);
	EXPECT_EQ(power.control[0].space, ACPI_PORT);
	EXPECT_EQ(power.control[0].address, 0x604);
	EXPECT_EQ(power.control[1].space, ACPI_NOWHERE);
	EXPECT_EQ(power.status[0].address, 0x600);
	EXPECT_EQ(power.smi.address, 0xb2);
	EXPECT_EQ(power.enable, 0xf1);
	EXPECT_EQ(power.type[0], 5);
	EXPECT_EQ(power.type[1], 6);
	EXPECT(!power.reduced);
	EXPECT(power.no_reset != NULL);	/* the table ends before the register */
}

static void put_generic(uint8_t *p, uint8_t space, uint64_t address)
{
	memset(p, 0, 12);
	p[0] = space;
	put(p + 4, address, 8);
}

TEST(power_of_a_new_machine)
{
	start();
	uint32_t fadt = make_fadt(276);
	uint8_t *f = table_at(fadt);

	put(f + 64, 0x604, 4);
	put(f + 68, 0x704, 4);
	put_generic(f + 172, 1, 0x1804);
	put_generic(f + 116, 1, 0xcf9);
	put(f + 140, acpi_u32(f + 40), 8);	/* the DSDT, where new tables have it */
	put(f + 40, BEYOND, 4);
	put(f + 112, 1u << 10, 4);
	f[128] = 0x0f;
	read_power(fadt);
	EXPECT(power.no_off == NULL && power.no_reset == NULL);
	EXPECT_EQ(power.control[0].address, 0x1804);
	EXPECT_EQ(power.control[1].address, 0x704);
	EXPECT_EQ(power.reset.address, 0xcf9);
	EXPECT_EQ(power.reset_value, 0x0f);

	put(f + 112, 0, 4);		/* the register is there, but not offered */
	read_power(fadt);
	EXPECT(power.no_reset != NULL);
	put(f + 112, 1u << 10, 4);
	put_generic(f + 116, 2, 0xcf9);	/* configuration space */
	read_power(fadt);
	EXPECT(power.no_reset != NULL);
}

TEST(power_of_reduced_hardware)
{
	start();
	uint32_t fadt = make_fadt(276);
	uint8_t *f = table_at(fadt);

	put(f + 112, 1u << 20, 4);
	read_power(fadt);
	EXPECT(power.no_off != NULL);
	put_generic(f + 244, 0, 0xfea00004);
	read_power(fadt);
	EXPECT(power.no_off == NULL);
	EXPECT(power.reduced);
	EXPECT_EQ(power.sleep.space, ACPI_MEMORY);
	EXPECT_EQ(power.sleep.address, 0xfea00004);
}

TEST(power_that_is_not_there)
{
	start();
	uint32_t fadt = make_fadt(116), other = make("APIC", NULL, 4);

	put(table_at(fadt) + 64, 0x10604, 4);	/* no port has that number */
	read_power(fadt);
	EXPECT(power.no_off != NULL);
	put(table_at(fadt) + 64, 0x604, 4);
	put(table_at(fadt) + 40, 0, 4);		/* no DSDT, so no sleep type */
	read_power(fadt);
	EXPECT(power.no_off != NULL);
	read_power(other);
	EXPECT(power.no_off != NULL && power.no_reset != NULL);
	read_power(make("FACP", NULL, 0));	/* a header and nothing else */
	EXPECT(power.no_off != NULL && power.no_reset != NULL);
}
