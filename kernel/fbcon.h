/* SPDX-License-Identifier: MIT */
/* Drawing character cells into a linear framebuffer of any depth. */
#pragma once

#include <labyrinth/boot_info.h>

#include "kernel/font.h"
#include "kernel/term.h"

struct fbcon {
	const struct font *font;
	volatile uint8_t *base;
	size_t pitch;			/* bytes from one line to the next */
	unsigned bytes;			/* a pixel: 2, 3 or 4 */
	unsigned rows, cols;		/* whole characters that fit */
	uint32_t colour[16];		/* pixel values of the terminal's colours */
};

/**
 * fbcon_check() - can text be drawn here?
 * Context: any.
 * Return:  NULL, or in a few words why not.
 */
const char *fbcon_check(const struct framebuffer *fb);

/* Bytes of a framebuffer that passed fbcon_check(), first to last.  Context: any. */
size_t fbcon_size(const struct framebuffer *fb);

/**
 * fbcon_init() - choose a font, clear the screen
 * @fb:   must have passed fbcon_check()
 * @base: where fb->phys is mapped; only ever written
 *
 * Context: one caller.
 */
void fbcon_init(struct fbcon *con, const struct framebuffer *fb, void *base);

/* Draw one cell.  @fbcon is a struct fbcon: this is a term's paint function.  Context: any. */
void fbcon_paint(void *fbcon, unsigned row, unsigned col, cell_t cell);
