/* SPDX-License-Identifier: MIT */
/* The kernel's command line: words separated by blanks, "key" or "key=value". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * cmdline_init() - take over what the loader passed
 * @line: kept, not copied; a first word that is the kernel's own path is skipped
 *
 * Context: boot, one CPU.  Until then the line is empty.
 */
void cmdline_init(const char *line);

/**
 * cmdline_get() - the value of the last word "@key=value" or "@key"
 * @len: receives the length of the value, 0 for a bare key; may be NULL
 *
 * Context: any.
 * Return:  the first character of the value, not terminated; NULL if absent.
 */
const char *cmdline_get(const char *key, size_t *len);

/**
 * cmdline_u64() - the value of @key as a number
 *
 * Decimal or 0x hexadecimal, with an optional suffix K, M, G or T (powers of 1024).
 *
 * Context: any.
 * Return:  true and *@out when the key is there and its value is one number;
 *          false otherwise, *@out unchanged.
 */
bool cmdline_u64(const char *key, uint64_t *out);

/* As the two above, on any line: for tests, and before the kernel has its own. */
const char *cmdline_find(const char *line, const char *key, size_t *len);
bool cmdline_find_u64(const char *line, const char *key, uint64_t *out);

/* The next word at or after @s, *@end one past it; NULL when there is none.  Context: any. */
const char *cmdline_word(const char *s, const char **end);

/* @line without a first word that is the kernel's own path.  Context: any. */
const char *cmdline_skip_path(const char *line);

/**
 * parse_u64() - read a number as above from the front of a text
 * @s:   where to read; advanced past the number
 * @end: one past the last character
 *
 * Context: any.
 * Return:  false when there is no number or it does not fit 64 bits; *@s unchanged then.
 */
bool parse_u64(const char **s, const char *end, uint64_t *out);
