/* SPDX-License-Identifier: MIT */
/* Where the rest of mm/ meets damaged pages: quarantine.c. */
#pragma once

#include "mm_state.h"

/* A block whose word was marked DAMAGED has just become free, and is the caller's alone. */
void damage_freed(uint32_t f, unsigned order) __attribute__((cold));
