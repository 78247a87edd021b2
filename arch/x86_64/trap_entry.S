/* SPDX-License-Identifier: MIT */
/* One stub a vector, 16 bytes each, that leaves a struct trap_frame on the stack. */
#include <port/registers.h>

/* Vectors whose stack in the task state is only where they land: see port/nest.h. */
#define NESTING (1 << 1 | 1 << 2 | 1 << 18)

	.text
	.globl	trap_stubs
	.balign	16
trap_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	/* the processor pushes an error code for these (Intel SDM vol. 3, table 6-1) */
	.if !((1 << vector) & 0x60227d00)
	pushq	$0
	.endif
	pushq	$vector
	.if vector == 1
	jmp	debug_common
	.elseif (1 << vector) & NESTING
	jmp	nest_common
	.else
	jmp	trap_common
	.endif
	.set	vector, vector + 1
	.endr

trap_common:
	push_registers
	movq	%rsp, %rdi
	call	exception		/* aligned: 22 words above a 16-byte boundary */
	.globl	trap_return
trap_return:				/* unwind.c knows the frame by it, and by those below */
	pop_registers
	addq	$16, %rsp		/* vector and error code */
	iretq

/* No hardware breakpoint strikes what handles one; whoever wants it again sets it again. */
debug_common:
	pushq	%rax
	xorl	%eax, %eax
	movq	%rax, %dr7
	popq	%rax

/* The same for those that nest: from the landing stack to the shared one, and back. */
nest_common:
	push_registers
	movq	%rsp, %rdi
	call	nest_enter
	.globl	nest_landed, nest_return, nest_left
nest_landed:
	movq	%rax, %rsp		/* N1: from here on another one may land */
	movq	%rsp, %rdi
	call	exception
nest_return:
	movq	%rsp, %rdi
	call	nest_leave
nest_left:
	testb	%al, %al
	jz	trap_return
	pop_registers			/* N3: NMIs stay blocked, if they are */
	movq	40(%rsp), %rsp		/* vector, error, rip, cs, rflags, here rsp */
	popfq
	ret

	.section .note.GNU-stack, "", @progbits
