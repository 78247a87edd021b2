/* SPDX-License-Identifier: MIT */
/*
 * Where nested exceptions run.  Four rules; docs/nmi.md argues from them:
 *
 *  N1  A landing stack is in use only until its exception has moved.
 *  N2  An exception moves below all of the shared stack that is in use: below the
 *      interrupted stack pointer, or that of whoever landed in between.
 *  N3  Who interrupts a landing does not return by IRET, so that NMIs stay blocked.  The
 *      trap flag is dropped: POPF would step the return itself, for ever.
 *  N4  NMI and machine check leave the debug exception's landing stack as they found
 *      it, since their handlers may take debug exceptions.
 */
#include <port/nest.h>

#include <port/percpu.h>
#include <port/trap.h>

#define FLAG_TRAP ((uint64_t)0x100)	/* RFLAGS.TF: SDM vol. 1, 3.4.3.3 */

/* Kept by an NMI or machine check, above its frame. */
struct landed { uint8_t byte[NEST_LANDED]; };

_Static_assert(sizeof(struct landed) % 16 == 0 && sizeof(struct trap_frame) % 16 == 0,
	       "stacks stay aligned");

static uintptr_t top_of(const struct kernel_stack *s)
{
	return (uintptr_t)(s + 1);
}

/* A stack pointer may stand at the top of its stack: nothing is pushed yet. */
static bool on_stack(uintptr_t sp, const struct kernel_stack *s)
{
	return sp - 1 - (uintptr_t)s->space < STACK_SIZE;
}

static bool on_nest(uintptr_t sp, const struct nest_stack *n)
{
	return sp - 1 - (uintptr_t)n->space < NEST_SIZE;
}

/* The stack of the task state that @sp lies in, or NULL. */
static const struct kernel_stack *landing_of(uintptr_t sp)
{
	const struct kernel_stack *s = percpu()->stacks;

	for (unsigned id = STACK_IST_FIRST; id <= STACK_IST_LAST; id++)
		if (on_stack(sp, &s[id]))
			return &s[id];
	return NULL;
}

/* What the processor pushed first on @s: the stack pointer before (SDM vol. 3, 6.14.2). */
static uintptr_t interrupted_by(const struct kernel_stack *s)
{
	return ((const uint64_t *)top_of(s))[-2];
}

/* N2.  Each landing stack is met once at most. */
static uintptr_t free_below(uintptr_t sp)
{
	const struct nest_stack *n = percpu()->nest;

	for (unsigned hops = STACK_IST_FIRST; hops <= STACK_IST_LAST; hops++) {
		const struct kernel_stack *landing = landing_of(sp);

		if (!landing)
			break;
		sp = interrupted_by(landing);
	}
	return on_nest(sp, n) ? sp & ~(uintptr_t)15 : (uintptr_t)(n + 1);
}

static struct landed *debug_landing(void)
{
	return (struct landed *)top_of(&percpu()->stacks[STACK_DEBUG]) - 1;
}

/* By words: the emulator counts, and interrupts, each repetition of a string instruction. */
static void copy_landed(struct landed *to, const struct landed *from)
{
	size_t words = sizeof(*to) / sizeof(uint64_t);

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

struct trap_frame *nest_enter(const struct trap_frame *f)
{
	uintptr_t sp = free_below(f->rsp);
	struct trap_frame *moved;

	if (f->vector != TRAP_DEBUG) {		/* N4 */
		sp -= sizeof(struct landed);
		copy_landed((struct landed *)sp, debug_landing());
	}
	moved = (struct trap_frame *)sp - 1;
	*moved = *f;
	return moved;
}

/* The stack of a double fault is no landing: nobody moves away from it. */
static bool is_landing(uintptr_t sp)
{
	const struct kernel_stack *s = landing_of(sp);

	return s && s != &percpu()->stacks[STACK_DOUBLE_FAULT];
}

bool nest_leave(struct trap_frame *f)
{
	uint64_t *to = (uint64_t *)f->rsp;

	if (f->vector != TRAP_DEBUG)
		copy_landed(debug_landing(), (const struct landed *)(f + 1));
	if (!is_landing(f->rsp))
		return false;
	*--to = f->rip;				/* N3 */
	*--to = f->rflags & ~FLAG_TRAP;
	f->rsp = (uint64_t)to;
	return true;
}
