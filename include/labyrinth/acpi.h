/* SPDX-License-Identifier: MIT */
/* The firmware's tables (ACPI 6.5), and the two things they are needed for today. */
#pragma once

#include <stdbool.h>

/**
 * acpi_init() - read all tables, prepare power off and reset
 *
 * What is absent or damaged is said once on the console and left out.
 *
 * Context: boot, one CPU, after directmap_init().
 * Return:  true if there are tables.
 */
bool acpi_init(void);

/**
 * acpi_find() - a table by its signature
 * @sig: "APIC", "FACP", ...
 *
 * The table begins with its 36-byte header (ACPI 6.5, section 5.2.6), whose
 * checksum has been verified and whose length is mapped, read-only.
 *
 * Context: any, after acpi_init().
 * Return:  the first such table, or NULL.
 */
const void *acpi_find(const char sig[4]);

/**
 * acpi_poweroff() - switch the machine off (state S5)
 *
 * Does not run the firmware's _PTS method: there is no interpreter for it.
 *
 * Context: any; waits a fraction of a second for the power to go.
 * Return:  only if that is impossible here or did not work.
 */
void acpi_poweroff(void);

/**
 * acpi_reset() - start the machine over through the reset register
 *
 * Context: any; waits a fraction of a second.
 * Return:  only if there is no such register or it did not work.
 */
void acpi_reset(void);
