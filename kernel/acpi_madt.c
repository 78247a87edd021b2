/* SPDX-License-Identifier: MIT */
/* This machine's MADT, read once. */
#include <labyrinth/acpi.h>
#include <labyrinth/madt.h>
#include <labyrinth/print.h>

static struct madt madt;
static enum { UNREAD, ABSENT, THERE } state;

static void report(const struct madt *m)
{
	if (m->damaged)
		kprintf("ACPI: MADT: %zu entries make no sense: left out\n", m->damaged);
	if (m->too_many)
		kprintf("ACPI: MADT: %zu entries more than there is room for\n", m->too_many);
	if (m->cut_short)
		kprintf("ACPI: MADT: broken off at an entry of impossible length\n");
}

static bool read_it(void)
{
	const void *table = acpi_find("APIC");
	const char *why;

	if (!table)
		return false;
	why = madt_read(&madt, table);
	if (why)
		kprintf("ACPI: MADT %s: left out\n", why);
	report(&madt);
	return !why;
}

const struct madt *acpi_madt(void)
{
	if (state == UNREAD)
		state = read_it() ? THERE : ABSENT;
	return state == THERE ? &madt : NULL;
}
