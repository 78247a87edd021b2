/* SPDX-License-Identifier: MIT */
/* The old interrupt controllers, two 8259A. */
#pragma once

/**
 * pic_mask() - silence them for good
 *
 * Also where they may be absent: nothing is read, nothing is waited for.
 *
 * Context: boot, interrupts masked.
 */
void pic_mask(void);
