/* SPDX-License-Identifier: MIT */
/*
 * VGA text memory: for each cell a character of code page 437, then its colours,
 * paper in bits 4-6, ink in bits 0-3.  (IBM VGA technical reference, "Alphanumeric
 * modes".)  Bit 7 blinks unless told otherwise, so bright papers become dark ones.
 */
#include "kernel/vgatext.h"

#define SIDE_MAX     1024u		/* characters; a larger screen is a broken tag */
#define WINDOW_START 0xa0000u		/* all that a VGA decodes */
#define WINDOW_END   0xc0000u

/* Only what the kernel prints; the tables of code page 437 have it in this order. */
static const struct { uint16_t code; uint8_t cp437; } table[] = {
	{ 0x00b0, 0xf8 }, { 0x00b1, 0xf1 }, { 0x00b2, 0xfd }, { 0x00b5, 0xe6 },
	{ 0x00b7, 0xfa }, { 0x00bd, 0xab }, { 0x00d7, 'x' },  { 0x2022, 0x07 },
	{ 0x2013, '-' },  { 0x2014, '-' },  { 0x2026, 0xfa }, { 0x2190, 0x1b },
	{ 0x2191, 0x18 }, { 0x2192, 0x1a }, { 0x2193, 0x19 }, { 0x2261, 0xf0 },
	{ 0x2264, 0xf3 }, { 0x2265, 0xf2 }, { 0x2500, 0xc4 }, { 0x2502, 0xb3 },
	{ 0x250c, 0xda }, { 0x2510, 0xbf }, { 0x2514, 0xc0 }, { 0x2518, 0xd9 },
	{ 0x251c, 0xc3 }, { 0x2524, 0xb4 }, { 0x252c, 0xc2 }, { 0x2534, 0xc1 },
	{ 0x253c, 0xc5 }, { 0x2550, 0xcd }, { 0x2551, 0xba }, { 0x2554, 0xc9 },
	{ 0x2557, 0xbb }, { 0x255a, 0xc8 }, { 0x255d, 0xbc }, { 0x2560, 0xcc },
	{ 0x2563, 0xb9 }, { 0x2566, 0xcb }, { 0x2569, 0xca }, { 0x256c, 0xce },
	{ 0x2574, 0xc4 }, { 0x2575, 0xb3 }, { 0x2576, 0xc4 }, { 0x2577, 0xb3 },
	{ 0x2580, 0xdf }, { 0x2584, 0xdc }, { 0x2588, 0xdb }, { 0x2591, 0xb0 },
	{ 0x2592, 0xb1 }, { 0x2593, 0xb2 }, { 0x25a0, 0xfe }, { 0x25b2, 0x1e },
	{ 0x25b6, 0x10 }, { 0x25bc, 0x1f }, { 0x25c0, 0x11 },
};

uint8_t vgatext_char(uint32_t code)
{
	if (code >= 0x20 && code < 0x7f)
		return (uint8_t)code;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].cp437;
	return '?';
}

const char *vgatext_check(const struct framebuffer *fb)
{
	if (fb->type != FB_TEXT)
		return "no text screen";
	if (fb->width == 0 || fb->height == 0 || fb->width > SIDE_MAX || fb->height > SIDE_MAX)
		return "an absurd size";
	if (fb->pitch < fb->width * 2 || fb->pitch > SIDE_MAX * 2)
		return "rows longer than the distance between them";
	if (fb->phys < WINDOW_START || fb->phys >= WINDOW_END ||
	    (uint64_t)fb->pitch * fb->height > WINDOW_END - fb->phys)
		return "not where a VGA has its memory";
	return NULL;
}

void vgatext_init(struct vgatext *vga, const struct framebuffer *fb, void *base)
{
	vga->base = base;
	vga->pitch = fb->pitch;
	vga->rows = fb->height;
	vga->cols = fb->width;
}

/* The terminal counts red 1, green 2, blue 4; the VGA blue 1, green 2, red 4. */
static unsigned swap_red_blue(unsigned colour)
{
	return (colour & 0xa) | (colour & 1) << 2 | (colour & 4) >> 2;
}

void vgatext_paint(void *vgatext, unsigned row, unsigned col, cell_t cell)
{
	const struct vgatext *vga = vgatext;

	if (row >= vga->rows || col >= vga->cols)
		return;
	volatile uint8_t *at = vga->base + row * vga->pitch + col * 2;

	at[0] = vgatext_char(cell_code(cell));
	at[1] = (uint8_t)(swap_red_blue(cell_ink(cell)) |
			  (swap_red_blue(cell_paper(cell)) & 7) << 4);
}
