/* SPDX-License-Identifier: MIT */
/*
 * What a port must provide for mm/ about CPUs, in full.  Generic code includes
 * this file and never <port/...>.  A port defines each of these as static
 * inline in <port/cpu.h>; the Makefile picks the port with one -I, so that
 * there is no #ifdef to choose it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arch/cpu_local.h>

/* Hint: we are spinning.  Context: any. */
static inline void cpu_relax(void);

/* Number of the CPU we run on, 0..ncpu-1.  Context: any; stale once preempted. */
static inline unsigned cpu_number(void);

/*
 * mm/ has CPU_LOCAL_BYTES of its own on every CPU, zeroed at start, aligned to
 * a cache line.  The local_ operations work on the 64-bit word at byte @off of
 * the area of the CPU they happen to run on, each in one instruction: an
 * interrupt or NMI finds them done or not begun, and a thread that migrates
 * between two of them has done each wholly on one CPU.  They are not atomic
 * towards other CPUs, which therefore may only look.
 */
static inline uint64_t local_load(size_t off);
static inline bool local_cas(size_t off, uint64_t *old, uint64_t new);
static inline void local_store(size_t off, uint64_t v);
static inline void local_add(size_t off, uint64_t n);

/* local_add() to word @index of the array at @off, a constant. */
static inline void local_add_index(size_t off, size_t index, uint64_t n);

/* The area of CPU @cpu, to look at; NULL while that CPU has never started. */
static inline const void *cpu_local_area(unsigned cpu);

#include <port/cpu.h>
