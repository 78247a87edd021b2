/* SPDX-License-Identifier: MIT */
/* What a machine check means, as pure functions.  Sections: Intel SDM vol. 3. */
#include <port/mce.h>

#define PAGE_BITS	12u
#define MISC_LSB	0x3fu		/* the address is good from this bit up (figure 16-8) */
#define MISC_MODE(m)	((m) >> 6 & 7)
#define MODE_PHYSICAL	2u

enum mce_verdict mce_judge(const struct mce_bank *b, bool recovery, const char **why)
{
	uint64_t start, s = b->status;

	if (!(s & MCE_VALID))
		return MCE_NOTHING;
	if (s & MCE_CONTEXT)
		*why = "the processor's state is lost";
	else if (!(s & MCE_UNCORRECTED))
		return MCE_NOTHING;
	else if (!recovery)
		*why = "nobody knows how far it went";
	else if (s & MCE_OVERFLOW)
		*why = "another error was lost";
	else if (s & MCE_SIGNALED && s & MCE_ACTION)
		*why = "running code needed it";
	else if (mce_memory(b, &start) == 0)
		*why = "nobody knows where";
	else
		return MCE_MEMORY;
	return MCE_STOP;
}

uint64_t mce_memory(const struct mce_bank *b, uint64_t *start)
{
	unsigned lsb = b->misc & MISC_LSB;

	if (!(b->status & MCE_HAS_ADDRESS) || !(b->status & MCE_HAS_MISC) ||
	    MISC_MODE(b->misc) != MODE_PHYSICAL)
		return 0;
	if (lsb < PAGE_BITS)
		lsb = PAGE_BITS;
	*start = b->address >> lsb << lsb;
	return (uint64_t)1 << lsb;
}

/* Compound codes: 16.9.2; the first of the simple ones: 16.9.1. */
const char *mce_kind(uint64_t status)
{
	unsigned code = status & 0xffff & ~0x1000u;	/* bit 12: corrected errors are filtered */

	if ((code & 0xfff0) == 0x00c0)
		return "memory scrubbing";
	if ((code & 0xff80) == 0x0080) {
		switch (code >> 4 & 7) {
		case 1:  return "memory read";
		case 2:  return "memory write";
		case 3:  return "memory command";
		default: return "memory";
		}
	}
	if (code & 0x0800)
		return "bus";
	if (code & 0x0100)
		return "cache";
	if (code & 0x0010)
		return "translation";
	if ((code & 0xfffc) == 0x000c)
		return "cache";
	return "internal";
}
