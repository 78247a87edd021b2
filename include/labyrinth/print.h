/* SPDX-License-Identifier: MIT */
/* Formatted output to every console, and formatting into memory. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/**
 * kprintf() - print to every console there is
 * @fmt: the usual conversions: d i u x X o c s p %, flags - 0 + space #, width,
 *       precision, and * for both; lengths hh h l ll z t j.  No floating point.
 *
 * Context: any.  Takes no lock; lines of two CPUs may interleave.
 * Return:  the number of characters printed.
 */
int kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int kvprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/**
 * kvsnprintf() - format into @buf, always terminated when @size > 0
 * Context: any.
 * Return:  the length the whole text would have had, as C's snprintf.
 */
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
