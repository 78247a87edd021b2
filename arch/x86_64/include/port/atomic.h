/* SPDX-License-Identifier: MIT */
/* The machine itself: the compiler turns each of these into one instruction. */
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

static inline bool atom_exceeds(const atom64_t *a, uint64_t v)
{
	bool yes;

	__asm__("cmpq %2, %1" : "=@cca"(yes) : "m"(a->v), "r"(v));
	return yes;
}

static inline bool atom_nonzero8(const atom8_t *a)
{
	bool yes;

	__asm__("cmpb $0, %1" : "=@ccne"(yes) : "m"(a->v));
	return yes;
}
