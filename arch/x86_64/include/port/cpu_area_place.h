/* SPDX-License-Identifier: MIT */
/* Where the slots of cpu_area.h are, for assembler and C. */
#pragma once

#define CPU_AREA_BASE 0xffffa10000000000
#define CPU_AREA_SIZE 0x40000		/* bytes a slot */
