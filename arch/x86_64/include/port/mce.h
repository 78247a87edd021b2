/* SPDX-License-Identifier: MIT */
/* Machine checks (Intel SDM vol. 3, chapter 16): what the hardware says of its own damage. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IA32_MCi_STATUS (figure 16-6). */
#define MCE_VALID	((uint64_t)1 << 63)
#define MCE_OVERFLOW	((uint64_t)1 << 62)	/* another error was lost */
#define MCE_UNCORRECTED	((uint64_t)1 << 61)
#define MCE_ENABLED	((uint64_t)1 << 60)
#define MCE_HAS_MISC	((uint64_t)1 << 59)
#define MCE_HAS_ADDRESS	((uint64_t)1 << 58)
#define MCE_CONTEXT	((uint64_t)1 << 57)	/* the processor's own state is damaged */
#define MCE_SIGNALED	((uint64_t)1 << 56)	/* S and AR: only with recovery */
#define MCE_ACTION	((uint64_t)1 << 55)

/* What one bank of error registers says. */
struct mce_bank {
	uint64_t status, address, misc;
};

enum mce_verdict {
	MCE_NOTHING,			/* no error, or one that the hardware has corrected */
	MCE_MEMORY,			/* memory is damaged; nobody has used it yet */
	MCE_STOP			/* going on would be guessing */
};

/**
 * mce_judge() - can the machine go on?
 * @recovery: IA32_MCG_CAP says MCG_SER_P: the processor tells how far an error reached
 * @why:      receives a few words when the verdict is MCE_STOP
 *
 * Context: any.
 */
enum mce_verdict mce_judge(const struct mce_bank *b, bool recovery, const char **why);

/**
 * mce_memory() - which memory a bank means
 * @start: receives a physical address, the first of an aligned piece
 *
 * Context: any.
 * Return:  bytes, at least one page; 0 when the bank gives no physical address.
 */
uint64_t mce_memory(const struct mce_bank *b, uint64_t *start);

/* What kind of error its code means (16.9): "memory read", "cache", ...  Context: any. */
const char *mce_kind(uint64_t status);

/* Take machine checks, first on this CPU.  Context: boot, the first CPU, after apic_init(). */
void mce_init(void);

/* Switch them on for the running CPU.  Context: its boot, interrupts masked. */
void mce_init_cpu(void);

/* Why the last one stopped the machine; "" if none has.  Context: any. */
const char *mce_reason(void);
