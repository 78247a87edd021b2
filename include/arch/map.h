/* SPDX-License-Identifier: MIT */
/* Windows onto physical memory outside the direct map: device memory, firmware tables. */
#pragma once

#include <stddef.h>

#include <labyrinth/frame.h>

enum map_kind {
	MAP_READONLY,		/* write-back, never written: firmware tables */
	MAP_UNCACHED,		/* device registers, VGA text */
	MAP_WRITE_COMBINING,	/* framebuffers */
};

/**
 * map_phys() - make a piece of physical memory addressable, never executable
 * @start: first byte, of any alignment
 * @size:  bytes
 *
 * For good: there is no unmapping.  A piece that an earlier window of the same
 * kind covers is not mapped again, so asking twice costs nothing.
 *
 * Context: boot, one CPU, after directmap_init().
 * Return:  the address of @start, or NULL when the windows are used up.
 */
void *map_phys(phys_t start, size_t size, enum map_kind kind);
