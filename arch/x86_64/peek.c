/* SPDX-License-Identifier: MIT */
/* Reading a word that may not be there: the page tables are asked first. */
#include <arch/unwind.h>

#include <arch/directmap.h>
#include <arch/kstack.h>
#include <arch/pagetable.h>
#include <boot/layout.h>
#include <port/cpu_area.h>

bool peek(uintptr_t addr, uintptr_t *value)
{
	struct mapping there;

	if (addr % sizeof(*value))	/* so that it lies in one page */
		return false;
	if (addr < KERNEL_BASE && !directmap_contains((const void *)addr) &&
	    !cpu_area_contains(addr) && !kstack_contains(addr))
		return false;
	if (!pagetable_lookup((const void *)addr, &there))
		return false;
	*value = *(const volatile uintptr_t *)addr;
	return true;
}
