/* SPDX-License-Identifier: MIT */
/*
 * Spin locks, for the kernel outside mm/.  Interrupts stay masked while one is held, so
 * that a handler may take it too.  Never from an NMI, which may have interrupted the holder.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* All zero: free. */
struct spinlock {
	_Atomic uint32_t holder;	/* 0, or 1 + the number of the CPU that holds it */
};

/**
 * spin_lock_irqsave() - mask interrupts, then take the lock
 *
 * Context: threads and interrupt handlers; not in_nmi().
 * Return:  what spin_unlock_irqrestore() wants.
 * Panics:  when this CPU holds it already, or nobody lets go of it for a minute.
 */
uint64_t spin_lock_irqsave(struct spinlock *l);

/**
 * spin_unlock_irqrestore() - give it back, then interrupts as they were
 *
 * Another thread runs first if one should and nothing forbids it.
 *
 * Context: the holder.
 */
void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags);

/* The same where interrupts are masked already, and stay so. */
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
