/* SPDX-License-Identifier: MIT */
/* What any of the three ways in tells the kernel, in one structure. */
#pragma once

#include <labyrinth/memmap.h>

enum boot_way { BOOT_MULTIBOOT2, BOOT_PVH };

enum fb_type { FB_NONE, FB_RGB, FB_TEXT };

struct framebuffer {
	enum fb_type type;
	uint64_t phys;			/* first byte */
	uint32_t pitch;			/* bytes from one line to the next */
	uint32_t width, height;		/* pixels; characters for FB_TEXT */
	uint8_t bpp;			/* bits a pixel: 15, 16, 24 or 32 */
	struct { uint8_t pos, size; } red, green, blue;	/* bit position and width */
};

#define CMDLINE_MAX 1024u
#define BOOT_MODULES_MAX 16u

struct boot_info {
	enum boot_way way;
	bool uefi;			/* the firmware was UEFI */
	char loader[64];		/* "GRUB 2.06-13+deb12u1", "PVH", ... */
	char cmdline[CMDLINE_MAX];	/* without the kernel's own name */
	struct memmap map;		/* sane, with everything in use marked */
	struct framebuffer fb;
	uint64_t rsdp;			/* physical address of a copy or the original; 0 if none */
	bool rsdp_xsdt;			/* ACPI 2.0 or later: use the XSDT */
	uint8_t rsdp_copy[36];		/* Multiboot2 gives a copy, not an address */
	size_t nmodules;
	struct { uint64_t start, end; } module[BOOT_MODULES_MAX];
	char notes[1024];		/* lines for people: what was wrong and left out */
	uint64_t kernel_start, kernel_end;	/* physical, whole image */
	uint32_t trampoline;		/* a page of RAM below 640 KiB, for other CPUs; 0 if none */
};

/* Filled once at boot, read-only afterwards. */
extern struct boot_info boot_info;
