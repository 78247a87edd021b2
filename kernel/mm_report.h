/* SPDX-License-Identifier: MIT */
/* The allocator's part of the panic report. */
#pragma once

/* From now on a panic tells the last allocator events.  Context: boot, after mm_init(). */
void mm_report_init(void);
