/* SPDX-License-Identifier: MIT */
/* Port to a Linux process: C11 atomics, so that ThreadSanitizer understands them. */
#pragma once

#include <stdatomic.h>

static inline uint64_t atom_load(const atom64_t *a)
{
	return atomic_load_explicit(&a->v, memory_order_seq_cst);
}

static inline bool atom_cas(atom64_t *a, uint64_t *old, uint64_t new)
{
	return atomic_compare_exchange_strong_explicit(&a->v, old, new, memory_order_seq_cst,
						       memory_order_seq_cst);
}

static inline uint64_t atom_add(atom64_t *a, uint64_t n)
{
	return atomic_fetch_add_explicit(&a->v, n, memory_order_seq_cst);
}

static inline uint64_t atom_peek(const atom64_t *a)
{
	return atomic_load_explicit(&a->v, memory_order_relaxed);
}

static inline void atom_poke(atom64_t *a, uint64_t v)
{
	atomic_store_explicit(&a->v, v, memory_order_relaxed);
}

static inline uint8_t atom_peek8(const atom8_t *a)
{
	return atomic_load_explicit(&a->v, memory_order_relaxed);
}

static inline void atom_poke8(atom8_t *a, uint8_t v)
{
	atomic_store_explicit(&a->v, v, memory_order_relaxed);
}

static inline void atom_store(atom64_t *a, uint64_t v)
{
	atomic_store_explicit(&a->v, v, memory_order_release);
}

static inline bool atom_exceeds(const atom64_t *a, uint64_t v) { return atom_peek(a) > v; }

static inline bool atom_nonzero8(const atom8_t *a) { return atom_peek8(a) != 0; }
