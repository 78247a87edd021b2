/* SPDX-License-Identifier: MIT */
/* Power registers in the FADT, sleep types in the byte code. */
#include "acpi_power.h"

#include <labyrinth/string.h>

/* Offsets in the FADT (ACPI 6.5, section 5.2.9). */
enum {
	SMI_CMD = 48, ACPI_ENABLE = 52,
	PM1A_EVT = 56, PM1B_EVT = 60, PM1A_CNT = 64, PM1B_CNT = 68,
	FLAGS = 112, RESET_REG = 116, RESET_VALUE = 128,
	X_PM1A_EVT = 148, X_PM1B_EVT = 160, X_PM1A_CNT = 172, X_PM1B_CNT = 184,
	SLEEP_CONTROL = 244,
};

#define FLAG_RESET_REG	(1u << 10)	/* section 5.2.9, fixed feature flags */
#define FLAG_REDUCED	(1u << 20)
#define GAS_SIZE	12u		/* generic address structure, section 5.2.3.2 */

/* Byte code (section 20.3). */
enum {
	AML_ZERO = 0x00, AML_ONE = 0x01, AML_NAME = 0x08, AML_BYTE = 0x0a, AML_WORD = 0x0b,
	AML_DWORD = 0x0c, AML_PACKAGE = 0x12, AML_ROOT = '\\', AML_ONES = 0xff,
};
#define SLP_TYP_MAX 7u			/* three bits */

/* A piece of byte code being read. */
struct aml {
	const uint8_t *p, *end;
};

static bool aml_constant(struct aml *a, uint32_t *v)
{
	size_t size;

	if (a->p == a->end)
		return false;
	switch (*a->p++) {
	case AML_ZERO:  *v = 0; return true;
	case AML_ONE:   *v = 1; return true;
	case AML_BYTE:  size = 1; break;
	case AML_WORD:  size = 2; break;
	case AML_DWORD: size = 4; break;
	default:        return false;
	}
	if ((size_t)(a->end - a->p) < size)
		return false;
	*v = 0;
	for (size_t i = 0; i < size; i++)
		*v |= (uint32_t)*a->p++ << 8 * i;
	return true;
}

/* Narrow @a to the package that starts there (section 20.2.4, PkgLength). */
static bool aml_package(struct aml *a)
{
	const uint8_t *from = a->p;

	if (a->p == a->end)
		return false;
	unsigned more = *a->p >> 6;
	size_t length = more ? *a->p & 0x0f : *a->p & 0x3f;

	a->p++;
	if ((size_t)(a->end - a->p) < more)
		return false;
	for (unsigned i = 0; i < more; i++)
		length |= (size_t)*a->p++ << (4 + 8 * i);
	if (length > (size_t)(a->end - from) || from + length < a->p)
		return false;
	a->end = from + length;
	return true;
}

/* What follows the name: Package { type for PM1a, type for PM1b, ... }. */
static bool s5_package(struct aml a, uint8_t type[2])
{
	uint32_t v[2];

	if (a.p == a.end || *a.p++ != AML_PACKAGE || !aml_package(&a) || a.p == a.end)
		return false;
	unsigned n = *a.p++;		/* number of elements */

	if (n == 0 || !aml_constant(&a, &v[0]))
		return false;
	if (n == 1) {			/* seen in old firmware: both in one number */
		v[1] = v[0] >> 8 & 0xff;
		v[0] &= 0xff;
	} else if (!aml_constant(&a, &v[1])) {
		return false;
	}
	if (v[0] > SLP_TYP_MAX || v[1] > SLP_TYP_MAX)
		return false;
	type[0] = (uint8_t)v[0];
	type[1] = (uint8_t)v[1];
	return true;
}

bool acpi_find_s5(const uint8_t *aml, size_t n, uint8_t type[2])
{
	for (size_t i = 1; i + 4 <= n; i++) {
		if (memcmp(aml + i, "_S5_", 4) != 0)
			continue;
		/* In a definition the name operator comes first, \ may stand between. */
		bool named = aml[i - 1] == AML_NAME ||
			     (i >= 2 && aml[i - 1] == AML_ROOT && aml[i - 2] == AML_NAME);

		if (named && s5_package((struct aml){ aml + i + 4, aml + n }, type))
			return true;
	}
	return false;
}

struct fadt {
	const uint8_t *p;
	uint32_t length;		/* older ones are shorter; what is beyond reads as 0 */
};

static uint32_t field32(const struct fadt *f, size_t offset)
{
	return offset + 4 <= f->length ? acpi_u32(f->p + offset) : 0;
}

static uint8_t field8(const struct fadt *f, size_t offset)
{
	return offset < f->length ? f->p[offset] : 0;
}

static struct acpi_register port(uint64_t address)
{
	if (address == 0 || address > 0xffff)
		return (struct acpi_register){ 0 };
	return (struct acpi_register){ ACPI_PORT, address, NULL };
}

/* A generic address; nowhere if it is in a space that we cannot write to. */
static struct acpi_register generic(const struct fadt *f, size_t offset)
{
	if (offset + GAS_SIZE > f->length)
		return (struct acpi_register){ 0 };
	uint64_t address = acpi_u64(f->p + offset + 4);

	switch (f->p[offset]) {
	case 0:
		if (address != 0)
			return (struct acpi_register){ ACPI_MEMORY, address, NULL };
		return (struct acpi_register){ 0 };
	case 1:
		return port(address);
	default:
		return (struct acpi_register){ 0 };
	}
}

/* The extended field wins where it says something (section 5.2.9, X_PM1a_CNT_BLK). */
static struct acpi_register either(const struct fadt *f, size_t extended, size_t old)
{
	struct acpi_register r = generic(f, extended);

	return r.space != ACPI_NOWHERE ? r : port(field32(f, old));
}

static bool find_s5(const struct acpi_tables *t, uint8_t type[2])
{
	for (size_t i = 0; i < t->n; i++) {
		const struct acpi_header *h = t->table[i];

		if (memcmp(h->sig, "DSDT", 4) != 0 && memcmp(h->sig, "SSDT", 4) != 0)
			continue;
		if (acpi_find_s5((const uint8_t *)(h + 1), acpi_u32(&h->length) - sizeof(*h), type))
			return true;
	}
	return false;
}

static void read_off(struct acpi_power *p, const struct acpi_tables *t, const struct fadt *f)
{
	p->reduced = field32(f, FLAGS) & FLAG_REDUCED;
	p->sleep = generic(f, SLEEP_CONTROL);
	p->status[0] = either(f, X_PM1A_EVT, PM1A_EVT);
	p->status[1] = either(f, X_PM1B_EVT, PM1B_EVT);
	p->control[0] = either(f, X_PM1A_CNT, PM1A_CNT);
	p->control[1] = either(f, X_PM1B_CNT, PM1B_CNT);
	p->enable = field8(f, ACPI_ENABLE);
	if (p->enable)
		p->smi = port(field32(f, SMI_CMD));
	if ((p->reduced ? p->sleep : p->control[0]).space == ACPI_NOWHERE)
		p->no_off = "the FADT names no register for it";
	else if (!find_s5(t, p->type))
		p->no_off = "no table names the sleep type of state S5";
}

static void read_reset(struct acpi_power *p, const struct fadt *f)
{
	p->reset = generic(f, RESET_REG);
	p->reset_value = field8(f, RESET_VALUE);
	if (!(field32(f, FLAGS) & FLAG_RESET_REG))
		p->no_reset = "the FADT offers no reset register";
	else if (p->reset.space == ACPI_NOWHERE)
		p->no_reset = "the reset register is neither a port nor memory";
}

void acpi_power_read(struct acpi_power *p, const struct acpi_tables *t)
{
	const struct acpi_header *h = acpi_tables_find(t, "FACP");

	*p = (struct acpi_power){ 0 };
	if (!h) {
		p->no_off = p->no_reset = "there is no FADT";
		return;
	}
	struct fadt f = { (const uint8_t *)h, acpi_u32(&h->length) };

	read_off(p, t, &f);
	read_reset(p, &f);
}
