/* SPDX-License-Identifier: MIT */
/* Numbers of bytes, written for people. */
#pragma once

#include <stdint.h>

#define SIZE_TEXT_MAX 24u		/* bytes, with the terminator */

/**
 * size_text() - an amount: "640 KiB", "126.9 MiB", "0"
 * @out: receives the text
 *
 * Whole where it is whole, else with one decimal, rounded down: what is
 * promised is there.
 *
 * Context: any.
 * Return:  @out.
 */
const char *size_text(char out[SIZE_TEXT_MAX], uint64_t bytes);

/* A place: "0", "256K", "1536M", "4G": always exact.  Context: any.  Return: @out. */
const char *address_text(char out[SIZE_TEXT_MAX], uint64_t address);
