/* SPDX-License-Identifier: MIT */
/* What a CPU does that has nothing to do. */
#include <port/idle.h>

_Noreturn void cpu_idle(void)
{
	for (;;)
		__asm__ volatile("hlt");
}
