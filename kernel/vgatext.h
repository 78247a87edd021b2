/* SPDX-License-Identifier: MIT */
/* Character cells on a VGA in text mode. */
#pragma once

#include <labyrinth/boot_info.h>

#include "kernel/term.h"

struct vgatext {
	volatile uint8_t *base;
	size_t pitch;			/* bytes from one row to the next */
	unsigned rows, cols;
};

/**
 * vgatext_check() - is this a text screen?
 * Context: any.
 * Return:  NULL, or in a few words why not.
 */
const char *vgatext_check(const struct framebuffer *fb);

/**
 * vgatext_init() - take over a text screen
 * @fb:   must have passed vgatext_check()
 * @base: where its memory is mapped
 *
 * Context: one caller.
 */
void vgatext_init(struct vgatext *vga, const struct framebuffer *fb, void *base);

/* Draw one cell.  @vgatext is a struct vgatext: a term's paint function.  Context: any. */
void vgatext_paint(void *vgatext, unsigned row, unsigned col, cell_t cell);

/* The card's own character (code page 437) for a Unicode one; '?' if it has none. */
uint8_t vgatext_char(uint32_t code);
