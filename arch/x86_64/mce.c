/* SPDX-License-Identifier: MIT */
/*
 * Taking machine checks (Intel SDM vol. 3, 16.3 and 16.10).
 *
 * What damaged memory means for its holder is mm/'s to say (labyrinth/damage.h); what mm/
 * cannot reach from here, because it lies in other CPUs' caches, is looked for again in an
 * interrupt of our own that follows.
 */
#include <port/mce.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/trap.h>
#include <boot/layout.h>
#include <labyrinth/damage.h>
#include <labyrinth/irq.h>
#include <labyrinth/page.h>
#include <labyrinth/print.h>
#include <labyrinth/smp.h>
#include <port/apic.h>
#include <port/features.h>
#include <port/io.h>

#define CR4_MCE		0x40u

#define MCG_CAP		0x179u		/* 16.3.1 */
#define MCG_STATUS	0x17au
#define MCG_CTL		0x17bu
#define CAP_BANKS	0xffu
#define CAP_CTL		0x100u
#define CAP_RECOVERY	0x1000000u	/* MCG_SER_P */
#define STATUS_RIPV	0x1u		/* the interrupted code can go on */

/* Four registers a bank (16.3.2). */
#define BANK_CTL(i)	(0x400u + 4 * (i))
#define BANK_STATUS(i)	(0x401u + 4 * (i))
#define BANK_ADDRESS(i)	(0x402u + 4 * (i))
#define BANK_MISC(i)	(0x403u + 4 * (i))

static char reason[74];		/* as trap_explain() wants it */

const char *mce_reason(void)
{
	return reason;
}

static struct mce_bank read_bank(unsigned i)
{
	struct mce_bank b = { .status = rdmsr(BANK_STATUS(i)) };

	if (b.status & MCE_VALID && b.status & MCE_HAS_ADDRESS)
		b.address = rdmsr(BANK_ADDRESS(i));
	if (b.status & MCE_VALID && b.status & MCE_HAS_MISC)
		b.misc = rdmsr(BANK_MISC(i));
	return b;
}

static bool stop(const struct mce_bank *b, const char *why)
{
	if (b->status & MCE_HAS_ADDRESS)
		ksnprintf(reason, sizeof(reason), "%s error at 0x%lx: %s", mce_kind(b->status),
			  b->address, why);
	else
		ksnprintf(reason, sizeof(reason), "%s error: %s", mce_kind(b->status), why);
	return false;
}

/* Return: can it be lived with? */
static bool damaged_page(const struct mce_bank *b, frame_t f)
{
	struct page_info info;
	enum damage d = page_damaged(f);

	page_query(f, &info);
	switch (d) {
	case DAMAGE_RESERVED:
		return stop(b, "it is reserved or the kernel's");
	case DAMAGE_TOO_MANY:
		return stop(b, "too many others are in use");
	case DAMAGE_WAITING:
		apic_send(0, APIC_FIXED | APIC_TO_SELF | IRQ_DAMAGE);
		break;
	default:
		break;
	}
	kprintf("machine check: %s error at 0x%lx: the page is %s%s%s\n", mce_kind(b->status),
		frame_to_phys(f).v, damage_name(d), d == DAMAGE_HELD ? " by " : "",
		d == DAMAGE_HELD ? owner_name(info.owner) : "");
	return true;
}

static bool damaged_memory(const struct mce_bank *b)
{
	uint64_t start = 0, size = mce_memory(b, &start);

	if (size > (uint64_t)DAMAGED_MAX << PAGE_SHIFT)
		return stop(b, "too much to be put aside");
	for (uint64_t at = start; at < start + size; at += PAGE_SIZE)
		if (!damaged_page(b, phys_to_frame((phys_t){ at })))
			return false;
	return true;
}

/* Return: can it be lived with? */
static bool handle_bank(const struct mce_bank *b, bool recovery, bool can_go_on)
{
	const char *why = "";

	switch (mce_judge(b, recovery, &why)) {
	case MCE_NOTHING:
		return true;
	case MCE_STOP:
		return stop(b, why);
	default:
		return can_go_on ? damaged_memory(b)
				 : stop(b, "its code cannot go on");
	}
}

/*
 * A bank that several CPUs share may be read by each of them before one has cleared it:
 * a page that was reported already is no news (page_damaged()).
 */
static bool on_machine_check(struct trap_frame *f)
{
	uint64_t cap = rdmsr(MCG_CAP);
	bool can_go_on = rdmsr(MCG_STATUS) & STATUS_RIPV, ok = can_go_on;

	(void)f;
	reason[0] = '\0';
	for (unsigned i = 0; i < (cap & CAP_BANKS); i++) {
		struct mce_bank b = read_bank(i);

		if (!(b.status & MCE_VALID))
			continue;
		ok = handle_bank(&b, cap & CAP_RECOVERY, can_go_on) && ok;
		wrmsr(BANK_STATUS(i), 0);
	}
	wrmsr(MCG_STATUS, 0);
	return ok;
}

static void drain(void *arg)
{
	(void)arg;
	page_drain();
}

/* Every cache gives back what it has; then a page that waited is in the tree, or held. */
static void look_again(struct trap_frame *f)
{
	(void)f;
	page_drain();
	cpu_call_others(drain, NULL);
	page_damaged_retry();
}

/* Bank 0 of early ones is the firmware's (16.3.2.1). */
static bool is_ours(unsigned bank)
{
	uint32_t r[4];
	unsigned family, model;

	cpuid(1, 0, r);
	family = r[0] >> 8 & 0xf;
	model = (r[0] >> 4 & 0xf) | (r[0] >> 12 & 0xf0);
	return bank > 0 || cpu_features.vendor[0] != 'G' || family != 6 || model >= 0x1a;
}

/* What stands there is from before the reset; the firmware may have left it for us to see. */
static void clear_bank(unsigned i)
{
	struct mce_bank b = read_bank(i);

	if (b.status & MCE_VALID && cpu_number() == 0)
		kprintf("machine check before the reset: %s error, status 0x%lx, address 0x%lx\n",
			mce_kind(b.status), b.status, b.address);
	wrmsr(BANK_STATUS(i), 0);
}

void mce_init_cpu(void)
{
	uint64_t cap;

	if (!cpu_features.mce)
		return;
	cap = cpu_features.mca ? rdmsr(MCG_CAP) : 0;
	if (cap & CAP_CTL)
		wrmsr(MCG_CTL, UINT64_MAX);
	for (unsigned i = 0; i < (cap & CAP_BANKS); i++) {
		if (is_ours(i))
			wrmsr(BANK_CTL(i), UINT64_MAX);
		clear_bank(i);
	}
	write_cr4(read_cr4() | CR4_MCE);
}

void mce_init(void)
{
	/* Without the registers that tell what happened every one is the end. */
	if (cpu_features.mca)
		trap_set_handler(TRAP_MACHINE_CHECK, on_machine_check);
	irq_set_handler(IRQ_DAMAGE, look_again);
	mce_init_cpu();
}
