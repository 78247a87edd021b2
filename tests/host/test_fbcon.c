/* SPDX-License-Identifier: MIT */
/* Characters as pixels, in every depth, checked pixel by pixel; and broken tags refused. */
#include "tests/test.h"

#include <string.h>

#include "kernel/fbcon.h"
#include "kernel/vgatext.h"

#define SUITE "fbcon"

#define WIDTH  83u			/* not a multiple of any font's width */
#define HEIGHT 50u
#define PAD    7u			/* bytes after each line, and not a multiple of a pixel */
#define GUARD  0xa5

static uint8_t memory[HEIGHT * (WIDTH * 4 + PAD) + 64];

static struct framebuffer tag(uint8_t bpp)
{
	struct framebuffer fb = {
		.type = FB_RGB, .phys = 0xfd000000, .width = WIDTH, .height = HEIGHT, .bpp = bpp,
		.red = { 16, 8 }, .green = { 8, 8 }, .blue = { 0, 8 },
	};

	if (bpp == 16)
		fb.red.pos = 11, fb.red.size = 5, fb.green.pos = 5, fb.green.size = 6,
		fb.blue.size = 5;
	if (bpp == 15)
		fb.red.pos = 10, fb.red.size = 5, fb.green.pos = 5, fb.green.size = 5,
		fb.blue.size = 5;
	fb.pitch = WIDTH * ((bpp + 7u) / 8) + PAD;
	return fb;
}

static uint32_t pixel_at(const struct framebuffer *fb, unsigned x, unsigned y)
{
	uint32_t v = 0;

	memcpy(&v, memory + y * fb->pitch + x * ((fb->bpp + 7u) / 8), (fb->bpp + 7u) / 8);
	return v;
}

/* Every pixel of one cell is ink or paper, as the font says. */
static bool cell_is(const struct fbcon *con, const struct framebuffer *fb, unsigned row,
		    unsigned col, uint32_t code, unsigned ink, unsigned paper)
{
	const struct font *f = con->font;
	const uint8_t *bits = font_glyph(f, code);

	for (unsigned y = 0; y < f->height; y++)
		for (unsigned x = 0; x < f->width; x++) {
			bool set = bits[y * f->stride + x / 8] >> (7 - x % 8) & 1;

			if (pixel_at(fb, col * f->width + x, row * f->height + y) !=
			    con->colour[set ? ink : paper])
				return false;
		}
	return true;
}

/* Nothing but pixels was written: neither behind the lines nor behind the last one. */
static bool guards_whole(const struct framebuffer *fb)
{
	size_t line = (size_t)fb->width * ((fb->bpp + 7u) / 8);

	for (unsigned y = 0; y < fb->height; y++)
		for (size_t i = line; i < fb->pitch; i++)
			if (memory[y * fb->pitch + i] != GUARD)
				return false;
	for (size_t i = fb->height * fb->pitch; i < sizeof(memory); i++)
		if (memory[i] != GUARD)
			return false;
	return true;
}

TEST(every_depth)
{
	static const uint8_t depths[] = { 15, 16, 24, 32 };

	for (size_t i = 0; i < sizeof(depths); i++) {
		struct framebuffer fb = tag(depths[i]);
		struct fbcon con;

		test_note("%u bits a pixel", depths[i]);
		memset(memory, GUARD, sizeof(memory));
		ASSERT(fbcon_check(&fb) == NULL);
		EXPECT_EQ(fbcon_size(&fb), fb.pitch * fb.height - PAD);
		fbcon_init(&con, &fb, memory);
		EXPECT_EQ(con.cols, WIDTH / 8);
		EXPECT_EQ(con.rows, HEIGHT / 16);
		EXPECT_EQ(pixel_at(&fb, WIDTH - 1, HEIGHT - 1), con.colour[0]);
		for (unsigned row = 0; row < con.rows; row++)
			for (unsigned col = 0; col < con.cols; col++)
				fbcon_paint(&con, row, col, cell_make('A' + col, 10, row));
		for (unsigned row = 0; row < con.rows; row++)
			for (unsigned col = 0; col < con.cols; col++)
				EXPECT(cell_is(&con, &fb, row, col, 'A' + col, 10, row));
		EXPECT(guards_whole(&fb));
	}
}

TEST(the_cursor_swaps_ink_and_paper)
{
	struct framebuffer fb = tag(32);
	struct fbcon con;

	fbcon_init(&con, &fb, memory);
	fbcon_paint(&con, 1, 2, cell_make('x', 7, 0) | CELL_CURSOR);
	EXPECT(cell_is(&con, &fb, 1, 2, 'x', 0, 7));
}

TEST(outside_nothing_is_drawn)
{
	struct framebuffer fb = tag(24);
	struct fbcon con;

	memset(memory, GUARD, sizeof(memory));
	fbcon_init(&con, &fb, memory);
	fbcon_paint(&con, con.rows, 0, cell_make('x', 7, 0));
	fbcon_paint(&con, 0, con.cols, cell_make('x', 7, 0));
	fbcon_paint(&con, UINT32_MAX, UINT32_MAX, cell_make('x', 7, 0));
	EXPECT(guards_whole(&fb));
	EXPECT(cell_is(&con, &fb, 0, 0, ' ', 7, 0));
}

TEST(colours_follow_the_masks)
{
	struct framebuffer fb = tag(32);
	struct fbcon rgb, bgr, deep;

	fbcon_init(&rgb, &fb, memory);
	fb.red.pos = 0, fb.blue.pos = 16;
	fbcon_init(&bgr, &fb, memory);
	for (int i = 0; i < 16; i++) {
		uint32_t c = rgb.colour[i];

		EXPECT_EQ(bgr.colour[i], (c >> 16 & 255) | (c & 0xff00) | (c & 255) << 16);
	}
	/* ten bits a component, as some panels have */
	fb.red.pos = 20, fb.green.pos = 10, fb.blue.pos = 0;
	fb.red.size = fb.green.size = fb.blue.size = 10;
	fbcon_init(&deep, &fb, memory);
	EXPECT_EQ(deep.colour[15] >> 20, (rgb.colour[15] >> 16) << 2);
}

TEST(senseless_masks_are_replaced)
{
	struct framebuffer good = tag(16), fb = tag(16);
	struct fbcon want, got;

	fbcon_init(&want, &good, memory);
	fb.red.size = 0;
	fbcon_init(&got, &fb, memory);
	EXPECT(memcmp(want.colour, got.colour, sizeof(want.colour)) == 0);
	fb = tag(16);
	fb.blue.pos = 200;
	fbcon_init(&got, &fb, memory);
	EXPECT(memcmp(want.colour, got.colour, sizeof(want.colour)) == 0);
}

TEST(fonts_grow_with_the_screen)
{
	static const struct { uint32_t width, height, font; } want[] = {
		{ 640, 480, 8 }, { 1024, 768, 8 }, { 1280, 1024, 12 }, { 1366, 768, 8 },
		{ 1920, 1080, 12 }, { 2560, 1440, 16 }, { 3840, 2160, 16 },
	};
	static uint8_t large[3840 * 2160 * 2];

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct framebuffer fb = tag(16);
		struct fbcon con;

		fb.width = want[i].width;
		fb.height = want[i].height;
		fb.pitch = fb.width * 2;
		ASSERT(fbcon_check(&fb) == NULL);
		fbcon_init(&con, &fb, large);
		EXPECT_EQ(con.font->width, want[i].font);
	}
}

TEST(broken_tags_are_refused)
{
	struct framebuffer good = tag(24);

#define REFUSED(change)                                       \
	do {                                                  \
		struct framebuffer fb = good;                 \
		fb.change;                                    \
		EXPECT(fbcon_check(&fb) != NULL && #change);  \
	} while (0)
	EXPECT(fbcon_check(&good) == NULL);
	good.phys = (uint64_t)1 << 46;		/* above 4 GiB is as good */
	EXPECT(fbcon_check(&good) == NULL);
	REFUSED(type = FB_NONE);
	REFUSED(type = FB_TEXT);
	REFUSED(width = 0);
	REFUSED(height = 0);
	REFUSED(height = 15);
	REFUSED(width = 1u << 20);
	REFUSED(height = UINT32_MAX);
	REFUSED(width = UINT32_MAX);
	REFUSED(pitch = WIDTH * 3 - 1);
	REFUSED(pitch = 0);
	REFUSED(pitch = UINT32_MAX);
	REFUSED(bpp = 0);
	REFUSED(bpp = 8);
	REFUSED(bpp = 255);
	REFUSED(phys = 0);
	REFUSED(phys = UINT64_MAX - 5);
#undef REFUSED
}

TEST(characters_of_the_picture_are_in_the_fonts)
{
	static const uint16_t used[] = {
		0x2500, 0x2502, 0x250c, 0x2510, 0x2514, 0x2518, 0x251c, 0x2524, 0x252c, 0x2534,
		0x253c, 0x2574, 0x2575, 0x2576, 0x2577, 0x2588, 0x2591, 0x2592, 0x25a0, 0x2192,
		0x00b7,
	};

	for (size_t f = 0; f < font_count; f++) {
		for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
			EXPECT(font_glyph(&fonts[f], used[i]) != font_glyph(&fonts[f], '?'));
		EXPECT(font_glyph(&fonts[f], 0x2593) == font_glyph(&fonts[f], '?'));
		EXPECT(font_glyph(&fonts[f], 0x1f600) == font_glyph(&fonts[f], '?'));
	}
}

TEST(vga_text)
{
	struct framebuffer fb = { .type = FB_TEXT, .phys = 0xb8000, .width = 80, .height = 25,
				  .pitch = 160 };
	struct vgatext vga;

	memset(memory, GUARD, sizeof(memory));
	ASSERT(vgatext_check(&fb) == NULL);
	vgatext_init(&vga, &fb, memory);
	vgatext_paint(&vga, 24, 79, cell_make(0x2588, 9, 4));
	EXPECT_EQ(memory[24 * 160 + 158], 0xdb);
	EXPECT_EQ(memory[24 * 160 + 159], 0x1c);	/* bright red on blue */
	vgatext_paint(&vga, 25, 0, cell_make('x', 7, 0));
	vgatext_paint(&vga, 0, 80, cell_make('x', 7, 0));
	EXPECT_EQ(memory[25 * 160], GUARD);
	EXPECT_EQ(memory[160], GUARD);
	EXPECT_EQ(vgatext_char(0x4e00), '?');
	fb.phys = 0xc0000;
	EXPECT(vgatext_check(&fb) != NULL);
	fb.phys = 0xb8000, fb.height = 5000;
	EXPECT(vgatext_check(&fb) != NULL);
	fb.height = 25, fb.pitch = 80;
	EXPECT(vgatext_check(&fb) != NULL);
}
