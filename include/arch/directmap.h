/* SPDX-License-Identifier: MIT */
/*
 * The direct map: all RAM at a fixed distance from its physical address.
 *
 * Covers what the memory map calls usable, and what the kernel took out of it:
 * page tables, metadata, boot modules, the usable part of the first megabyte
 * without its first page, and its own image with the rights that the image has.
 * Everything else is unmapped: firmware tables and device memory are reached by
 * map_phys() (map.h), all other dead ends not at all.
 */
#pragma once

#include <labyrinth/frame.h>

/* Where @p is, mapped or not.  Context: any. */
static inline void *directmap_of(phys_t p);

/* The inverse; the caller knows that @v lies in the direct map.  Context: any. */
static inline phys_t directmap_phys(const void *v);

/* Does @v lie in the region set aside for the direct map?  Context: any. */
static inline bool directmap_contains(const void *v);

#include <port/directmap.h>
