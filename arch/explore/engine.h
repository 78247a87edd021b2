/* SPDX-License-Identifier: MIT */
/* Between the two halves of the explorer: engine.c runs one step, search.c chooses it. */
#pragma once

#include "explore.h"

#define STACK_BYTES  32768u
#define BUFFER_MAX   6u		/* x86 has ten times as many; the oldest leaves when it is full */

struct store {
	uint64_t *word;
	uint64_t mask, value;
};

struct cpu {
	void *sp;
	const char *op;			/* what it will do when it is run next */
	const void *addr, *place;
	struct store buffer[BUFFER_MAX];
	uint8_t stored;			/* entries of the buffer in use */
	bool done, take_irq, irq_came, in_irq;
	uint8_t won;			/* compare-and-swaps, since it began, modulo 256 */
};

extern struct cpu explore_cpu[EXPLORE_CPUS];
extern uint64_t explore_memory_hash;
extern const char *explore_failure;
extern bool explore_tracing;

/* A bit for each thing that may happen next: bit c, CPU c goes on; 8 + c, its oldest
 * store leaves; 16 + c, its interrupt comes. */
uint32_t engine_choices(void);

/* Do it. */
void engine_step(unsigned choice);

/* A number for the whole state. */
uint64_t engine_hash(void);

void engine_start(const struct explore_program *p);
unsigned char *engine_stack_top(unsigned cpu);

/* Writes from here on can be undone. */
size_t engine_mark(void);
void engine_undo(size_t mark);

/* Run the program's end().  Return: false if it failed. */
bool engine_end(void);
void engine_stop(void);

/* trace.c: an operation on @addr, called from @place, kept if explore_tracing. */
void engine_note(const char *op, const void *addr, const void *place, uint64_t old, uint64_t new);
void engine_print_trace(void);

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xd1342543de82ef95);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}
