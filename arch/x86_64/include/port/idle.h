/* SPDX-License-Identifier: MIT */
/* What a CPU does that has nothing to do. */
#pragma once

/* Wait for interrupts, for good.  Context: the end of ap_main(), on the CPU's main stack. */
_Noreturn void cpu_idle(void);
