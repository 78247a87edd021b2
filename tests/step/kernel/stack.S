/* SPDX-License-Identifier: MIT */
/* void step_on_stack(void (*fn)(void), void *top): call fn on the stack that ends at top. */

	.text
	.globl	step_on_stack
step_on_stack:
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rsi, %rsp
	call	*%rdi
	movq	%rbp, %rsp
	popq	%rbp
	ret

	.section .note.GNU-stack, "", @progbits
