/* SPDX-License-Identifier: MIT */
/* The screen as a console. */
#pragma once

#include <labyrinth/boot_info.h>

/**
 * screen_init() - make a console of what the firmware left us to draw on
 * @fb: from the boot loader; what makes no sense is refused, not drawn on
 *
 * Says what it found; a machine without a screen is fine.
 *
 * Context: boot, one CPU, once, when map_phys() works.
 * Return:  whether there is a screen.
 */
bool screen_init(const struct framebuffer *fb);
