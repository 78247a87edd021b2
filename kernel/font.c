/* SPDX-License-Identifier: MIT */
/* Finding a character's bitmap. */
#include "kernel/font.h"

const uint8_t *font_glyph(const struct font *font, uint32_t code)
{
	size_t low = 0, high = font->nmap;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (font->map[mid].code == code)
			return font->bits +
			       (size_t)font->map[mid].glyph * font->height * font->stride;
		if (font->map[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	/* mkfont refuses a font without '?', so this goes one deep at most. */
	return code == '?' ? font->bits : font_glyph(font, '?');
}
