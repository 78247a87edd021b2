/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing ACPI tables (libFuzzer).  The input is physical memory, with the root
 * pointer at its start.  Every piece that is asked for is handed out in a block
 * of just that size, so that the sanitizer sees one byte read too many.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kernel/acpi_power.h>

#define BASE   0x1000u		/* physical address of the input's first byte */
#define PIECES 1024u

static const uint8_t *memory;
static size_t memory_size;
static void *piece[PIECES];
static size_t npieces;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *exact_copy(const void *from, size_t size)
{
	if (npieces == PIECES)
		return NULL;
	void *copy = malloc(size);

	if (!copy)
		abort();
	memcpy(copy, from, size);
	return piece[npieces++] = copy;
}

/* Make @n bytes sum to zero through the one at @field. */
static void fix_sum(uint8_t *p, size_t n, size_t field)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[field] = (uint8_t)(p[field] - sum);
}

/* Checksums are made right, or the fuzzer would never get past them. */
static const void *at(uint64_t phys, uint64_t size)
{
	if (phys < BASE || phys - BASE > memory_size || size > memory_size - (phys - BASE))
		return NULL;
	uint8_t *p = exact_copy(memory + (phys - BASE), size);

	if (p && size >= sizeof(struct acpi_header))
		fix_sum(p, size, 9);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct acpi_tables tables;
	struct acpi_power power;
	uint8_t rsdp[36], type[2];

	if (size < sizeof(rsdp))
		return 0;
	memory = data;
	memory_size = size;
	memcpy(rsdp, data, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
	acpi_tables_read(&tables, rsdp, rsdp[15] >= 2, at);
	if (tables.n > ACPI_TABLES_MAX)
		abort();
	acpi_power_read(&power, &tables);
	if (!power.no_off && (power.type[0] > 7 || power.type[1] > 7))
		abort();
	acpi_find_s5(exact_copy(data, size), size, type);
	acpi_rsdp_scan(exact_copy(data, size), size);
	while (npieces > 0)
		free(piece[--npieces]);
	return 0;
}
