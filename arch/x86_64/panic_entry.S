/* SPDX-License-Identifier: MIT */
/*
 * panic() and panic_at(), as C declares them: they keep the caller's registers
 * for the report before any C code can change them.
 */

/* Push a struct trap_frame; rip is where the call would have returned to. */
	.macro	push_registers
	pushq	%rbp
	movq	%rsp, %rbp
	pushfq
	cli
	cld
	pushq	$0
	movw	%ss, (%rsp)
	pushq	%rbp
	addq	$16, (%rsp)		/* rsp before the call */
	pushq	-8(%rbp)		/* rflags */
	pushq	$0
	movw	%cs, (%rsp)
	pushq	8(%rbp)			/* rip */
	pushq	$0			/* no error code */
	pushq	$256			/* TRAP_CALLED */
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	(%rbp)			/* rbp */
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.text
	.globl	panic_at
	.type	panic_at, @function
panic_at:				/* (file, line, what): panic(does_not_hold, the same) */
	push_registers
	movq	%rdx, %rcx
	movl	%esi, %edx
	movq	%rdi, %rsi
	movq	$does_not_hold, %rdi
	jmp	called
	.size	panic_at, . - panic_at

	.globl	panic
	.type	panic, @function
panic:					/* (fmt, ...) */
	push_registers
called:	/* a va_list as the System V ABI for AMD64 lays it out, 3.5.7, figure 3.34 */
	pushq	%r9
	pushq	%r8
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rsp			/* reg_save_area: the six above */
	leaq	16(%rbp), %rax
	pushq	%rax			/* overflow_arg_area */
	movabsq	$48 << 32 | 8, %rax	/* fp_offset: none; gp_offset: behind fmt */
	pushq	%rax
	movq	%rdi, %rsi
	movq	%rsp, %rdx
	leaq	(3 + 6) * 8(%rsp), %rdi	/* the struct trap_frame */
	call	panic_called		/* does not return; aligned: 1 + 1 + 1 + 22 + 6 + 3 words */
	ud2
	.size	panic, . - panic

	.section .rodata
does_not_hold:
	.asciz	"%s:%d: %s does not hold"

	.section .note.GNU-stack, "", @progbits
