/* SPDX-License-Identifier: MIT */
/* What can be said on the kernel's command line. */
#pragma once

#include <stddef.h>

/**
 * options_stranger() - the next word that nobody reads
 * @at:  where to look from; advanced past the word
 * @len: receives its length
 *
 * Context: any.
 * Return:  NULL when there is none.
 */
const char *options_stranger(const char **at, size_t *len);

/**
 * options_check() - name all such words, which may be known ones mistyped
 * @line: as the loader passed it
 *
 * Context: boot, once there is a console.
 */
void options_check(const char *line);
