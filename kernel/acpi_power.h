/* SPDX-License-Identifier: MIT */
/* What the tables say about switching off and starting over: reading, not doing. */
#pragma once

#include "acpi_tables.h"

enum acpi_space { ACPI_NOWHERE, ACPI_MEMORY, ACPI_PORT };

struct acpi_register {
	enum acpi_space space;
	uint64_t address;		/* physical, or a port */
	volatile void *window;		/* onto memory; whoever writes to it maps it */
};

struct acpi_power {
	const char *no_off;	/* why this machine cannot be switched off; NULL if it can */
	bool reduced;			/* the sleep register instead of PM1 (ACPI 6.5, 4.1) */
	struct acpi_register sleep;
	struct acpi_register status[2], control[2];	/* PM1a and PM1b; 1b may be nowhere */
	uint8_t type[2];		/* SLP_TYP of S5 for each */
	struct acpi_register smi;	/* nowhere: ACPI mode is on from the start */
	uint8_t enable;			/* written to smi to turn ACPI mode on */

	const char *no_reset;
	struct acpi_register reset;
	uint8_t reset_value;
};

/* Read it out of FADT, DSDT and SSDTs. */
void acpi_power_read(struct acpi_power *p, const struct acpi_tables *t);

/**
 * acpi_find_s5() - the sleep types of state S5 in byte code, without running it
 * @aml: @n bytes, a DSDT's or SSDT's without the header
 *
 * Finds Name(_S5, Package) whose elements are constants, as section 7.4.2 asks
 * for; a method or a reference in their place is not understood.
 *
 * Return: false when there is none.
 */
bool acpi_find_s5(const uint8_t *aml, size_t n, uint8_t type[2]);
