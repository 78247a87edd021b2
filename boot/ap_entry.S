/* SPDX-License-Identifier: MIT */
/*
 * How every CPU but the first comes in: in real mode, at a page below 1 MiB that the
 * start-up message names (Intel SDM vol. 3, 8.4.4).  What runs there is a copy of
 * ap_low, without paging; it goes on in .boot, which is linked at its physical address
 * and mapped so by the first page tables, read and execute only.  So the low page is
 * never mapped executable.
 */
#include <boot/layout.h>
#include <port/cpu_area_place.h>
#include <port/stack.h>

#define PHYS(symbol)	((symbol) - KERNEL_BASE)

/* --- 16 bits, copied to any page below 1 MiB: nothing here knows where it is */

	.section .rodata
	.globl	ap_low, ap_low_end
	.code16
ap_low:	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	ap_gdtr - ap_low
	movl	%cr0, %eax
	orb	$1, %al			/* PE */
	movl	%eax, %cr0
	ljmpl	$0x10, $ap_protected
ap_gdtr:
	.word	4 * 8 - 1
	.long	boot_gdt
ap_low_end:

/* --- 32 bits, no paging, no stack */

	.section .boot, "ax"
	.code32
ap_protected:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x900, %eax		/* LME, NXE */
	wrmsr
	movl	%cr0, %eax
	andl	$~0x60000000, %eax	/* caches on: not CD, not NW */
	orl	$0x80010001, %eax	/* PG, WP, PE */
	movl	%eax, %cr0
	ljmp	$8, $ap_in_long_mode

/* --- 64 bits */

	.code64
ap_in_long_mode:
	movabsq	$ap_in_upper_half, %rax
	jmp	*%rax

	.text
ap_in_upper_half:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	$PHYS(kernel_pml4), %rax
	movq	%rax, %cr3

	/* The APIC id: all 32 bits of it where the processor tells them (SDM vol. 3, 8.9.4). */
	xorl	%eax, %eax
	cpuid
	cmpl	$0xb, %eax
	jb	1f
	movl	$0xb, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	%ebx, %ebx
	jnz	2f
1:	movl	$1, %eax
	cpuid
	movl	%ebx, %edx
	shrl	$24, %edx
2:
	/* The number that this id has been given; 0 is the first CPU. */
	movl	cpus_listed(%rip), %ecx
	movq	$cpu_apic_id, %rsi
	movl	$1, %edi
3:	cmpl	%ecx, %edi
	jae	4f
	cmpl	(%rsi, %rdi, 4), %edx
	je	5f
	incl	%edi
	jmp	3b
4:	cli				/* not asked for: stay away */
	hlt
	jmp	4b

5:	movq	%rdi, %rax
	imulq	$CPU_AREA_SIZE, %rax, %rax
	movabsq	$CPU_AREA_BASE + STACK_GUARD + STACK_SIZE, %rsp
	addq	%rax, %rsp
	pushq	$2			/* all flags clear; bit 1 is always set */
	popfq
	xorl	%ebp, %ebp		/* the end of every backtrace */
	call	ap_main
	jmp	4b

	.section .note.GNU-stack, "", @progbits
