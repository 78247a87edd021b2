/* SPDX-License-Identifier: MIT */
/* Inside the kernel's runner of the step gate: gate.c, world.c, moves.c, crowd.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../step.h"

#define GATE_CPUS 4u			/* between which a thread moves, at most */
#define TRAP_FLAG 0x100u		/* RFLAGS.TF: Intel SDM vol. 3, 18.3.1.4 */
#define DIRECTION 0x400u		/* RFLAGS.DF, clear for C */

/* linker.ld keeps what belongs to mm/ together. */
extern unsigned char mm_text_start[], mm_text_end[];
extern unsigned char mm_data_start[], mm_data_end[], mm_bss_start[], mm_bss_end[];

struct trap_frame;

/* The live allocator is put aside, @run makes worlds for the first @ncpu CPUs, and is over. */
void gate_with_a_world(unsigned ncpu, void (*run)(void));

/* The same in a thread that may go to other CPUs.  Return: false if there is no other. */
bool gate_with_moves(void (*run)(void));

/* The handler of debug exceptions meanwhile. */
bool gate_on_trap(struct trap_frame *f);

/* What @f interrupted goes on behind a call of step_away(). */
void gate_send_away(struct trap_frame *f);

/* Threads of the crowd, one for each of so many CPUs, while the live allocator is there. */
void gate_crowd_create(unsigned ncpu);
void gate_crowd_join(void);

/* Is the thread that was interrupted at @pc one of the crowd?  Then that was its step. */
bool gate_crowd_step(uintptr_t pc);
