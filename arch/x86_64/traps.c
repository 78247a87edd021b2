/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: segments, task state and interrupt table (Intel SDM vol. 3,
 * chapters 3, 6 and 7), and what happens when one arrives.
 */
#include <arch/trap.h>
#include <arch/init.h>

#include <boot/layout.h>
#include <port/percpu.h>
#include <port/stack.h>

/* Task state: where the stacks are.  SDM vol. 3, figure 7-11. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];		/* ist[0] is number 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "the processor knows this layout");

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "the processor knows this layout");

struct table_register {
	uint16_t limit;
	const void *base;
} __attribute__((packed));

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, TASK_STATE = 0x18 };

#define PRESENT_INTERRUPT_GATE 0x8e

static SEALED struct tss tss;
static SEALED struct gate idt[TRAP_COUNT];

/* Accessed bits set beforehand, so that the processor need not write to this page. */
static SEALED uint64_t gdt[] = {
	0,
	0x00af9b000000ffff,		/* code, 64-bit, ring 0 */
	0x00cf93000000ffff,		/* data */
	0, 0,				/* task state */
};

static struct percpu first_cpu = { .self = &first_cpu, .number = 0 };
struct percpu *percpu_areas[CPUS_MAX] = { &first_cpu };

static trap_handler_t handlers[TRAP_COUNT];

extern const char trap_stubs[TRAP_COUNT][16];

static uint8_t ist_of(unsigned vector)
{
	switch (vector) {
	case TRAP_NMI:           return STACK_NMI;
	case TRAP_DOUBLE_FAULT:  return STACK_DOUBLE_FAULT;
	case TRAP_MACHINE_CHECK: return STACK_MACHINE_CHECK;
	case TRAP_DEBUG:         return STACK_DEBUG;
	default:                 return 0;	/* the stack in use */
	}
}

static void fill_tss(void)
{
	uint64_t base = (uint64_t)&tss;

	for (unsigned id = STACK_MAIN + 1; id < STACK_COUNT; id++)
		tss.ist[id - 1] = (uint64_t)(&kernel_stacks[id] + 1);
	tss.io_map = sizeof(tss);
	/* available 64-bit TSS; SDM vol. 3, figure 7-4 */
	gdt[3] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | (uint64_t)0x89 << 40 |
		 (base >> 24 & 0xff) << 56;
	gdt[4] = base >> 32;
}

static void fill_idt(void)
{
	for (unsigned v = 0; v < TRAP_COUNT; v++) {
		uint64_t stub = (uint64_t)trap_stubs[v];

		idt[v] = (struct gate){
			.offset_low = (uint16_t)stub,
			.offset_mid = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
			.selector = KERNEL_CODE,
			.ist = ist_of(v),
			.type = PRESENT_INTERRUPT_GATE,
		};
	}
}

static void load_segments(void)
{
	struct table_register r = { sizeof(gdt) - 1, gdt };

	__asm__ volatile(
		"lgdt %0\n\t"
		"pushq %1\n\t"			/* a far return is the way to load cs */
		"leaq 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n"
		"1:\tmovl %2, %%eax\n\t"
		"movl %%eax, %%ss\n\t"
		"movl %%eax, %%ds\n\t"
		"movl %%eax, %%es\n\t"
		"ltr %w3"
		: : "m"(r), "i"(KERNEL_CODE), "i"(KERNEL_DATA), "r"(TASK_STATE) : "rax", "memory");
}

void traps_init(void)
{
	struct table_register r = { sizeof(idt) - 1, idt };

	percpu_install(&first_cpu);
	fill_tss();
	load_segments();
	fill_idt();
	__asm__ volatile("lidt %0" : : "m"(r));
}

trap_handler_t trap_set_handler(unsigned vector, trap_handler_t handler)
{
	return __atomic_exchange_n(&handlers[vector % TRAP_COUNT], handler, __ATOMIC_ACQ_REL);
}

void exception(struct trap_frame *f);

/* Called by trap_entry.S; what it changes in @f the interrupted code will find. */
void exception(struct trap_frame *f)
{
	trap_handler_t h = __atomic_load_n(&handlers[f->vector % TRAP_COUNT], __ATOMIC_ACQUIRE);

	if (!h || !h(f))
		trap_panic(f);
}

const char *trap_name(unsigned vector)
{
	static const char *const names[TRAP_COUNT] = {
		[0] = "division error",
		[1] = "debug exception",
		[2] = "non-maskable interrupt",
		[3] = "breakpoint",
		[4] = "overflow",
		[5] = "bound range exceeded",
		[6] = "invalid instruction",
		[7] = "device not available",
		[8] = "double fault",
		[9] = "coprocessor segment overrun",
		[10] = "invalid task state segment",
		[11] = "segment not present",
		[12] = "stack segment fault",
		[13] = "general protection fault",
		[14] = "page fault",
		[16] = "floating-point error",
		[17] = "alignment check",
		[18] = "machine check",
		[19] = "SIMD floating-point error",
		[20] = "virtualization exception",
		[21] = "control protection exception",
		[28] = "hypervisor injection exception",
		[29] = "VMM communication exception",
		[30] = "security exception",
	};

	return vector < TRAP_COUNT && names[vector] ? names[vector] : "unknown";
}
