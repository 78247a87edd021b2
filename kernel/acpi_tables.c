/* SPDX-License-Identifier: MIT */
/* From the root pointer to the tables (ACPI 6.5, sections 5.2.5 to 5.2.8). */
#include "acpi_tables.h"

#include <labyrinth/string.h>

#define RSDP_SIZE	20u
#define RSDP_SIZE_2	36u		/* from ACPI 2.0 on */
#define TABLE_MAX	((uint32_t)16 << 20)	/* bytes; the largest seen have less than 1 MiB */
#define FADT_DSDT	40u		/* offsets in the FADT, section 5.2.9 */
#define FADT_X_DSDT	140u

uint16_t acpi_u16(const void *p)
{
	uint16_t v;

	return *(uint16_t *)memcpy(&v, p, sizeof(v));
}

uint32_t acpi_u32(const void *p)
{
	uint32_t v;

	return *(uint32_t *)memcpy(&v, p, sizeof(v));
}

uint64_t acpi_u64(const void *p)
{
	uint64_t v;

	return *(uint64_t *)memcpy(&v, p, sizeof(v));
}

static bool sums_to_zero(const void *p, size_t n)
{
	const uint8_t *byte = p;
	uint8_t sum = 0;

	while (n-- > 0)
		sum = (uint8_t)(sum + *byte++);
	return sum == 0;
}

static bool is_rsdp(const uint8_t *p)
{
	return memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, RSDP_SIZE);
}

const uint8_t *acpi_rsdp_scan(const uint8_t *area, size_t size)
{
	for (size_t i = 0; i + RSDP_SIZE_2 <= size; i += 16) {
		if (is_rsdp(area + i))
			return area + i;
	}
	return NULL;
}

static void reject(struct acpi_tables *t, const char *sig, uint64_t phys, const char *why)
{
	if (t->nrejected < ACPI_REJECTED_MAX) {
		struct acpi_rejected *r = &t->rejected[t->nrejected];

		*r = (struct acpi_rejected){ .phys = phys, .why = why };
		for (size_t i = 0; i < 4; i++)	/* whatever it is, it will be printed */
			r->sig[i] = sig[i] > ' ' && sig[i] < 0x7f ? sig[i] : '?';
	}
	t->nrejected++;
}

/* A whole table that can be relied on, or NULL after reject(). */
static const struct acpi_header *read_table(struct acpi_tables *t, uint64_t phys,
					    acpi_reader_t at)
{
	const struct acpi_header *h = phys ? at(phys, sizeof(*h)) : NULL;
	char sig[4];

	if (!h) {
		reject(t, "????", phys, "cannot be reached");
		return NULL;
	}
	uint32_t length = acpi_u32(&h->length);

	memcpy(sig, h->sig, sizeof(sig));
	if (length < sizeof(*h) || length > TABLE_MAX) {
		reject(t, sig, phys, "has an impossible length");
		return NULL;
	}
	h = at(phys, length);
	if (!h)
		reject(t, sig, phys, "cannot be reached whole");
	else if (!sums_to_zero(h, length))
		reject(t, sig, phys, "has a wrong checksum");
	else
		return h;
	return NULL;
}

static void add_table(struct acpi_tables *t, uint64_t phys, acpi_reader_t at)
{
	const struct acpi_header *h = read_table(t, phys, at);

	if (h && t->n < ACPI_TABLES_MAX)
		t->table[t->n++] = h;
	else if (h)
		reject(t, h->sig, phys, "is one more than there is room for");
}

/* The tables listed in an RSDT (4 bytes an entry) or XSDT (8). */
static bool read_list(struct acpi_tables *t, uint64_t phys, size_t entry, acpi_reader_t at)
{
	const struct acpi_header *list = read_table(t, phys, at);

	if (!list)
		return false;
	if (memcmp(list->sig, entry == 8 ? "XSDT" : "RSDT", 4) != 0) {
		reject(t, list->sig, phys, "stands where the list of tables should be");
		return false;
	}
	const uint8_t *p = (const uint8_t *)(list + 1);
	size_t n = (acpi_u32(&list->length) - sizeof(*list)) / entry;

	if (n > 2 * ACPI_TABLES_MAX)	/* bound the time that a mad list can take */
		n = 2 * ACPI_TABLES_MAX;
	for (; n > 0; n--, p += entry) {
		uint64_t table = entry == 8 ? acpi_u64(p) : acpi_u32(p);

		if (table)		/* empty entries have been seen, and mean nothing */
			add_table(t, table, at);
	}
	return true;
}

/* The FADT's table of byte code, which no list contains (section 5.2.9). */
static void add_dsdt(struct acpi_tables *t, acpi_reader_t at)
{
	const struct acpi_header *fadt = acpi_tables_find(t, "FACP");
	uint32_t length = fadt ? acpi_u32(&fadt->length) : 0;
	uint64_t phys = 0;

	if (length >= FADT_X_DSDT + 8)
		phys = acpi_u64((const uint8_t *)fadt + FADT_X_DSDT);
	if (!phys && length >= FADT_DSDT + 4)
		phys = acpi_u32((const uint8_t *)fadt + FADT_DSDT);
	if (phys)
		add_table(t, phys, at);
}

const char *acpi_tables_read(struct acpi_tables *t, const uint8_t *rsdp, bool extended,
			     acpi_reader_t at)
{
	*t = (struct acpi_tables){ 0 };
	if (!is_rsdp(rsdp))
		return "the root pointer (RSDP) is damaged";
	uint64_t xsdt = extended && sums_to_zero(rsdp, RSDP_SIZE_2) ? acpi_u64(rsdp + 24) : 0;
	uint64_t rsdt = acpi_u32(rsdp + 16);

	if (!(xsdt && read_list(t, xsdt, 8, at)) && !(rsdt && read_list(t, rsdt, 4, at)))
		return "the list of tables (RSDT or XSDT) is damaged";
	add_dsdt(t, at);
	return NULL;
}

const struct acpi_header *acpi_tables_find(const struct acpi_tables *t, const char sig[4])
{
	for (size_t i = 0; i < t->n; i++) {
		if (memcmp(t->table[i]->sig, sig, 4) == 0)
			return t->table[i];
	}
	return NULL;
}
