/* SPDX-License-Identifier: MIT */
/*
 * The chain of frame records: at the address in rbp lies the caller's rbp, and
 * above it the address to return to.  Every function keeps one, because the
 * kernel is built with -fno-omit-frame-pointer; its first instructions and
 * wild jumps are the exceptions, treated by missing_caller().
 */
#include <arch/unwind.h>

#include <arch/trap.h>
#include <boot/layout.h>
#include <labyrinth/ksyms.h>

/* Where exception() returns to, with the frame right above (trap_entry.S). */
extern const char trap_return[];

/* The same for exceptions that nest: what nest_enter(), exception(), nest_leave() return to. */
extern const char nest_landed[], nest_return[], nest_left[];

/* Where what irq_entry.S calls returns to; rbp is the address of the frame, and the
 * handler may run on another stack. */
extern const char irq_return[], irq_preempt_return[];

static bool in_text(uintptr_t addr)
{
	return addr - (uintptr_t)text_start < (uintptr_t)(text_end - text_start);
}

/* Is @ret the address behind a direct call to @target?  (SDM vol. 2, CALL rel32.) */
static bool follows_call_to(uintptr_t ret, uintptr_t target)
{
	const uint8_t *call = (const uint8_t *)ret - 5;
	int32_t distance;

	if (!in_text(ret) || !in_text((uintptr_t)call) || call[0] != 0xe8)
		return false;
	__builtin_memcpy(&distance, call + 1, sizeof(distance));
	return ret + (uintptr_t)(intptr_t)distance == target;
}

/*
 * The caller that the frame records do not name, because the function that @f
 * interrupted has not made its own yet.  0 when it has, or when in doubt.
 */
static uintptr_t missing_caller(const struct trap_frame *f)
{
	uintptr_t top, next;
	struct ksym here;

	if (!peek(f->rsp, &top))
		return 0;
	/* A call to where no code is: the return address is all it has left. */
	if (!ksym_lookup(f->rip, &here))
		return in_text(top) ? top : 0;
	/* Before the push of rbp; an indirect call is believed at the first byte only. */
	if (follows_call_to(top, here.start) || (here.offset == 0 && in_text(top)))
		return top;
	/* Between the push of rbp and the move to it. */
	if (top == f->rbp && peek(f->rsp + 8, &next) && follows_call_to(next, here.start))
		return next;
	return 0;
}

static bool is_readable(const struct trap_frame *f)
{
	const uintptr_t *word = (const uintptr_t *)f;
	uintptr_t value;

	for (size_t i = 0; i < sizeof(*f) / sizeof(*word); i++)
		if (!peek((uintptr_t)(word + i), &value))
			return false;
	return true;
}

void unwind_trap(struct unwind *u, const struct trap_frame *f)
{
	*u = (struct unwind){
		.pc = f->rip, .trap = f, .fp = f->rbp,
		/* int3 traps: rip is behind it (SDM vol. 3, 6.15, interrupt 3) */
		.returns = f->vector == TRAP_CALLED || f->vector == TRAP_BREAKPOINT,
		.caller = f->vector == TRAP_CALLED ? 0 : missing_caller(f),
	};
}

/* Go through an exception: from its handler to what it interrupted. */
static bool cross(struct unwind *u, const struct trap_frame *f)
{
	unsigned steps = u->steps;

	if (!is_readable(f))
		return false;
	unwind_trap(u, f);
	u->steps = steps;
	return true;
}

/* Take the frame record at u->fp. */
static bool follow(struct unwind *u)
{
	uintptr_t fp = u->fp, next, ret;

	if (!peek(fp, &next) || !peek(fp + 8, &ret) || !in_text(ret))
		return false;
	if (ret == (uintptr_t)trap_return || ret == (uintptr_t)nest_landed ||
	    ret == (uintptr_t)nest_return || ret == (uintptr_t)nest_left)
		return cross(u, (const struct trap_frame *)(fp + 16));
	if (ret == (uintptr_t)irq_return || ret == (uintptr_t)irq_preempt_return)
		return cross(u, (const struct trap_frame *)next);
	u->pc = ret;
	u->returns = true;
	u->trap = NULL;
	/* Stacks grow down, so callers lie higher; what does not is no frame. */
	u->fp = next > fp ? next : 0;
	return true;
}

bool unwind_call(struct unwind *u, uintptr_t fp)
{
	*u = (struct unwind){ .fp = fp };
	return follow(u);
}

bool unwind_next(struct unwind *u)
{
	if (++u->steps >= UNWIND_MAX)
		return false;
	if (!u->caller)
		return follow(u);
	u->pc = u->caller;
	u->returns = true;
	u->trap = NULL;
	u->caller = 0;
	return true;
}
