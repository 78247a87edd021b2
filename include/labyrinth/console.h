/* SPDX-License-Identifier: MIT */
/*
 * Consoles: whoever wants the kernel's text registers a sink.
 *
 * console_write() (arch/console.h) hands everything to every sink and keeps the
 * end of it in a log, so that a screen that comes up late can catch up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text is UTF-8 with "\n" line ends and the escape sequences of kernel/term.h. */
struct console_sink {
	const char *name;			/* "serial", "framebuffer", "VGA text" */
	/* Any context, itself included: it may be interrupted and called again. */
	void (*write)(const char *s, size_t n);
};

#define CONSOLE_SINKS_MAX 4u
#define CONSOLE_LOG_SIZE  65536u		/* bytes kept */

/* How long a CPU waits while another prints, before it prints too.  Long enough for a slow
 * serial line and for an emulator that lets a CPU stand still; tests shorten it. */
extern uint64_t console_patience_ns;

/**
 * console_break_in() - from here on nobody waits for anybody to have printed
 *
 * Context: any; the CPU that reports a panic.
 */
void console_break_in(void);

/**
 * console_init() - find the serial port; a machine without one is fine
 * Context: boot, one CPU, before the first line is printed (earlier ones are kept).
 */
void console_init(void);

/**
 * console_add() - send all text to @sink too, beginning with what the log has kept
 * @sink: must stay as it is until console_remove()
 *
 * What an interrupt prints between the last of the log and the registration
 * stays in the log alone.
 *
 * Context: any.
 * Return:  false when CONSOLE_SINKS_MAX are there already.
 */
bool console_add(const struct console_sink *sink);

/* Send no more to @sink.  Context: any; a write under way on another CPU may go on. */
void console_remove(const struct console_sink *sink);

/* The name of sink number @i, or NULL when there is none.  Context: any. */
const char *console_name(size_t i);

/**
 * console_log_read() - what has been printed
 * @pos: where to read, counted in bytes since boot; advanced past what was read,
 *       and first to the oldest byte still kept, if that is later
 * @out: receives up to @max bytes
 *
 * Context: any; text being printed meanwhile may come out mixed.
 * Return:  the number of bytes read; 0 at the end.
 */
size_t console_log_read(uint64_t *pos, char *out, size_t max);
