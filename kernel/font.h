/* SPDX-License-Identifier: MIT */
/* Bitmap fonts; tools/mkfont makes them from packaged ones when the kernel is built. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct font_char {
	uint16_t code;			/* Unicode */
	uint16_t glyph;
};

struct font {
	unsigned width, height;		/* of every glyph, pixels */
	unsigned stride;		/* bytes from one glyph row to the next */
	size_t nmap;
	const struct font_char *map;	/* sorted by code */
	const uint8_t *bits;		/* glyph after glyph; leftmost pixel: highest bit */
};

/* Smallest first. */
extern const struct font fonts[];
extern const size_t font_count;

/**
 * font_glyph() - what a character looks like
 * @code: a Unicode code point
 *
 * Context: any.
 * Return:  height * stride bytes; those of '?' for a character the font lacks.
 */
const uint8_t *font_glyph(const struct font *font, uint32_t code);
