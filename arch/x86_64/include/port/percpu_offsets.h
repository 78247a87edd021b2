/* SPDX-License-Identifier: MIT */
/* Where assembler finds the fields of struct percpu; percpu.h checks that it is so. */
#pragma once

#define PERCPU_IRQ_DEPTH	12
#define PERCPU_NMI_DEPTH	16
#define PERCPU_PREEMPT_COUNT	20
#define PERCPU_NEED_RESCHED	24
#define PERCPU_IRQ_STACK	32
