/* SPDX-License-Identifier: MIT */
/*
 * The careful way: while it is on, nothing is cached and no zone has plenty, so that every
 * request comes by slow_take() and every free goes to the tree, and the hot path
 * knows nothing of all this.  Private to mm/.
 */
#pragma once

#include "mm_state.h"

/*
 * Nest; what CPUs have cached they must drain.  Context: one caller at a time; a race with
 * requests costs these a wrong guess at how much is free, as any change of the counts does.
 */
void care_begin(void);
void care_end(void);
