/* SPDX-License-Identifier: MIT */
/* The kernel knows its own functions, files and lines: for panics and backtraces. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ksym {
	const char *name;
	uintptr_t start;		/* its first byte */
	size_t offset;			/* bytes from there to the address asked for */
};

/**
 * ksym_lookup() - which function is this address in?
 *
 * Context: any, NMI and double fault included; as everything in this file.
 *          O(log n), reads nothing but the table.
 * Return:  false when @addr is in no function of the kernel.
 */
bool ksym_lookup(uintptr_t addr, struct ksym *out);

/**
 * kline_lookup() - which source line is this address of?
 * @file: receives the path, relative to where the kernel was built
 *
 * A return address belongs to the instruction after the call: ask for the byte
 * before it to get the call's own line.
 *
 * Return: false when the compiler named no source for @addr.
 */
bool kline_lookup(uintptr_t addr, const char **file, unsigned *line);

/**
 * ksym_by_name() - where is this function?
 *
 * Return: false when there is none; of several static ones of one name, the lowest.
 */
bool ksym_by_name(const char *name, uintptr_t *addr);
