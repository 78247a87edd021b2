/* SPDX-License-Identifier: MIT */
/* How much of each CPU's own area belongs to mm/; see arch/cpu.h. */
#pragma once

#define CPU_LOCAL_BYTES 1792u
