/* SPDX-License-Identifier: MIT */
/* Random programs: what memory looks like, where CPUs are at home, and what each of them calls. */
#pragma once

#include "scenario.h"

/* The program that @seed stands for; its setup() makes the rest of it.  Return: valid until the
 * next call. */
const struct scenario *random_program(uint64_t seed);

/* Has it so little to do that all of its schedules might be followed? */
bool random_is_small(void);

/* Print it, in words.  Context: after its setup(). */
void random_print(void);
