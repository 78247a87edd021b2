/* SPDX-License-Identifier: MIT */
/*
 * The three ways in.  GRUB enters at multiboot2_entry, under BIOS and UEFI
 * alike, QEMU's -kernel at pvh_entry; all in 32-bit protected mode without
 * paging.  From here to kernel_main() in long mode and in the upper half,
 * without any page ever being both writable and executable.
 */
#include <boot/layout.h>
#include <port/stack.h>

/* The first of kernel_stacks[]. */
#define MAIN_STACK_TOP	(kernel_stacks + STACK_GUARD + STACK_SIZE)

#define PHYS(symbol)	((symbol) - KERNEL_BASE)

/* Page-table bits (Intel SDM vol. 3, table 4-20); the low and the high half of an entry. */
#define PRESENT		0x001
#define WRITE		0x002
#define LARGE		0x080
#define NX_HIGH		0x80000000

#define PAGE_4K		0x1000
#define PAGE_2M		0x200000
#define TABLE(pages)	.balign 4096; .skip 4096 * (pages)

/* --- what the loaders look for --- */

	.section .multiboot2, "a"
	.balign 8
	.globl	multiboot2_header
multiboot2_header:			/* Multiboot2 specification 3.1 */
	.long	0xe85250d6, 0, header_end - multiboot2_header
	.long	-(0xe85250d6 + 0 + (header_end - multiboot2_header))
	.balign 8
	.word	5, 1			/* framebuffer, optional: the nearest to this will do */
	.long	20, 1024, 768, 32
	.balign 8
	.word	6, 0			/* modules start at a page */
	.long	8
	.balign 8
	.word	0, 0
	.long	8
header_end:

	.section .note.pvh, "a", @note	/* Xen public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY */
	.balign 4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	pvh_entry

/* --- 32 bits, no paging --- */

	.section .boot, "ax"
	.code32

	.globl	multiboot2_entry
multiboot2_entry:			/* %eax magic, %ebx the information */
	xorl	%esi, %esi		/* enum boot_way */
	jmp	entry

	.globl	pvh_entry
pvh_entry:				/* %ebx hvm_start_info */
	movl	$1, %esi
	xorl	%eax, %eax

entry:	cli
	cld
	movl	$PHYS(MAIN_STACK_TOP), %esp
	pushl	%ebx			/* kernel_main's arguments */
	pushl	%eax
	pushl	%esi
	call	check_processor
	call	build_tables

	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x900, %eax		/* LME, NXE */
	wrmsr
	popl	%edi
	popl	%esi
	popl	%edx
	lgdt	boot_gdtr
	movl	%cr0, %eax
	andl	$~0x60000000, %eax	/* caches on: not CD, not NW */
	orl	$0x80010001, %eax	/* PG, WP, PE */
	movl	%eax, %cr0
	ljmp	$8, $in_long_mode

/* Long mode and no-execute, or an explanation. */
check_processor:
	pushfl				/* CPUID is there if bit 21 of the flags can be changed */
	popl	%eax
	movl	%eax, %ecx
	xorl	$0x200000, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	cmpl	%eax, %ecx
	movl	$no_long_mode, %esi
	je	refuse
	movl	$0x80000000, %eax
	cpuid
	movl	$no_long_mode, %esi
	cmpl	$0x80000001, %eax
	jb	refuse
	movl	$0x80000001, %eax
	cpuid
	testl	$1 << 29, %edx
	jz	refuse
	movl	$no_nx, %esi
	testl	$1 << 20, %edx
	jz	refuse
	ret

/* Say %esi on the serial port, if there is one, and on the VGA text screen; stop. */
refuse:	movl	$0xb8000, %edi
next:	movb	(%esi), %bl
	testb	%bl, %bl
	jz	stop
	movb	%bl, (%edi)
	movb	$0x4f, 1(%edi)		/* white on red */
	addl	$2, %edi
	movw	$0x3fd, %dx		/* line status of COM1; bit 5: room for a byte */
	movl	$100000, %ecx		/* a byte takes 87 us at 115200 baud */
1:	inb	%dx, %al
	testb	$0x20, %al
	jnz	2f
	loop	1b
2:	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	incl	%esi
	jmp	next
stop:	movl	$0x11, %eax		/* QEMU's debug exit, status 35 */
	outl	%eax, $0xf4
1:	hlt
	jmp	1b

/*
 * The first page tables.  The image at KERNEL_BASE with the rights of linker.ld,
 * .boot at its physical address, and the first 4 GiB in the direct map, where the
 * loader's information is, without a writable alias of the image.
 */
build_tables:
	movl	$PHYS(identity_pdpt) + PRESENT, PHYS(boot_pml4)
	movl	$PHYS(identity_pd) + PRESENT, PHYS(identity_pdpt)
	movl	$PHYS(identity_pt) + PRESENT, PHYS(identity_pd)
	movl	$PHYS(boot_direct_pdpt) + PRESENT + WRITE, PHYS(boot_pml4) + 256 * 8
	movl	$PHYS(image_pdpt) + PRESENT + WRITE, PHYS(boot_pml4) + 511 * 8
	movl	$PHYS(image_pd) + PRESENT + WRITE, PHYS(image_pdpt) + 510 * 8

	movl	$PAGE_4K, %ebx
	xorl	%edx, %edx
	movl	$PHYS(boot_direct_pd) + PRESENT + WRITE, %eax
	movl	$PHYS(boot_direct_pdpt), %edi
	movl	$4, %ecx
	call	fill
	movl	$PHYS(image_pt) + PRESENT + WRITE, %eax
	movl	$PHYS(image_pd), %edi
	movl	$4, %ecx
	call	fill

	.macro	map table, start, end, bits
	movl	$(\start) + PRESENT + (\bits), %eax
	movl	$(\start), %edi
	shrl	$9, %edi		/* 8 bytes an entry */
	addl	$PHYS(\table), %edi
	movl	$(\end), %ecx
	subl	$(\start), %ecx
	shrl	$12, %ecx
	call	fill
	.endm
	map	identity_pt, boot_start, boot_end, 0
	map	image_pt, PHYS(text_start), PHYS(text_end), 0
	movl	$NX_HIGH, %edx
	map	image_pt, PHYS(rodata_start), PHYS(rodata_end), 0
	map	image_pt, PHYS(data_start), PHYS(kernel_end), WRITE

	movl	$PAGE_2M, %ebx
	movl	$PRESENT + LARGE, %eax	/* the 8 MiB that hold the image: read-only */
	movl	$PHYS(boot_direct_pd), %edi
	movl	$4, %ecx
	call	fill
	orl	$WRITE, %eax
	movl	$4 * 512 - 4, %ecx
	jmp	fill

/* Write %ecx entries at %edi: %edx:%eax, and %ebx more each time; %eax, %edi advance. */
fill:	jecxz	2f
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	%ebx, %eax
	addl	$8, %edi
	loop	1b
2:	ret

	.balign 8
	.globl	boot_gdt
boot_gdt:				/* accessed bits set: the processor need not write here */
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf9b000000ffff	/* 32-bit code and data, for ap_entry.S */
	.quad	0x00cf93000000ffff
boot_gdtr:
	.word	. - boot_gdt - 1
	.long	boot_gdt

no_long_mode:
	.asciz	"Labyrinth needs a 64-bit processor (x86-64); this one is not.\r\n"
no_nx:	.asciz	"Labyrinth needs no-execute pages; switch on NX (XD) in the firmware setup.\r\n"

/* --- 64 bits --- */

	.code64
in_long_mode:				/* still at the physical address */
	movabsq	$in_upper_half, %rax
	jmp	*%rax

	.text
in_upper_half:
	movl	%edi, %edi		/* the upper halves are undefined so far */
	movl	%esi, %esi
	movl	%edx, %edx
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	$MAIN_STACK_TOP, %rsp
	pushq	$2			/* all flags clear; bit 1 is always set */
	popfq
	xorl	%ebp, %ebp		/* the end of every backtrace */
	movq	%rax, boot_pml4(%rip)	/* .boot is not needed any more */
	movq	%cr3, %rax
	movq	%rax, %cr3
	call	kernel_main
1:	cli
	hlt
	jmp	1b

/* --- the tables --- */

	.bss
	.globl	boot_pml4, identity_pdpt, image_pt
	.balign 4096
boot_pml4:		TABLE(1)
identity_pdpt:		TABLE(1)
identity_pd:		TABLE(1)
identity_pt:		TABLE(1)
boot_direct_pdpt:	TABLE(1)
boot_direct_pd:		TABLE(4)
image_pdpt:		TABLE(1)
image_pd:		TABLE(1)
image_pt:		TABLE(4)

	.section .note.GNU-stack, "", @progbits
