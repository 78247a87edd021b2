/* SPDX-License-Identifier: MIT */
/*
 * Frame numbers: how the kernel names physical memory.
 *
 * Frame f covers the physical bytes [f * PAGE_SIZE, (f + 1) * PAGE_SIZE).
 * frame_t is a struct so that a frame number cannot be passed where a byte
 * address or a count is expected.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12u
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)	/* bytes */

/* A block of order o is 2^o frames, aligned to its own size. */
#define ORDER_MAX   18u				/* 2^18 frames = 1 GiB */
#define ORDER_COUNT (ORDER_MAX + 1)

typedef struct { uint32_t n; } frame_t;		/* enough for 16 TiB */
typedef struct { uint64_t v; } phys_t;		/* a physical byte address */

#define FRAME_NONE ((frame_t){ UINT32_MAX })

static inline bool frame_is_none(frame_t f)    { return f.n == UINT32_MAX; }
static inline phys_t frame_to_phys(frame_t f)  { return (phys_t){ (uint64_t)f.n << PAGE_SHIFT }; }
static inline frame_t phys_to_frame(phys_t p)  { return (frame_t){ (uint32_t)(p.v / PAGE_SIZE) }; }
