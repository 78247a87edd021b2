/* SPDX-License-Identifier: MIT */
/* How the machine ends: debug exit, power off, reset, halt. */
#include <arch/console.h>
#include <arch/machine.h>

#include <arch/cpu.h>
#include <labyrinth/acpi.h>
#include <port/io.h>

#define DEBUG_EXIT	0xf4	/* QEMU's isa-debug-exit; its status is value * 2 + 1 */
#define KBD_STATUS	0x64
#define KBD_COMMAND	0x64
#define KBD_BUSY	0x02
#define KBD_RESET	0xfe	/* pulse the reset line (IBM PC AT technical reference) */
#define RESET_CONTROL	0xcf9	/* Intel ICH data sheets, reset control register */

_Noreturn void machine_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void machine_exit(bool ok)
{
	outl(DEBUG_EXIT, ok ? 0x10 : 0x11);
	if (ok)				/* else the report must stay on the screen */
		acpi_poweroff();
	machine_halt();
}

/* An absent controller reads as all ones: busy, so the wait is bounded. */
static void keyboard_reset(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		if (!(inb(KBD_STATUS) & KBD_BUSY)) {
			outb(KBD_COMMAND, KBD_RESET);
			break;
		}
		cpu_relax();
	}
}

/* The reset needs a moment to arrive; port 0x80 reads take about 1 us each. */
static void give_it_a_moment(void)
{
	for (unsigned i = 0; i < 50000; i++)
		(void)inb(0x80);
}

_Noreturn void machine_reboot(void)
{
	static const struct { uint16_t limit; uint64_t base; } __attribute__((packed)) no_idt;

	acpi_reset();
	keyboard_reset();
	give_it_a_moment();
	outb(RESET_CONTROL, 0x02);	/* a full reset ... */
	outb(RESET_CONTROL, 0x06);	/* ... now */
	give_it_a_moment();
	/* with no IDT any exception is a triple fault, which resets the processor */
	__asm__ volatile("cli; lidt %0; ud2" : : "m"(no_idt));
	machine_halt();
}
