/* SPDX-License-Identifier: MIT */
/* What a CPU does that has nothing to do. */
#pragma once

/* Do jobs and wait for interrupts, for good.  Weak: a scheduler has its own, which calls
 * cpu_do_job() too.  Context: the end of ap_main(), on the CPU's main stack. */
_Noreturn void cpu_idle(void);
