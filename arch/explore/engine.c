/* SPDX-License-Identifier: MIT */
/* The machine that the explorer plays: memory with undo, store buffers, CPUs as stacks. */
#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/atomic.h>
#include <arch/directmap.h>

unsigned char *explore_ram;
unsigned explore_self;
_Alignas(64) unsigned char explore_local[EXPLORE_CPUS][CPU_LOCAL_BYTES];

struct cpu explore_cpu[EXPLORE_CPUS];
uint64_t explore_memory_hash;
const char *explore_failure;

static const struct explore_program *program;
static bool running, ending;	/* a run; its program's end() */
static void *engine_sp;
static jmp_buf end_failed;
static char failure[256];
static _Alignas(64) unsigned char stacks[EXPLORE_CPUS][STACK_BYTES];

void explore_switch(void **save, void *load);

void explore_machine_init(void)
{
	if (explore_ram)
		munmap(explore_ram, EXPLORE_RAM);
	explore_ram = mmap(NULL, EXPLORE_RAM, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (explore_ram == MAP_FAILED) {
		perror("explore: no address space for the machine's RAM");
		exit(2);
	}
	memset(explore_local, 0, sizeof explore_local);
	explore_self = 0;
}

/* --- memory that can go back */

struct undo { uint64_t *word, old; };

static struct undo *undo_log;
static size_t undo_n, undo_max;

size_t engine_mark(void) { return undo_n; }

/* Of the memory's hash. */
static uint64_t part(const uint64_t *word, uint64_t v)
{
	return mix((uintptr_t)word, explore_uncounted(word, v));
}

static void write_word(uint64_t *word, uint64_t v)
{
	uint64_t old = *word;

	if (running || ending) {
		if (undo_n == undo_max) {
			undo_max = undo_max ? 2 * undo_max : 1u << 16;
			undo_log = realloc(undo_log, undo_max * sizeof *undo_log);
			if (!undo_log)
				abort();
		}
		undo_log[undo_n++] = (struct undo){ word, old };
		if (explore_kind_of(word) != WORD_NOISE)
			explore_memory_hash += part(word, v) - part(word, old);
	}
	*word = v;
}

void engine_undo(size_t mark)
{
	while (undo_n > mark) {
		struct undo u = undo_log[--undo_n];

		if (explore_kind_of(u.word) != WORD_NOISE)
			explore_memory_hash += part(u.word, u.old) - part(u.word, *u.word);
		*u.word = u.old;
	}
}

void explore_set(uint64_t *word, uint64_t v) { write_word(word, v); }

/* --- CPUs */

unsigned char *engine_stack_top(unsigned cpu) { return stacks[cpu] + STACK_BYTES; }

static void to_engine(struct cpu *c) { explore_switch(&c->sp, engine_sp); }

/* Before an operation: let the engine decide who goes on, and take interrupts. */
static void turn(const char *op, const void *addr, const void *place)
{
	struct cpu *c = &explore_cpu[explore_self];

	for (;;) {
		c->op = op;
		c->addr = addr;
		c->place = place;
		to_engine(c);
		if (!c->take_irq)
			return;
		c->take_irq = false;
		c->in_irq = true;
		engine_note("interrupt", NULL, place, 0, 0);
		program->irq[explore_self]();
		c->in_irq = false;
	}
}

/* An operation on @word begins: is it a place to turn? */
static void begin(const char *op, const void *word, const void *place)
{
	if (!running)
		return;

	const struct cpu *c = &explore_cpu[explore_self];
	enum explore_kind k = explore_kind_of(word);
	bool interruptible = program->irq[explore_self] && !c->irq_came;

	if (k == WORD_SHARED || (k == WORD_OWN && interruptible))
		turn(op, word, place);
}

static void body(void)
{
	struct cpu *c = &explore_cpu[explore_self];

	turn("start", NULL, (void *)body);
	program->cpu[explore_self]();
	c->done = true;
	for (;;)
		to_engine(c);
}

void explore_pause(const char *what)
{
	if (!running)
		return;
	turn(what, NULL, __builtin_return_address(0));
	engine_note(what, NULL, __builtin_return_address(0), 0, 0);
}

bool explore_in_irq(void) { return running && explore_cpu[explore_self].in_irq; }

void explore_as(unsigned cpu) { explore_self = cpu; }

void explore_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(failure, sizeof failure, fmt, ap);
	va_end(ap);
	explore_failure = failure;
	if (ending)
		longjmp(end_failed, 1);
	if (!running) {
		fprintf(stderr, "explore: while setting up: %s\n", failure);
		exit(2);
	}
	for (;;)
		to_engine(&explore_cpu[explore_self]);
}

/* --- store buffers */

static void leave_buffer(struct cpu *c)
{
	struct store s = c->buffer[0];

	write_word(s.word, (*s.word & ~s.mask) | (s.value & s.mask));
	memmove(c->buffer, c->buffer + 1, --c->stored * sizeof *c->buffer);
	memset(&c->buffer[c->stored], 0, sizeof *c->buffer);
}

static void empty_buffer(struct cpu *c)
{
	while (c->stored)
		leave_buffer(c);
}

/* What this CPU sees in @word. */
static uint64_t seen(const struct cpu *c, const uint64_t *word)
{
	uint64_t v = *word;

	for (unsigned i = 0; i < c->stored; i++)
		if (c->buffer[i].word == word)
			v = (v & ~c->buffer[i].mask) | (c->buffer[i].value & c->buffer[i].mask);
	return v;
}

static void put(uint64_t *word, uint64_t mask, uint64_t value)
{
	struct cpu *c = &explore_cpu[explore_self];

	if (!running || explore_kind_of(word) != WORD_SHARED) {
		write_word(word, (seen(c, word) & ~mask) | (value & mask));
		return;
	}
	if (c->stored == BUFFER_MAX)
		leave_buffer(c);
	c->buffer[c->stored++] = (struct store){ word, mask, value & mask };
}

/* --- the operations of arch/atomic.h */

static uint64_t *word_of(const void *a) { return (uint64_t *)((uintptr_t)a & ~(uintptr_t)7); }
static unsigned shift_of(const void *a) { return (unsigned)((uintptr_t)a & 7) * 8; }

#define PLACE __builtin_return_address(0)

uint64_t explore_load(const void *a, unsigned bytes)
{
	uint64_t *word = word_of(a), v;

	if (running)				/* else it is an audit's: there are many */
		begin("load", word, PLACE);
	v = seen(&explore_cpu[explore_self], word);
	if (running)
		engine_note("load", word, PLACE, v, v);
	return bytes == 8 ? v : v >> shift_of(a) & 0xff;
}

void explore_store(void *a, uint64_t v, unsigned bytes)
{
	uint64_t *word = word_of(a), mask = bytes == 8 ? UINT64_MAX : (uint64_t)0xff << shift_of(a);

	begin("store", word, PLACE);
	uint64_t old = seen(&explore_cpu[explore_self], word), new = v << shift_of(a) & mask;
	engine_note("store", word, PLACE, old, (old & ~mask) | new);
	put(word, mask, new);
}

bool explore_cas(void *a, uint64_t *old, uint64_t new)
{
	uint64_t *word = a;
	struct cpu *c = &explore_cpu[explore_self];

	begin("cas", word, PLACE);
	empty_buffer(c);
	if (*word == *old) {
		engine_note("cas", word, PLACE, *word, new);
		write_word(word, new);
		c->won++;
		return true;
	}
	engine_note("cas lost", word, PLACE, *old, *word);
	*old = *word;
	return false;
}

uint64_t explore_add(void *a, uint64_t n)
{
	uint64_t *word = a, old;

	begin("add", word, PLACE);
	empty_buffer(&explore_cpu[explore_self]);
	old = *word;
	engine_note("add", word, PLACE, old, old + n);
	write_word(word, old + n);
	return old;
}

/* --- the operations of arch/cpu.h */

static uint64_t *own(size_t off) { return word_of(explore_local[explore_self] + off); }

uint64_t explore_local_load(size_t off)
{
	begin("own load", own(off), PLACE);
	uint64_t v = seen(&explore_cpu[explore_self], own(off));
	engine_note("own load", own(off), PLACE, v, v);
	return v;
}

void explore_local_store(size_t off, uint64_t v)
{
	begin("own store", own(off), PLACE);
	engine_note("own store", own(off), PLACE, seen(&explore_cpu[explore_self], own(off)), v);
	put(own(off), UINT64_MAX, v);
}

bool explore_local_cas(size_t off, uint64_t *old, uint64_t new)
{
	begin("own cas", own(off), PLACE);
	uint64_t now = seen(&explore_cpu[explore_self], own(off));
	bool same = now == *old;

	engine_note(same ? "own cas" : "own lost", own(off), PLACE,
		    same ? now : *old, same ? new : now);
	if (same)
		put(own(off), UINT64_MAX, new);
	*old = now;
	return same;
}

void explore_local_add(size_t off, uint64_t n)
{
	begin("own add", own(off), PLACE);
	uint64_t old = seen(&explore_cpu[explore_self], own(off));
	engine_note("own add", own(off), PLACE, old, old + n);
	put(own(off), UINT64_MAX, old + n);
}

/* --- for search.c */

static uint64_t hash_bytes(const unsigned char *p, const unsigned char *end)
{
	uint64_t h = 1, v;

	for (; p < end; p += 8) {
		memcpy(&v, p, 8);
		h = mix(h, explore_uncounted(NULL, v));
	}
	return h;
}

/* Leftovers below the stack pointer must not make equal states look different. */
#define CLEARED 1536u

static void run(unsigned cpu)
{
	struct cpu *c = &explore_cpu[cpu];

	explore_self = cpu;
	memset((unsigned char *)c->sp - CLEARED, 0, CLEARED);
	explore_switch(&engine_sp, c->sp);
}

void engine_start(const struct explore_program *p)
{
	program = p;
	running = true;
	explore_failure = NULL;
	undo_n = 0;
	explore_memory_hash = 0;
	memset(explore_cpu, 0, sizeof explore_cpu);
	for (unsigned i = 0; i < p->cpus; i++) {
		memset(stacks[i], 0, STACK_BYTES);
		void **sp = (void **)(void *)engine_stack_top(i);
		*--sp = NULL;			/* body() never returns */
		*--sp = (void *)body;
		explore_cpu[i].sp = sp - 6;	/* the registers that explore_switch() takes */
		run(i);
	}
}

uint32_t engine_choices(void)
{
	uint32_t choices = 0;

	for (unsigned i = 0; i < program->cpus; i++) {
		const struct cpu *c = &explore_cpu[i];

		choices |= (uint32_t)!c->done << i | (uint32_t)(c->stored > 0) << (8 + i);
		if (program->irq[i] && !c->irq_came && !c->done)
			choices |= 1u << (16 + i);
	}
	return choices;
}

void engine_step(unsigned choice)
{
	unsigned cpu = choice % 8;
	struct cpu *c = &explore_cpu[cpu];

	if (choice / 8 == 1) {
		explore_self = cpu;
		engine_note("leaves", c->buffer[0].word, (void *)engine_step, *c->buffer[0].word,
		     (*c->buffer[0].word & ~c->buffer[0].mask) | c->buffer[0].value);
		leave_buffer(c);
		return;
	}
	if (choice / 8 == 2)
		c->take_irq = c->irq_came = true;
	run(cpu);
}

uint64_t engine_hash(void)
{
	uint64_t h = explore_memory_hash;

	for (unsigned i = 0; i < program->cpus; i++) {
		const struct cpu *c = &explore_cpu[i];

		h = mix(h, hash_bytes(c->sp, engine_stack_top(i)));
		h = mix(h, (uintptr_t)c->sp ^ (uint64_t)(c->done | c->irq_came << 1 |
							  c->in_irq << 2) << 48);
		for (unsigned s = 0; s < c->stored; s++)
			h = mix(mix(h, (uintptr_t)c->buffer[s].word ^ c->buffer[s].mask),
				explore_uncounted(NULL, c->buffer[s].value));
	}
	return h;
}

bool engine_end(void)
{
	unsigned self = explore_self;
	size_t mark = engine_mark();

	bool tracing = explore_tracing;

	running = explore_tracing = false;
	ending = true;
	if (!setjmp(end_failed) && program->end)
		program->end();
	engine_undo(mark);
	ending = false;
	running = true;
	explore_tracing = tracing;
	explore_self = self;
	return !explore_failure;
}

void engine_stop(void)
{
	engine_undo(0);
	/* What has not left a buffer would else be seen by what comes after. */
	memset(explore_cpu, 0, sizeof explore_cpu);
	running = false;
	explore_self = 0;
}
