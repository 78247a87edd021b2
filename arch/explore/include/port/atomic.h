/* SPDX-License-Identifier: MIT */
/* Port to the explorer: every operation is a place where the schedule may turn. */
#pragma once

#include <stddef.h>

/* Out of line, so that a trace can name the place of the call; engine.c. */
uint64_t explore_load(const void *a, unsigned bytes);
void explore_store(void *a, uint64_t v, unsigned bytes);
bool explore_cas(void *a, uint64_t *old, uint64_t new);
uint64_t explore_add(void *a, uint64_t n);

#define EXPLORE_INLINE static inline __attribute__((always_inline))

EXPLORE_INLINE uint64_t atom_load(const atom64_t *a) { return explore_load(a, 8); }
EXPLORE_INLINE uint64_t atom_peek(const atom64_t *a) { return explore_load(a, 8); }
EXPLORE_INLINE uint8_t atom_peek8(const atom8_t *a) { return (uint8_t)explore_load(a, 1); }
EXPLORE_INLINE void atom_store(atom64_t *a, uint64_t v) { explore_store(a, v, 8); }
EXPLORE_INLINE void atom_poke(atom64_t *a, uint64_t v) { explore_store(a, v, 8); }
EXPLORE_INLINE void atom_poke8(atom8_t *a, uint8_t v) { explore_store(a, v, 1); }
EXPLORE_INLINE uint64_t atom_add(atom64_t *a, uint64_t n) { return explore_add(a, n); }

EXPLORE_INLINE bool atom_cas(atom64_t *a, uint64_t *old, uint64_t new)
{
	return explore_cas(a, old, new);
}

static inline bool atom_exceeds(const atom64_t *a, uint64_t v) { return atom_peek(a) > v; }

static inline bool atom_nonzero8(const atom8_t *a) { return atom_peek8(a) != 0; }
