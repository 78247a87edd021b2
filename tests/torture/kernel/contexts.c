/* SPDX-License-Identifier: MIT */
/*
 * The contexts that strike in the middle of others: interrupts sent by another CPU,
 * debug exceptions some instructions later, NMIs. Each does a deed or two of its own, and
 * now and then stands still where it is, until others have gone on (I10).
 */
#include "run.h"

#include <arch/cpu.h>
#include <arch/trap.h>
#include <labyrinth/irq.h>
#include <port/apic.h>
#include <port/cpu_call.h>

#define STRIKE       IRQ_TEST	/* the vector of our interrupts */
#define TRAP_FLAG    0x100u	/* RFLAGS.TF, Intel SDM vol. 3, section 2.3 */
#define STEPS_MAX    400u	/* to the next debug exception that acts */
#define STILL_FOR    20000u	/* turns of a loop, at most */
#define AHEAD_BY     20u	/* deeds of somebody else that are enough */

struct torture_run run;

static struct victim *here(void)
{
	unsigned cpu = cpu_number();

	return cpu < run.cpus ? &run.victim[cpu] : NULL;
}

static uint64_t deeds_elsewhere(unsigned cpu)
{
	unsigned other = (cpu + 1) % run.threads;

	return atomic_load_explicit(&run.all[other]->deeds, memory_order_relaxed);
}

/* Stand still, whatever is half done below, and see whether the others go on without us. */
static void freeze(struct victim *v)
{
	unsigned cpu = cpu_number();
	uint64_t before = deeds_elsewhere(cpu);

	atomic_fetch_add(&v->freezes, 1);
	for (unsigned i = 0; i < STILL_FOR && !atomic_load(&torture.closed); i++) {
		cpu_relax();
		if (deeds_elsewhere(cpu) >= before + AHEAD_BY) {
			atomic_fetch_add(&v->overtaken, 1);
			return;
		}
	}
}

static void act(struct victim *v, enum context c)
{
	struct traveller *t = v->in[c];
	uint64_t deeds = 1 + dice(t, 3);

	atomic_fetch_add(&v->times[c], 1);
	while (deeds-- > 0 && traveller_step(t))
		continue;
	if (run.cpus > 1 && dice(t, 32) == 0)
		freeze(v);
}

/* From here on every instruction of the interrupted code counts down to a strike. */
static void arm(struct victim *v, struct traveller *t, struct trap_frame *f)
{
	if (atomic_load(&torture.closed) || dice(t, 2))
		return;
	v->steps = 1 + dice(t, STEPS_MAX);
	f->rflags |= TRAP_FLAG;
}

static void on_interrupt(struct trap_frame *f)
{
	struct victim *v = here();

	if (!v)
		return;
	act(v, CTX_INTERRUPT);
	arm(v, v->in[CTX_INTERRUPT], f);
}

/* A thread that moved brings its trap flag along: the countdown is whatever stands here. */
static bool on_debug(struct trap_frame *f)
{
	struct victim *v = here();

	if (v && v->steps > 1) {
		v->steps--;
		return true;
	}
	f->rflags &= ~(uint64_t)TRAP_FLAG;
	if (v)
		act(v, CTX_DEBUG);
	return true;
}

static bool on_nmi(struct trap_frame *f)
{
	struct victim *v = here();

	(void)f;
	if (v)
		act(v, CTX_NMI);
	return true;
}

static trap_handler_t old_nmi;

void contexts_open(void)
{
	trap_set_handler(TRAP_DEBUG, on_debug);
	old_nmi = trap_set_handler(TRAP_NMI, on_nmi);
	irq_set_handler(STRIKE, on_interrupt);
}

/*
 * All are at rest.  The handler of debug exceptions stays: a thread that saved its flags while
 * it was being stepped brings the trap flag back when it restores them.
 */
void contexts_close(void)
{
	irq_set_handler(STRIKE, NULL);
	trap_set_handler(TRAP_NMI, old_nmi);
}

void strike(unsigned cpu, bool nmi)
{
	/* One that cannot be sent now is no loss. */
	apic_send(cpu_apic_id[cpu], nmi ? APIC_NMI : APIC_FIXED | STRIKE);
}
