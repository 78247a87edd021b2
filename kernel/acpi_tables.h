/* SPDX-License-Identifier: MIT */
/*
 * Reading ACPI tables, apart from where they lie, so that tests can feed them.
 * Nothing here trusts a length, a checksum or an address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_TABLES_MAX 128u
#define ACPI_REJECTED_MAX 8u	/* remembered for messages; the rest is only counted */

/* @size bytes of physical memory, or NULL when they cannot be reached. */
typedef const void *(*acpi_reader_t)(uint64_t phys, uint64_t size);

/* What every table starts with (ACPI 6.5, section 5.2.6). */
struct acpi_header {
	char sig[4];
	uint32_t length;		/* bytes, header included */
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, section 5.2.6");

struct acpi_tables {
	size_t n;
	const struct acpi_header *table[ACPI_TABLES_MAX];	/* verified, in the order listed */
	size_t nrejected;
	struct acpi_rejected {
		char sig[5];		/* "????" if not even that could be read */
		uint64_t phys;
		const char *why;
	} rejected[ACPI_REJECTED_MAX];
};

/**
 * acpi_rsdp_scan() - look for the root pointer in a BIOS area
 * @area: @size bytes from a 16-byte boundary
 *
 * Return: its first byte, or NULL.
 */
const uint8_t *acpi_rsdp_scan(const uint8_t *area, size_t size);

/**
 * acpi_tables_read() - all tables that the root pointer leads to, and the DSDT
 * @rsdp:     20 bytes, 36 if @extended (ACPI 2.0 or later)
 * @extended: use the XSDT; if it is damaged, the RSDT after all
 *
 * Return: NULL, or a sentence that says why there are no tables.
 */
const char *acpi_tables_read(struct acpi_tables *t, const uint8_t *rsdp, bool extended,
			     acpi_reader_t at);

/* The first table of this signature, or NULL. */
const struct acpi_header *acpi_tables_find(const struct acpi_tables *t, const char sig[4]);

/* Little-endian fields of any alignment. */
uint16_t acpi_u16(const void *p);
uint32_t acpi_u32(const void *p);
uint64_t acpi_u64(const void *p);
