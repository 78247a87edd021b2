/* SPDX-License-Identifier: MIT */
/* The step gate: other stacks, a thread's way to another CPU, and registers to watch. */

	.text
/* void step_on_stack(void (*fn)(void), void *top): call fn on the stack that ends at top. */
	.globl	step_on_stack
step_on_stack:
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsi, %rsp
	call	*%rdi
	movq	%rbp, %rsp
	popq	%rbp
	ret

/*
 * A thread comes here instead of where it was interrupted; its registers lie where rsp points,
 * as an exception leaves them.  trap_return takes them up again.
 */
	.globl	step_thunk
step_thunk:
	pushq	$trap_return		/* aligned: as behind a call */
	jmp	step_go_elsewhere

/*
 * void step_keep_registers(uint64_t r[15]): rax to r15 without rsp and rdi from r[0..13], flags
 * from r[14]; back there what they are some instructions later, each of which traps.
 */
	.globl	step_keep_registers
step_keep_registers:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	112(%rdi)
	movq	0(%rdi), %rax
	movq	8(%rdi), %rbx
	movq	16(%rdi), %rcx
	movq	24(%rdi), %rdx
	movq	32(%rdi), %rsi
	movq	40(%rdi), %rbp
	movq	48(%rdi), %r8
	movq	56(%rdi), %r9
	movq	64(%rdi), %r10
	movq	72(%rdi), %r11
	movq	80(%rdi), %r12
	movq	88(%rdi), %r13
	movq	96(%rdi), %r14
	movq	104(%rdi), %r15
	popfq
	nop
	nop
	pushfq
	popq	112(%rdi)
	movq	%rax, 0(%rdi)
	movq	%rbx, 8(%rdi)
	movq	%rcx, 16(%rdi)
	movq	%rdx, 24(%rdi)
	movq	%rsi, 32(%rdi)
	movq	%rbp, 40(%rdi)
	movq	%r8, 48(%rdi)
	movq	%r9, 56(%rdi)
	movq	%r10, 64(%rdi)
	movq	%r11, 72(%rdi)
	movq	%r12, 80(%rdi)
	movq	%r13, 88(%rdi)
	movq	%r14, 96(%rdi)
	movq	%r15, 104(%rdi)
	pushfq
	andq	$~0x500, (%rsp)		/* TF, DF */
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
