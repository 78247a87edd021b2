/* SPDX-License-Identifier: MIT */
/* A picture of the machine's memory, 80 columns wide. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <labyrinth/boot_info.h>

/**
 * picture_draw() - the banner, then for each zone a bar of its memory
 * @bi:    how the machine was booted, and its memory map
 * @plain: ASCII without colours, for terminals that know no better
 * @write: where the text goes
 *
 * A cell of a bar shows the kernel's own wherever there is any of it, bad memory
 * likewise; otherwise whether all, part or none of it is usable.
 *
 * Context: any.
 */
void picture_draw(const struct boot_info *bi, bool plain, void (*write)(const char *s, size_t n));
