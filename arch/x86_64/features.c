/* SPDX-License-Identifier: MIT */
/* Asking the processor what it can do, once; leaves and bits: Intel SDM vol. 2, CPUID. */
#include <port/features.h>

#include <arch/init.h>
#include <boot/layout.h>
#include <labyrinth/string.h>
#include <port/io.h>

enum { EAX, EBX, ECX, EDX };

SEALED struct cpu_features cpu_features;

static bool bit(uint32_t word, unsigned n)
{
	return word >> n & 1;
}

static void basic(struct cpu_features *f)
{
	uint32_t max, r[4];

	cpuid(0, 0, r);
	max = r[EAX];
	memcpy(f->vendor + 0, &r[EBX], 4);
	memcpy(f->vendor + 4, &r[EDX], 4);
	memcpy(f->vendor + 8, &r[ECX], 4);
	cpuid(1, 0, r);
	f->mce = bit(r[EDX], 7);
	f->apic = bit(r[EDX], 9);
	f->mca = bit(r[EDX], 14);
	f->x2apic = bit(r[ECX], 21);
	f->tsc_deadline = bit(r[ECX], 24);
	f->hypervisor = bit(r[ECX], 31);
	if (max < 7)
		return;
	cpuid(7, 0, r);
	f->smep = bit(r[EBX], 7);
	f->smap = bit(r[EBX], 20);
	f->umip = bit(r[ECX], 2);
}

static void extended(struct cpu_features *f)
{
	uint32_t max, r[4];

	cpuid(0x80000000, 0, r);
	max = r[EAX];
	cpuid(0x80000001, 0, r);	/* there: the entry has looked for long mode in it */
	f->gib_pages = bit(r[EDX], 26);
	for (uint32_t i = 0; max >= 0x80000004 && i < 3; i++) {
		cpuid(0x80000002 + i, 0, r);
		memcpy(f->brand + i * 16, r, 16);
	}
	if (max >= 0x80000007) {
		cpuid(0x80000007, 0, r);
		f->invariant_tsc = bit(r[EDX], 8);
	}
	f->phys_bits = 36;		/* what a processor without the leaf has */
	if (max >= 0x80000008) {
		cpuid(0x80000008, 0, r);
		f->phys_bits = (uint8_t)r[EAX];
	}
}

void features_init(void)
{
	basic(&cpu_features);
	extended(&cpu_features);
}
