/* SPDX-License-Identifier: MIT */
/*
 * From one thread's stack to another's.  The registers that a function must keep (System V
 * ABI for AMD64, 3.2.1) lie on the stack that is left; the others the caller has saved.
 */

	.text
	.globl	context_switch
	.type	context_switch, @function
context_switch:				/* (void **save, void *load) */
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	context_switch, . - context_switch

	.globl	context_prepare
	.type	context_prepare, @function
context_prepare:			/* (void *top, void (*entry)(void)) */
	leaq	-64(%rdi), %rax
	xorl	%ecx, %ecx
	movq	%rcx, (%rax)		/* r15 */
	movq	%rcx, 8(%rax)		/* r14 */
	movq	%rcx, 16(%rax)		/* r13 */
	movq	%rcx, 24(%rax)		/* r12 */
	movq	%rcx, 32(%rax)		/* rbx */
	movq	%rcx, 40(%rax)		/* rbp: the chain of frames ends here */
	movq	%rsi, 48(%rax)		/* entry finds the stack as after a call */
	movq	%rcx, 56(%rax)		/* ... that came from nowhere */
	ret
	.size	context_prepare, . - context_prepare

	.section .note.GNU-stack, "", @progbits
