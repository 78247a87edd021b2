/* SPDX-License-Identifier: MIT */
/*
 * How a request behaves and where it may be met ("get free pages" flags).
 *
 * Exactly one behaviour, at most one zone limit, any of the rest.  Anything
 * else is a caller's bug: the request fails, and says so.
 */
#pragma once

#include <stdint.h>

typedef uint32_t gfp_t;

/* Behaviour. */
#define GFP_ATOMIC 0x01u	/* any context; never sleeps; may use the emergency reserve */
#define GFP_NOWAIT 0x02u	/* any context; never sleeps; leaves the reserve alone */
#define GFP_KERNEL 0x04u	/* threads only; sleeps until memory is freed: mm_wait.h */

/* Where. */
#define GFP_DMA    0x10u	/* below 16 MiB */
#define GFP_DMA32  0x20u	/* below 4 GiB */

/* What. */
#define GFP_ZERO   0x100u	/* all bytes zero */
#define GFP_EXCL   0x200u	/* no second reference may ever be taken */

#define GFP_BEHAVIOUR (GFP_ATOMIC | GFP_NOWAIT | GFP_KERNEL)
#define GFP_WHERE     (GFP_DMA | GFP_DMA32)
#define GFP_ALL       (GFP_BEHAVIOUR | GFP_WHERE | GFP_ZERO | GFP_EXCL)
