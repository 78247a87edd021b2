/* SPDX-License-Identifier: MIT */
/* The machine's side of calls between CPUs: labyrinth/smp.h. */
#pragma once

#include <stdint.h>

/* By CPU number; fixed once cpus_find() has run. */
extern uint32_t cpu_apic_id[];

/* How long a call may wait to be taken, and then to end.  Tests that want none shorten it. */
extern uint64_t cpu_call_patience_ns;

/* Handlers for calls and kicks.  Context: boot, before other CPUs start. */
void cpu_call_init(void);

/* Run the call that waits for the running CPU, if there is one.  Context: any but NMI; whoever
 * waits for another CPU calls it in his loop. */
void cpu_call_answer(void);
