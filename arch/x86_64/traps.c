/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: the interrupt table (Intel SDM vol. 3, chapter 6), which all CPUs
 * share, and what happens when one arrives.
 */
#include <arch/trap.h>
#include <arch/init.h>
#include <arch/irq.h>
#include <arch/nmi.h>
#include <arch/stop.h>

#include <boot/layout.h>
#include <port/segments.h>

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "the processor knows this layout");

#define PRESENT_INTERRUPT_GATE 0x8e
#define IDT_ENTRIES 256u

static SEALED struct gate idt[IDT_ENTRIES];

static trap_handler_t handlers[TRAP_COUNT];

extern const char trap_stubs[TRAP_COUNT][16];			/* trap_entry.S */
extern const char irq_stubs[IDT_ENTRIES - TRAP_COUNT][16];	/* irq_entry.S */

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

static void fill_idt(void)
{
	for (unsigned v = 0; v < IDT_ENTRIES; v++) {
		uint64_t stub = (uint64_t)(v < TRAP_COUNT ? trap_stubs[v]
							  : irq_stubs[v - TRAP_COUNT]);

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

void traps_load(void)
{
	struct table_register r = { sizeof(idt) - 1, idt };

	__asm__ volatile("lidt %0" : : "m"(r));
}

void traps_init(void)
{
	percpu_init_first();
	fill_idt();
	traps_load();
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
	bool unmaskable = ist_of((unsigned)f->vector) != 0;

	if (unmaskable)
		context_enter_nmi();
	if (f->vector == TRAP_NMI)
		stop_on_nmi(f);
	if (!(f->vector == TRAP_NMI && nmi_dispatch(f)) && (!h || !h(f)))
		trap_panic(f);
	if (unmaskable)
		context_leave_nmi();
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

	if (vector >= TRAP_COUNT && vector < IDT_ENTRIES)
		return "hardware interrupt";
	return vector < TRAP_COUNT && names[vector] ? names[vector] : "unknown";
}
