/* SPDX-License-Identifier: MIT */
/* The part of a panic's report that is about the other CPUs.  Private to kernel/. */
#pragma once

/* Context: the CPU that reports, after stop_others(). */
void panic_print_cpus(void);
