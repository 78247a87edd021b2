/* SPDX-License-Identifier: MIT */
/* Interrupts arrive, nest, are counted, and leave everything as it was. */
#define SUITE "irq"
#include <tests/test.h>

#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/trap.h>
#include <labyrinth/irq.h>
#include <labyrinth/page.h>
#include <labyrinth/string.h>
#include <port/apic.h>
#include <port/segments.h>

#define A (IRQ_TEST + 0)
#define B (IRQ_TEST + 1)
#define NOBODYS (IRQ_TEST + 15)

/* Long enough for a machine whose emulator stands still for seconds. */
#define PATIENCE 200000000u

static struct {
	unsigned times, irq_depth, nmi_depth;
	bool masked, in_interrupt, in_nmi, on_irq_stack;
	struct trap_frame frame;
} seen;

static bool on_irq_stack(const void *p)
{
	const uint8_t *top = percpu()->irq_stack;

	return (const uint8_t *)p < top && (const uint8_t *)p >= top - STACK_SIZE;
}

static void note(struct trap_frame *f)
{
	seen.times++;
	seen.irq_depth = percpu()->irq_depth;
	seen.nmi_depth = percpu()->nmi_depth;
	seen.masked = !irq_enabled();
	seen.in_interrupt = in_interrupt();
	seen.in_nmi = in_nmi();
	seen.on_irq_stack = on_irq_stack(__builtin_frame_address(0));
	seen.frame = *f;
}

/* Which CPU it is does not change meanwhile: preemption is forbidden. */
#define WITH_HANDLER(vector, handler, body)                                   \
	do {                                                                  \
		irq_handler_t old_ = irq_set_handler(vector, handler);        \
		memset(&seen, 0, sizeof(seen));                               \
		percpu()->preempt_count++;                                    \
		body;                                                         \
		percpu()->preempt_count--;                                    \
		irq_set_handler(vector, old_);                                \
	} while (0)

#define INT(vector) __asm__ volatile("int %0" : : "i"(vector) : "memory")

static bool no_apic(void)
{
	if (apic_present())
		return false;
	test_skip("this machine has no local APIC");
	return true;
}

static void wait_for(const unsigned *times, unsigned n)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(times, __ATOMIC_RELAXED) >= n)
			return;
		cpu_relax();
	}
	test_fail(__FILE__, __LINE__, "the interrupt did not come");
}

TEST(a_handler_runs_masked_on_its_own_stack)
{
	WITH_HANDLER(A, note, INT(A));
	EXPECT_EQ(seen.times, 1);
	EXPECT(seen.masked && seen.in_interrupt && !seen.in_nmi && seen.on_irq_stack);
	EXPECT_EQ(seen.irq_depth, 1);
	EXPECT_EQ(seen.nmi_depth, 0);
	EXPECT_EQ(seen.frame.vector, A);
	EXPECT_EQ(seen.frame.error, 0);
	EXPECT(!on_irq_stack((void *)seen.frame.rsp));
	EXPECT(!in_interrupt());
}

TEST(registers_are_seen_and_kept)
{
	uint64_t a = 0xa, b = 0xb, c = 0xc, d = 0xd, s = 0x51, flags = 0;

	WITH_HANDLER(A, note, __asm__ volatile(
			 "movq $0xd1, %%rdi\n\t"
			 "movq $0x8, %%r8\n\t"
			 "movq $0x15, %%r15\n\t"
			 "stc\n\t"
			 "int %6\n\t"
			 "pushfq\n\t"
			 "popq %5\n\t"
			 "addq %%r8, %%r15\n\t"
			 "addq %%rdi, %%r15\n\t"
			 "addq %%r15, %0"
			 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(s), "=r"(flags)
			 : "i"(A) : "rdi", "r8", "r15", "memory", "cc"));
	EXPECT_EQ(seen.frame.rax, 0xa);
	EXPECT_EQ(seen.frame.rbx, 0xb);
	EXPECT_EQ(seen.frame.rcx, 0xc);
	EXPECT_EQ(seen.frame.rdx, 0xd);
	EXPECT_EQ(seen.frame.rsi, 0x51);
	EXPECT_EQ(seen.frame.rdi, 0xd1);
	EXPECT_EQ(seen.frame.r8, 0x8);
	EXPECT_EQ(seen.frame.r15, 0x15);
	EXPECT_EQ(a, 0xa + 0x8 + 0xd1 + 0x15);
	EXPECT_EQ(b, 0xb);
	EXPECT_EQ(c, 0xc);
	EXPECT_EQ(d, 0xd);
	EXPECT_EQ(s, 0x51);
	EXPECT(flags & 1);
}

/* The first, the last, and the one where a vector no longer fits a signed byte. */
TEST(vectors_reach_their_handlers)
{
	WITH_HANDLER(NOBODYS, note, INT(NOBODYS); EXPECT_EQ(seen.frame.vector, NOBODYS));
	WITH_HANDLER(127, note, INT(127); EXPECT_EQ(seen.frame.vector, 127));
	WITH_HANDLER(128, note, INT(128); EXPECT_EQ(seen.frame.vector, 128));
	WITH_HANDLER(32, note, INT(32); EXPECT_EQ(seen.frame.vector, 32));
	WITH_HANDLER(253, note, INT(253); EXPECT_EQ(seen.frame.vector, 253));
}

TEST(each_is_counted)
{
	uint64_t a = irq_count(cpu_number(), A), b = irq_count(cpu_number(), B);

	WITH_HANDLER(A, note, INT(A); INT(A));
	EXPECT_EQ(irq_count(cpu_number(), A), a + 2);
	EXPECT_EQ(irq_count(cpu_number(), B), b);
	EXPECT_EQ(irq_count(CPUS_MAX - 1, A), 0);
	EXPECT_EQ(irq_count(CPUS_MAX, A), 0);
	EXPECT_EQ(irq_count(0, IRQ_VECTOR_COUNT), 0);
}

TEST(a_vector_of_nobodys_is_counted_and_survived)
{
	uint64_t before = irq_unexpected();

	INT(NOBODYS);
	INT(NOBODYS);
	EXPECT_EQ(irq_unexpected(), before + 2);
}

TEST(a_spurious_one_has_no_handler)
{
	uint64_t before = irq_unexpected(), count = irq_count(cpu_number(), IRQ_SPURIOUS);

	WITH_HANDLER(IRQ_SPURIOUS, note, INT(IRQ_SPURIOUS));
	EXPECT_EQ(seen.times, 0);
	EXPECT_EQ(irq_unexpected(), before);
	EXPECT_EQ(irq_count(cpu_number(), IRQ_SPURIOUS), count + 1);
}

static unsigned outer_after;

static void nest(struct trap_frame *f)
{
	(void)f;
	INT(B);
	outer_after = percpu()->irq_depth;
}

TEST(nested_ones_share_the_stack)
{
	irq_handler_t old = irq_set_handler(B, note);

	WITH_HANDLER(A, nest, INT(A));
	irq_set_handler(B, old);
	EXPECT_EQ(seen.times, 1);
	EXPECT_EQ(seen.irq_depth, 2);
	EXPECT(seen.on_irq_stack && on_irq_stack(&((uint64_t *)seen.frame.rsp)[-1]));
	EXPECT_EQ(outer_after, 1);
	EXPECT_EQ(percpu()->irq_depth, 0);
}

static struct { bool in_nmi, in_interrupt; unsigned depth; } nmi;

static bool interrupt_the_nmi(struct trap_frame *f)
{
	(void)f;
	nmi.in_nmi = in_nmi();
	nmi.in_interrupt = in_interrupt();
	nmi.depth = percpu()->nmi_depth;
	INT(A);
	return true;
}

TEST(an_nmi_is_told_from_an_interrupt)
{
	trap_handler_t old = trap_set_handler(TRAP_NMI, interrupt_the_nmi);

	WITH_HANDLER(A, note, INT(TRAP_NMI));
	trap_set_handler(TRAP_NMI, old);
	EXPECT(nmi.in_nmi && nmi.in_interrupt);
	EXPECT_EQ(nmi.depth, 1);
	EXPECT(seen.times == 1 && seen.in_nmi && seen.on_irq_stack);
	EXPECT_EQ(seen.irq_depth, 1);
	EXPECT_EQ(seen.nmi_depth, 1);
	EXPECT(!in_nmi() && !in_interrupt());
	EXPECT_EQ(percpu()->nmi_depth, 0);
}

TEST(masking_is_saved_and_restored)
{
	uint64_t outer = irq_save();

	EXPECT(!irq_enabled() && in_atomic());
	uint64_t inner = irq_save();
	irq_restore(inner);
	EXPECT(!irq_enabled());
	irq_enable();
	inner = irq_save();
	EXPECT(!irq_enabled());
	irq_restore(inner);
	EXPECT(irq_enabled());
	irq_disable();
	irq_restore(outer);
}

TEST(an_interrupt_to_oneself_waits_while_masked)
{
	if (no_apic())
		return;
	WITH_HANDLER(A, note, {
		uint64_t flags = irq_save();

		EXPECT(apic_send(0, APIC_FIXED | APIC_TO_SELF | A));
		for (unsigned i = 0; i < 1000; i++)
			cpu_relax();
		EXPECT_EQ(seen.times, 0);
		irq_enable();
		wait_for(&seen.times, 1);
		irq_restore(flags);
	});
	EXPECT_EQ(seen.times, 1);
	EXPECT(seen.masked && seen.on_irq_stack);
}

TEST(an_interrupt_by_ones_number)
{
	uint64_t flags = irq_save();

	if (no_apic()) {
		irq_restore(flags);
		return;
	}
	WITH_HANDLER(A, note, {
		irq_enable();
		for (unsigned i = 1; i <= 100; i++) {
			EXPECT(apic_send(apic_id(), APIC_FIXED | A));
			wait_for(&seen.times, i);
		}
		irq_disable();
	});
	irq_restore(flags);
	EXPECT_EQ(seen.times, 100);
	EXPECT_EQ(apic_errors(), 0);
}

/* An NMI between the two writes of a command: what it sends itself must not divert it. */
static bool send_from_nmi(struct trap_frame *f)
{
	(void)f;
	nmi.in_nmi = apic_send(0x5a, APIC_FIXED | APIC_TO_SELF | B);
	return true;
}

TEST(an_nmi_that_sends_leaves_the_destination_alone)
{
	trap_handler_t old;
	uint64_t flags = irq_save();

	if (no_apic() || apic_is_x2()) {
		irq_restore(flags);
		return;
	}
	irq_handler_t b = irq_set_handler(B, note);
	old = trap_set_handler(TRAP_NMI, send_from_nmi);
	WITH_HANDLER(A, note, {
		apic_write(0x310, apic_id() << 24);
		INT(TRAP_NMI);
		EXPECT_EQ(apic_read(0x310), apic_id() << 24);
		irq_enable();
		wait_for(&seen.times, 1);
		irq_disable();
	});
	trap_set_handler(TRAP_NMI, old);
	irq_set_handler(B, b);
	irq_restore(flags);
	EXPECT(nmi.in_nmi);
}

static struct { uint64_t at, stack; unsigned times; bool on_it; } fault;

static bool note_and_leave(struct trap_frame *f)
{
	fault.times++;
	fault.on_it = on_irq_stack((void *)(f->rsp + 8));
	f->rip = fault.at;
	f->rsp = fault.stack;
	return true;
}

/* Push below the last word of the stack; its guard page faults, which needs a stack: doubly. */
static void overflow(struct trap_frame *f)
{
	uint64_t bottom = (uint64_t)percpu()->irq_stack - STACK_SIZE;

	(void)f;
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, %0\n\t"
			 "movq %%rsp, %1\n\t"
			 "movq %2, %%rsp\n\t"
			 "pushq $0\n"
			 "1:" : "=m"(fault.at), "=m"(fault.stack)
			 : "r"(bottom) : "rax", "memory");
}

TEST(its_stack_has_a_guard_page)
{
	trap_handler_t old = trap_set_handler(TRAP_DOUBLE_FAULT, note_and_leave);

	memset(&fault, 0, sizeof(fault));
	WITH_HANDLER(A, overflow, INT(A));
	trap_set_handler(TRAP_DOUBLE_FAULT, old);
	EXPECT_EQ(fault.times, 1);
	EXPECT(fault.on_it);
	EXPECT_EQ(percpu()->irq_depth, 0);
	EXPECT_EQ(percpu()->nmi_depth, 0);
}
