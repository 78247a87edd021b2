/* SPDX-License-Identifier: MIT */
/* Shared by the library's own files. */
#pragma once

#include <stdbool.h>

#include <arch/cpu.h>
#include <labyrinth/page.h>

#include "labyrinth-mm.h"

#define unlikely(e) __builtin_expect(!!(e), 0)

/* Does this thread play a CPU?  Implies that lab_init() has been called. */
static inline bool bound(void) { return host_self.cpu != NULL; }

/* Why a thread that plays no CPU is refused. */
int why_not_bound(void);
static inline bool ready(void) { return why_not_bound() != LAB_NOT_READY; }

/* Refused operations are told to the hook, or to nobody. */
void say_init(void);

/* The range given to lab_init(). */
bool in_range(lab_frame f);
