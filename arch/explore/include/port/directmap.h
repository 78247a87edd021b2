/* SPDX-License-Identifier: MIT */
/* Port to the explorer: a few megabytes of RAM, of which only the metadata is touched. */
#pragma once

#define EXPLORE_RAM ((uint64_t)1 << 30)

extern unsigned char *explore_ram;

static inline void *directmap_of(phys_t p) { return explore_ram + p.v; }

static inline phys_t directmap_phys(const void *v)
{
	return (phys_t){ (uint64_t)((const unsigned char *)v - explore_ram) };
}

static inline bool directmap_contains(const void *v)
{
	return (uint64_t)((const unsigned char *)v - explore_ram) < EXPLORE_RAM;
}
