/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: what the processor reports when it cannot go on.
 *
 * The port defines struct trap_frame, the registers at that moment, in
 * <port/trap.h>.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <port/trap.h>

/* "page fault", ...; "unknown" for a vector that is no exception.  Context: any. */
const char *trap_name(unsigned vector);

/* True when handled: the interrupted code goes on with the (changed) frame. */
typedef bool (*trap_handler_t)(struct trap_frame *f);

/**
 * trap_set_handler() - who may handle an exception before it ends in a panic
 * @vector:  0..31
 * @handler: runs on the exception's own stack; NULL for nobody
 *
 * Context: any.
 * Return:  the handler until now.
 */
trap_handler_t trap_set_handler(unsigned vector, trap_handler_t handler);

/**
 * trap_explain() - what happened, in plain words
 * @buf: receives one sentence of at most 73 columns, without a newline
 *
 * Context: any, before anything else can fault: cr2 is read here.
 */
void trap_explain(const struct trap_frame *f, char *buf, size_t size);

/* Print @f, control registers and the instruction.  Context: any. */
void trap_print_registers(const struct trap_frame *f);

/**
 * trap_panic() - the end of an exception that nobody handled: report it and stop
 * Context: any, on the exception's stack.
 */
_Noreturn void trap_panic(const struct trap_frame *f);
