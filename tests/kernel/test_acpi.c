/* SPDX-License-Identifier: MIT */
/* The tables of the machine we run on. */
#define SUITE "acpi"
#include <tests/test.h>

#include <arch/pagetable.h>
#include <kernel/acpi_tables.h>
#include <labyrinth/acpi.h>
#include <labyrinth/string.h>

static const char *const sigs[] = { "FACP", "DSDT", "APIC", "HPET", "MCFG", "SSDT", "WAET" };

TEST(tables_are_whole)
{
	size_t found = 0;

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		const struct acpi_header *h = acpi_find(sigs[i]);
		uint8_t sum = 0;

		if (!h)
			continue;
		found++;
		EXPECT(memcmp(h->sig, sigs[i], 4) == 0);
		for (uint32_t k = 0; k < h->length; k++)
			sum = (uint8_t)(sum + ((const uint8_t *)h)[k]);
		EXPECT_EQ(sum, 0);
		test_note("%s: %u bytes", sigs[i], h->length);
	}
	if (!found)
		test_skip("this machine has no ACPI tables");
}

TEST(tables_cannot_be_written)
{
	const struct acpi_header *h = acpi_find("FACP");
	struct mapping m;

	if (!h) {
		test_skip("this machine has no ACPI tables");
		return;
	}
	ASSERT(pagetable_lookup(h, &m));
	EXPECT(!m.writable);
	EXPECT(!m.executable);
	ASSERT(pagetable_lookup((const char *)h + h->length - 1, &m));
	EXPECT(!m.writable);
}

TEST(absent_tables_are_not_found)
{
	EXPECT(acpi_find("NONE") == NULL);
	EXPECT(acpi_find("\0\0\0") == NULL);
}
