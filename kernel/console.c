/* SPDX-License-Identifier: MIT */
/*
 * All text of the kernel passes here: kept in a log, handed to every sink.
 *
 * What one call writes stays together, by a lock that nobody has to get: an NMI or an
 * interrupt of the CPU that holds it, whoever has waited long enough, and a panic
 * write all the same.  Then characters mix, and that is all that can happen.
 */
#include <labyrinth/console.h>

#include <stdatomic.h>

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/serial.h>
#include <arch/switch.h>

_Static_assert((CONSOLE_LOG_SIZE & (CONSOLE_LOG_SIZE - 1)) == 0, "log: a power of two");

/* A byte at position p of all text is at p % CONSOLE_LOG_SIZE, until overwritten. */
static struct {
	_Atomic(uint64_t) end;		/* bytes printed since boot */
	char text[CONSOLE_LOG_SIZE];
} console_log;

static _Atomic(const struct console_sink *) sinks[CONSOLE_SINKS_MAX];

/* 0, or 1 + the number of the CPU that writes. */
static _Atomic unsigned writer;
static _Atomic bool broken_in;

uint64_t console_patience_ns = (uint64_t)10 * 1000000000;
#define NMI_PATIENCE_NS	((uint64_t)1000000)
#define PATIENCE_TURNS	1000000u	/* where there is no clock */

/* Return: is it ours, so that unlock() must follow? */
static bool lock(void)
{
	uint64_t start = clock_ns(), patience = in_nmi() ? NMI_PATIENCE_NS : console_patience_ns;
	unsigned me = cpu_number() + 1;

	for (unsigned turns = 0; turns < PATIENCE_TURNS || start; turns++) {
		unsigned nobody = 0;

		/* Relaxed: whoever prints does not care what was before. */
		if (atomic_load_explicit(&broken_in, memory_order_relaxed))
			return false;
		/* Acquire: pairs with unlock(), for what the sinks keep. */
		if (atomic_compare_exchange_weak_explicit(&writer, &nobody, me,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
		if (nobody == me || (start && clock_ns() - start > patience))
			return false;
		cpu_relax();
	}
	return false;
}

static void unlock(void)
{
	/* Release: pairs with lock(). */
	atomic_store_explicit(&writer, 0, memory_order_release);
}

void console_break_in(void)
{
	/* Relaxed: the others are stopped, or about to be. */
	atomic_store_explicit(&broken_in, true, memory_order_relaxed);
}

static void log_append(const char *s, size_t n)
{
	/* One addition reserves the room, so two writers never share a byte. */
	uint64_t at = atomic_fetch_add_explicit(&console_log.end, n, memory_order_relaxed);

	for (size_t i = 0; i < n; i++)
		console_log.text[(at + i) % CONSOLE_LOG_SIZE] = s[i];
}

static void write_all(const char *s, size_t n)
{
	log_append(s, n);
	for (size_t i = 0; i < CONSOLE_SINKS_MAX; i++) {
		/* pairs with the compare-exchange in console_add(): see all of *sink */
		const struct console_sink *sink =
			atomic_load_explicit(&sinks[i], memory_order_acquire);
		if (sink)
			sink->write(s, n);
	}
}

void console_write(const char *s, size_t n)
{
	bool mine;

	switch_forbid();		/* the lock knows its holder by the CPU */
	mine = lock();
	write_all(s, n);
	if (mine)
		unlock();
	switch_allow();
}

size_t console_log_read(uint64_t *pos, char *out, size_t max)
{
	uint64_t end = atomic_load_explicit(&console_log.end, memory_order_relaxed);
	size_t n = 0;

	if (end - *pos > CONSOLE_LOG_SIZE)
		*pos = end - CONSOLE_LOG_SIZE;
	for (; n < max && *pos < end; n++, ++*pos)
		out[n] = console_log.text[*pos % CONSOLE_LOG_SIZE];
	return n;
}

static void replay(const struct console_sink *sink)
{
	char chunk[256];
	uint64_t pos = 0;
	size_t n;

	while ((n = console_log_read(&pos, chunk, sizeof(chunk))) > 0)
		sink->write(chunk, n);
}

bool console_add(const struct console_sink *sink)
{
	replay(sink);
	for (size_t i = 0; i < CONSOLE_SINKS_MAX; i++) {
		const struct console_sink *nobody = NULL;

		if (atomic_compare_exchange_strong_explicit(&sinks[i], &nobody, sink,
							    memory_order_release,
							    memory_order_relaxed))
			return true;
	}
	return false;
}

void console_init(void)
{
	static const struct console_sink serial = { "serial", serial_write };

	if (serial_init())
		console_add(&serial);
}

void console_remove(const struct console_sink *sink)
{
	for (size_t i = 0; i < CONSOLE_SINKS_MAX; i++) {
		const struct console_sink *expected = sink;

		atomic_compare_exchange_strong_explicit(&sinks[i], &expected, NULL,
							memory_order_relaxed,
							memory_order_relaxed);
	}
}

const char *console_name(size_t i)
{
	const struct console_sink *sink = i >= CONSOLE_SINKS_MAX ? NULL :
		atomic_load_explicit(&sinks[i], memory_order_acquire);

	return sink ? sink->name : NULL;
}
