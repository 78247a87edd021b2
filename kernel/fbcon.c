/* SPDX-License-Identifier: MIT */
/*
 * Drawing character cells into a linear framebuffer, 15 to 32 bits a pixel.
 *
 * Nothing here changes after fbcon_init(), so that any context may draw.  The
 * framebuffer is never read: that is slow on every machine.
 */
#include "kernel/fbcon.h"

/* Larger is no screen but a broken tag; also keeps all products within 64 bits. */
#define SIDE_MAX  32768u		/* pixels */
#define PITCH_MAX (SIDE_MAX * 16u)	/* bytes */
#define PHYS_MAX  ((uint64_t)1 << 52)	/* Intel SDM vol. 3, 4.1.4: the widest MAXPHYADDR */

/* A font is too large for a screen where it leaves less than this. */
#define COLS_WANTED 100u
#define ROWS_WANTED 40u

/* Where a pixel lies on no boundary of its own size; volatile: stores stay what they are. */
struct any_u64 { volatile uint64_t v; } __attribute__((packed, may_alias));
struct any_u32 { volatile uint32_t v; } __attribute__((packed, may_alias));
struct any_u16 { volatile uint16_t v; } __attribute__((packed, may_alias));

/* Soft on the eyes, and each readable on the first. */
static const uint32_t palette[16] = {
	0x10131a, 0xd0605e, 0x7fb069, 0xd9a85b, 0x5e8fd6, 0xa983cf, 0x56b0b0, 0xc5cad3,
	0x7d8698, 0xf07f7a, 0xa3d489, 0xf5cd7e, 0x86b3f5, 0xcbaaf0, 0x7fd6d6, 0xf6f8fb,
};

static unsigned bytes_per_pixel(const struct framebuffer *fb)
{
	return (fb->bpp + 7u) / 8;
}

static bool depth_known(unsigned bpp)
{
	return bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

size_t fbcon_size(const struct framebuffer *fb)
{
	/* The last line may be short: bytes after its pixels belong to nobody. */
	return (size_t)fb->pitch * (fb->height - 1) + (size_t)fb->width * bytes_per_pixel(fb);
}

const char *fbcon_check(const struct framebuffer *fb)
{
	if (fb->type != FB_RGB)
		return "no linear framebuffer";
	if (!depth_known(fb->bpp))
		return "a depth other than 15, 16, 24 or 32 bits a pixel";
	if (fb->width < fonts[0].width || fb->height < fonts[0].height)
		return "smaller than one character";
	if (fb->width > SIDE_MAX || fb->height > SIDE_MAX || fb->pitch > PITCH_MAX)
		return "absurdly large";
	if (fb->pitch < fb->width * bytes_per_pixel(fb))
		return "lines longer than the distance between them";
	if (fb->phys == 0 || fb->phys >= PHYS_MAX || fbcon_size(fb) > PHYS_MAX - fb->phys)
		return "an impossible address";
	return NULL;
}

static bool masks_fit(const struct framebuffer *fb)
{
	return fb->red.size && fb->green.size && fb->blue.size &&
	       fb->red.pos + fb->red.size <= fb->bpp &&
	       fb->green.pos + fb->green.size <= fb->bpp &&
	       fb->blue.pos + fb->blue.size <= fb->bpp;
}

/* One 8-bit component brought to @size bits at @pos. */
static uint32_t component(uint32_t value, unsigned pos, unsigned size)
{
	return (size < 8 ? value >> (8 - size) : value << (size - 8)) << pos;
}

static uint32_t pixel(const struct framebuffer *fb, uint32_t rgb)
{
	return component(rgb >> 16 & 255, fb->red.pos, fb->red.size) |
	       component(rgb >> 8 & 255, fb->green.pos, fb->green.size) |
	       component(rgb & 255, fb->blue.pos, fb->blue.size);
}

/* Masks that make no sense: what nearly every card has, 1-5-5-5, 5-6-5 or 8-8-8. */
static void assume_masks(struct framebuffer *fb)
{
	uint8_t size = fb->bpp < 24 ? 5 : 8, green = fb->bpp == 16 ? 6 : size;

	fb->blue.pos = 0;
	fb->green.pos = size;
	fb->red.pos = (uint8_t)(size + green);
	fb->blue.size = fb->red.size = size;
	fb->green.size = green;
}

static const struct font *choose_font(const struct framebuffer *fb)
{
	const struct font *font = &fonts[0];

	for (size_t i = 1; i < font_count; i++)
		if (fb->width / fonts[i].width >= COLS_WANTED &&
		    fb->height / fonts[i].height >= ROWS_WANTED)
			font = &fonts[i];
	return font;
}

static inline void put_pixel(volatile uint8_t *at, unsigned bytes, uint32_t value)
{
	switch (bytes) {
	case 4:
		((struct any_u32 *)at)->v = value;
		break;
	case 3:
		/* Three stores: a fourth byte would be the next pixel's, or beyond the line. */
		at[0] = (uint8_t)value;
		at[1] = (uint8_t)(value >> 8);
		at[2] = (uint8_t)(value >> 16);
		break;
	default:
		((struct any_u16 *)at)->v = (uint16_t)value;
		break;
	}
}

static void clear(struct fbcon *con, const struct framebuffer *fb)
{
	for (uint32_t y = 0; y < fb->height; y++)
		for (uint32_t x = 0; x < fb->width; x++)
			put_pixel(con->base + y * con->pitch + x * con->bytes, con->bytes,
				  con->colour[0]);
}

void fbcon_init(struct fbcon *con, const struct framebuffer *given, void *base)
{
	struct framebuffer fb = *given;

	if (!masks_fit(&fb))
		assume_masks(&fb);
	con->font = choose_font(&fb);
	con->base = base;
	con->pitch = fb.pitch;
	con->bytes = bytes_per_pixel(&fb);
	con->cols = fb.width / con->font->width;
	con->rows = fb.height / con->font->height;
	for (unsigned i = 0; i < 16; i++)
		con->colour[i] = pixel(&fb, palette[i]);
	clear(con, &fb);
}

static inline void paint_line(volatile uint8_t *at, unsigned bytes, const uint8_t *bits,
			      unsigned width, uint32_t ink, uint32_t paper)
{
	for (unsigned x = 0; x < width; x++)
		put_pixel(at + x * bytes, bytes, bits[x / 8] & 0x80 >> x % 8 ? ink : paper);
}

/* The common case, by pairs: half the stores take half the time.  All widths are even. */
static inline void paint_line_32(volatile uint8_t *at, const uint8_t *bits, unsigned width,
				 const uint64_t pair[4])
{
	for (unsigned x = 0; x < width; x += 2)
		((struct any_u64 *)(at + x * 4))->v = pair[bits[x / 8] >> (6 - x % 8) & 3];
}

void fbcon_paint(void *fbcon, unsigned row, unsigned col, cell_t cell)
{
	const struct fbcon *con = fbcon;
	const struct font *font = con->font;

	if (row >= con->rows || col >= con->cols)
		return;
	const uint8_t *bits = font_glyph(font, cell_code(cell));
	uint32_t ink = con->colour[cell_ink(cell)], paper = con->colour[cell_paper(cell)];
	const uint64_t pair[4] = {	/* the left pixel comes first in memory */
		paper | (uint64_t)paper << 32, paper | (uint64_t)ink << 32,
		ink | (uint64_t)paper << 32, ink | (uint64_t)ink << 32,
	};
	volatile uint8_t *at = con->base + (size_t)row * font->height * con->pitch +
			       (size_t)col * font->width * con->bytes;

	for (unsigned y = 0; y < font->height; y++, at += con->pitch, bits += font->stride) {
		/* A constant size in each call lets the compiler do away with the switch. */
		if (con->bytes == 4)
			paint_line_32(at, bits, font->width, pair);
		else if (con->bytes == 3)
			paint_line(at, 3, bits, font->width, ink, paper);
		else
			paint_line(at, 2, bits, font->width, ink, paper);
	}
}
