/* SPDX-License-Identifier: MIT */
/* In which order the schedules of a scenario are followed. */
#pragma once

#include "../../arch/explore/explore.h"

#define RANDOM_RUNS 2000u		/* where not all schedules could be followed */

#define ANY_SWITCHES 0u			/* as explore_limits has it */
#define NOT_ALL      UINT32_MAX		/* even one switch leads to more than may be followed */

/*
 * Without limit first; if that is too much, or fails, with few switches, so that a failure is
 * found where it is easiest to read; then at random.
 * Return: the number of switches up to which all were followed, of which @r tells, or with which
 * it failed; or one of the two above.
 */
unsigned follow(const struct explore_program *p, const struct explore_limits *l,
		struct explore_result *r);
