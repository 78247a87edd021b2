/* SPDX-License-Identifier: MIT */
/* What this processor can do, as far as the kernel asks (Intel SDM vol. 2, CPUID). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpu_features {
	char vendor[13];
	char brand[49];			/* "" when the processor does not say */
	uint8_t phys_bits;		/* width of a physical address */
	bool gib_pages;
	bool smep, smap, umip;
	bool apic, x2apic, tsc_deadline;
	bool mce, mca;			/* machine checks, and registers that tell of them */
	bool invariant_tsc;		/* the TSC runs at one speed, always */
	bool hypervisor;
};

/* Filled by features_init(), read-only once sealed. */
extern struct cpu_features cpu_features;
