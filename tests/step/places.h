/* SPDX-License-Identifier: MIT */
/* Instructions of mm/ and who has been there; offsets are from the start of its text. */
#pragma once

#include "step.h"

/* A run begins. */
void places_forget(void);

/* Visits behind the instruction at @behind in this run; the largest number if that is none. */
unsigned places_been(size_t behind);

/* Program @p comes in there; or, with @moved, the thread goes to another CPU. */
void places_visited(size_t behind, enum step_program p, bool moved);

/* Boundary number @at lies there, and nobody comes in: see step_new(). */
void places_passed(size_t behind, uint64_t at, bool moved);

/* It lies before the instruction at @pc: see step_cas(). */
void places_before(uintptr_t pc, uint64_t at);

/* What a locked compare-and-swap at @pc is about to do; its word is 0 if it is none. */
struct step_cas places_cas(uintptr_t pc);

/* The last visits of a call, which begins: what a violation is explained by. */
void places_call(void);
void places_noted(uintptr_t pc, enum step_program p, unsigned depth);
void places_print(void);
