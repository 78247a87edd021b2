/* SPDX-License-Identifier: MIT */
/* The steps that bring the machine up, in the order in which kernel main takes them. */
#pragma once

#include <labyrinth/boot_info.h>

/* What the entry found in the registers. */
struct handover {
	enum boot_way way;
	uint32_t magic;
	uint64_t info;			/* physical address */
};

/* Segments, per-CPU area, exception stacks and table.  Context: boot, first. */
void traps_init(void);

/*
 * Fill boot_info.
 * Context: boot, before directmap_init().
 * Panics:  when what the loader left makes no sense.
 */
void boot_info_init(const struct handover *h);

/* Ask the processor what it can do.  Context: boot, before directmap_init(). */
void features_init(void);

/* Find out how fast time passes, in about 2 ms.  Context: boot, after features_init(). */
void clock_init(void);

/* The final page tables (arch/directmap.h).  Context: boot, with boot_info filled. */
void directmap_init(void);

/**
 * irq_init() - the interrupt controllers, timer, machine checks; interrupts stay masked
 *
 * What the machine lacks is said on the console.
 *
 * Context: boot, the first CPU, after acpi_init(), before seal().
 */
void irq_init(void);

/* Make what was written while booting read-only.  Context: boot, after the last such write. */
void seal(void);
