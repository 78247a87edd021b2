/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: a stub for each vector from 32 on, 16 bytes each.  The registers go
 * onto the stack of whoever was interrupted, as a struct trap_frame; the handler
 * runs on this CPU's interrupt stack, unless it is in use.  docs/interrupts.md
 * draws it.
 */
#include <port/percpu_offsets.h>
#include <port/registers.h>

#define FRAME_RFLAGS	152		/* in struct trap_frame */
#define RFLAGS_IF	0x200

	.text
	.globl	irq_stubs
	.balign	16
irq_stubs:
	.set	vector, 32
	.rept	224
	.balign	16
	pushq	$0
	pushq	$vector
	jmp	irq_common
	.set	vector, vector + 1
	.endr

irq_common:
	push_registers
	movq	%rsp, %rdi
	movq	%rsp, %rbp		/* the way back, also for unwind.c */
	/*
	 * The depth counts before the stack is entered and after it is left, so that an
	 * NMI in between, whatever it does, never finds the stack free while it is not.
	 */
	incl	%gs:PERCPU_IRQ_DEPTH
	cmpl	$1, %gs:PERCPU_IRQ_DEPTH
	jne	1f
	movq	%gs:PERCPU_IRQ_STACK, %rsp
1:	call	irq_dispatch		/* aligned: the frame is 22 words below 16 bytes */
	.globl	irq_return
irq_return:
	movq	%rbp, %rsp
	decl	%gs:PERCPU_IRQ_DEPTH
	jnz	2f
	/*
	 * Back on the thread's own stack.  Another may run now, if somebody asked for it
	 * and the thread had not forbidden it: by its count, by masking interrupts (then
	 * this one was an instruction), or by being an NMI's handler.
	 */
	cmpl	$0, %gs:PERCPU_NEED_RESCHED
	je	2f
	movl	%gs:PERCPU_PREEMPT_COUNT, %eax
	orl	%gs:PERCPU_NMI_DEPTH, %eax
	jnz	2f
	testl	$RFLAGS_IF, FRAME_RFLAGS(%rsp)
	jz	2f
	call	preempt_from_irq
	.globl	irq_preempt_return
irq_preempt_return:
2:	pop_registers
	addq	$16, %rsp		/* vector and error code */
	iretq

	.section .note.GNU-stack, "", @progbits
