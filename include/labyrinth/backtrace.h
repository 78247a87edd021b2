/* SPDX-License-Identifier: MIT */
/* Who called whom, for people: function, file and line, from the kernel's own table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trap_frame;

/**
 * backtrace_print_trap() - print the callers of where @f was taken, nearest first
 *
 * A damaged stack ends the list, no more.
 *
 * Context: any, NMI and double fault included; as everything in this file.
 */
void backtrace_print_trap(const struct trap_frame *f);

/**
 * place_format() - write "function+0x12 (file.c:34)", as much of it as is known
 * @returns: @pc is a return address: name the call before it
 *
 * Return: the length the whole text would have had.
 */
int place_format(char *buf, size_t size, uintptr_t pc, bool returns);

/* Enough for any function and file of this kernel; longer ones are cut. */
#define PLACE_MAX 160u
