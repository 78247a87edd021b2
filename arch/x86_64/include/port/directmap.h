/* SPDX-License-Identifier: MIT */
/* The bottom of the upper half, 16 TiB long: as much as frame_t can name. */
#pragma once

#define DIRECT_MAP_BASE 0xffff800000000000u
#define DIRECT_MAP_SIZE ((uint64_t)1 << 44)

static inline void *directmap_of(phys_t p)
{
	return (void *)(DIRECT_MAP_BASE + p.v);
}

static inline phys_t directmap_phys(const void *v)
{
	return (phys_t){ (uint64_t)v - DIRECT_MAP_BASE };
}

static inline bool directmap_contains(const void *v)
{
	return (uint64_t)v - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
}
