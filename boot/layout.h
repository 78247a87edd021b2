/* SPDX-License-Identifier: MIT */
/* Where the image lies (linker.ld) and page-table bits, for assembler and C. */
#pragma once

#ifdef __ASSEMBLER__
#define KERNEL_BASE 0xffffffff80000000
#else
#define KERNEL_BASE 0xffffffff80000000u

/* Bounds of the image's parts; boot_* are physical addresses.  All page-aligned. */
extern char boot_start[], boot_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char data_start[], sealed_start[], sealed_end[];
extern char kernel_end[];

/* Written while booting only: the pages turn read-only when seal() has run. */
#define SEALED __attribute__((section(".sealed")))
#endif
