/* SPDX-License-Identifier: MIT */
/* Port to a Linux process: RAM is one large reservation made by host_machine_init(). */
#pragma once

#define DIRECT_MAP_SIZE ((uint64_t)1 << 44)

extern unsigned char *host_ram;

static inline void *directmap_of(phys_t p) { return host_ram + p.v; }

static inline phys_t directmap_phys(const void *v)
{
	return (phys_t){ (uint64_t)((const unsigned char *)v - host_ram) };
}

static inline bool directmap_contains(const void *v)
{
	return (uint64_t)((const unsigned char *)v - host_ram) < DIRECT_MAP_SIZE;
}
