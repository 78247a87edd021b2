/* SPDX-License-Identifier: MIT */
/*
 * Two ways to state an invariant.
 *
 *   KASSERT(e)  checked in every build.  A caller broke the contract, or memory
 *               is already corrupt: stopping is the only safe answer.
 *   DASSERT(e)  checked in debug builds only; still compiled in release, so the
 *               expression cannot rot.  For checks too dear for a hot path.
 *
 * Running out of memory is neither: it is an ordinary return value.
 */
#pragma once

/**
 * panic() - stop the machine and say why
 * @fmt: printf format of one plain sentence, without a trailing newline
 *
 * Context: any, NMI and double fault included.
 * Return:  never.
 */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* As panic(), for KASSERT; each port provides it beside panic(). */
_Noreturn void panic_at(const char *file, int line, const char *what) __attribute__((cold));

/**
 * panic_add_section() - have something else in the report, behind the backtrace
 * @title: a line without its colon; kept, not copied
 * @print: kprintf()s indented lines; must not wait, allocate, or believe in
 *         anything that memory corruption may have reached
 *
 * Context: boot, one CPU.
 * Panics:  if more than PANIC_SECTIONS_MAX are added.
 */
void panic_add_section(const char *title, void (*print)(void));

#define PANIC_SECTIONS_MAX 4u

#define KASSERT(e) (__builtin_expect(!!(e), 1) ? (void)0 : panic_at(__FILE__, __LINE__, #e))

#ifndef NDEBUG
#define DASSERT(e) KASSERT(e)
#else
#define DASSERT(e) ((void)sizeof(!(e)))
#endif
