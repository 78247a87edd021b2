/* SPDX-License-Identifier: MIT */
/* IOAPICs: from a device's interrupt line to a vector (Intel 82093AA data sheet). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Redirection entry, low half (3.2.4); the low byte is the vector. */
#define IOAPIC_FIXED	0x00000u
#define IOAPIC_NMI	0x00400u
#define IOAPIC_LOW	0x02000u	/* active low; else high */
#define IOAPIC_LEVEL	0x08000u	/* level triggered; else edge */
#define IOAPIC_MASKED	0x10000u

/**
 * ioapic_init() - find them all and mask every line
 *
 * Lines that the MADT calls NMIs are routed to the first CPU.  What is wrong is said on
 * the console.
 *
 * Context: boot, the first CPU, after apic_init(), before seal().
 * Return:  how many there are.
 */
unsigned ioapic_init(void);

/**
 * ioapic_set() - what becomes of global interrupt @gsi
 * @entry:   as above; IOAPIC_MASKED for nothing
 * @apic_id: which CPU gets it
 *
 * Context: any but NMI.
 * Return:  false when no IOAPIC has that line, or the CPU's number does not fit.
 */
bool ioapic_set(uint32_t gsi, uint32_t entry, uint32_t apic_id);

/* The entry of @gsi as it is now.  Context: any but NMI.  Return: false when there is none. */
bool ioapic_get(uint32_t gsi, uint32_t *entry, uint32_t *apic_id);
