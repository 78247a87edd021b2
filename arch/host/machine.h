/* SPDX-License-Identifier: MIT */
/* The machine that a Linux process plays: RAM and CPUs. */
#pragma once

#include <stdint.h>

#include <arch/cpu.h>

/**
 * host_machine_init() - fresh RAM and fresh CPUs
 * @bytes: physical addresses 0..bytes-1 become readable, writable and zero;
 *         only those touched cost memory
 *
 * Context: no other thread plays a CPU.  Ends the process if the reservation fails.
 */
void host_machine_init(uint64_t bytes);
