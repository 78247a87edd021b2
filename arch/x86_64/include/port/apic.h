/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of the running CPU (Intel SDM vol. 3, chapter 11), by memory
 * (xAPIC) or by MSRs (x2APIC).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Commands to other CPUs: the low half of the ICR (SDM vol. 3, figure 11-12). */
#define APIC_FIXED	0x04000u	/* | vector */
#define APIC_NMI	0x04400u
#define APIC_INIT	0x04500u	/* level assert */
#define APIC_STARTUP	0x04600u	/* | page number of the code */
#define APIC_TO_SELF	0x40000u	/* shorthands: the destination is not looked at */
#define APIC_TO_OTHERS	0xc0000u

/**
 * apic_init() - find the local APIC, and switch it on for the first CPU
 *
 * x2APIC when the firmware left it so or an APIC id of the MADT needs it.  Says on
 * the console why there is none; then the calls below do nothing.
 *
 * Context: boot, the first CPU, after acpi_init(); before seal().
 * Return:  whether there is one.
 */
bool apic_init(void);

/* Is there one?  Context: any. */
bool apic_present(void);

/* Does it speak x2APIC?  Context: any. */
bool apic_is_x2(void);

/**
 * apic_init_cpu() - switch on the running CPU's
 *
 * Everything local is masked but NMIs on the pins that the MADT names.
 *
 * Context: boot of that CPU, interrupts masked.  apic_init() has done it for the first.
 */
void apic_init_cpu(void);

/* The running CPU's APIC id; 0 without an APIC.  Context: any. */
uint32_t apic_id(void);

/* The handler of an interrupt is done.  Context: end of that handler. */
void apic_eoi(void);

/**
 * apic_send() - send a command
 * @apic_id: to whom, unless @command has a shorthand
 * @command: APIC_FIXED | vector, APIC_NMI, ...
 *
 * Waits for the command before to have left, but not for ever.
 *
 * Context: any, NMI included.
 * Return:  false when there is no APIC, or it did not become ready.
 */
bool apic_send(uint32_t apic_id, uint32_t command);

/* What went wrong since boot on all CPUs: the bits of the error status register, together. */
uint32_t apic_errors(void);	/* Context: any. */

/* Registers by their offset in memory.  Only for what belongs to the APIC, such as its timer. */
uint32_t apic_read(unsigned reg);	/* Context: any, with an APIC. */
void apic_write(unsigned reg, uint32_t v);
