/* SPDX-License-Identifier: MIT */
/*
 * The shared memory operations of mm/: every word that two travellers can
 * touch at once is read and written through these, and nothing else.  A port
 * defines them as static inline in <port/atomic.h>; the explorer's port stops
 * at each one, the others compile each to one instruction.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct { _Atomic uint64_t v; } atom64_t;
typedef struct { _Atomic uint8_t v; } atom8_t;

/* Sequentially consistent.  Where less would do, the difference is nothing on x86. */
static inline uint64_t atom_load(const atom64_t *a);

/* Compare-and-swap, sequentially consistent; on failure *old is what was found. */
static inline bool atom_cas(atom64_t *a, uint64_t *old, uint64_t new);

/* Add, sequentially consistent.  Return: the value before. */
static inline uint64_t atom_add(atom64_t *a, uint64_t n);

/* Relaxed: for counters, hints, and words that only their holder may touch. */
static inline uint64_t atom_peek(const atom64_t *a);
static inline void atom_poke(atom64_t *a, uint64_t v);
static inline uint8_t atom_peek8(const atom8_t *a);
static inline void atom_poke8(atom8_t *a, uint8_t v);

/* Store-release: pairs with the acquire side of atom_load and atom_cas. */
static inline void atom_store(atom64_t *a, uint64_t v);

/*
 * Relaxed questions, for the hot path: a comparison with memory is one
 * instruction where a load and a comparison are two.
 */
static inline bool atom_exceeds(const atom64_t *a, uint64_t v);	/* is *a > v? */
static inline bool atom_nonzero8(const atom8_t *a);

#include <port/atomic.h>
