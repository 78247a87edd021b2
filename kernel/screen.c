/* SPDX-License-Identifier: MIT */
/* The screen as a console: a terminal on a framebuffer or on VGA text, whichever is there. */
#include "kernel/screen.h"

#include <arch/ioport.h>
#include <arch/map.h>
#include <labyrinth/console.h>
#include <labyrinth/print.h>

#include "kernel/fbcon.h"
#include "kernel/term.h"
#include "kernel/vgatext.h"

/* Static, because a panic must find it, and because it comes up before memory does. */
static struct term term;
static struct fbcon fbcon;
static struct vgatext vgatext;

static void screen_write(const char *s, size_t n)
{
	term_write(&term, s, n);
}

static bool use_framebuffer(const struct framebuffer *fb)
{
	static const struct console_sink sink = { "framebuffer", screen_write };
	void *base = map_phys((phys_t){ fb->phys }, fbcon_size(fb), MAP_WRITE_COMBINING);

	if (!base)
		return false;
	fbcon_init(&fbcon, fb, base);
	term_init(&term, fbcon.rows, fbcon.cols, fbcon.rows / 6, fbcon_paint, &fbcon);
	return console_add(&sink);
}

/* The terminal draws its own; the card's would stay where the loader left it. */
static void hide_vga_cursor(void)
{
	ioport_write8(0x3d4, 0x0a);	/* CRT controller, "cursor start" (IBM VGA reference) */
	ioport_write8(0x3d5, 0x20);	/* bit 5: off */
}

static bool use_text(const struct framebuffer *fb)
{
	static const struct console_sink sink = { "VGA text", screen_write };
	void *base = map_phys((phys_t){ fb->phys }, (size_t)fb->pitch * fb->height, MAP_UNCACHED);

	if (!base)
		return false;
	hide_vga_cursor();
	vgatext_init(&vgatext, fb, base);
	term_init(&term, vgatext.rows, vgatext.cols, 1, vgatext_paint, &vgatext);
	return console_add(&sink);
}

bool screen_init(const struct framebuffer *fb)
{
	bool text = fb->type == FB_TEXT;

	if (fb->type == FB_NONE) {
		kprintf("screen: none offered by the loader\n");
		return false;
	}
	const char *fault = text ? vgatext_check(fb) : fbcon_check(fb);
	if (!fault && !(text ? use_text(fb) : use_framebuffer(fb)))
		fault = "no room to map it";
	kprintf("screen: %s, %u x %u", text ? "VGA text" : "framebuffer", fb->width, fb->height);
	if (fault)
		kprintf(" at %#llx, not used: %s\n", (unsigned long long)fb->phys, fault);
	else if (text)
		kprintf(" characters\n");
	else
		kprintf(" pixels of %u bits, %u x %u characters\n", fb->bpp, term.cols, term.rows);
	return !fault;
}
