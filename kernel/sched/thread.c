/* SPDX-License-Identifier: MIT */
/* A thread's life: created, run, ended, joined. */
#include "sched.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/kstack.h>
#include <labyrinth/gfp.h>
#include <labyrinth/mm_wait.h>
#include <labyrinth/panic.h>
#include <labyrinth/smp.h>
#include <labyrinth/string.h>

static struct { struct spinlock lock; struct list threads; uint64_t last; } all;

const char *thread_state_name(enum thread_state s)
{
	static const char *const names[THREAD_STATE_COUNT] = {
		[THREAD_READY] = "ready",
		[THREAD_RUNNING] = "running",
		[THREAD_BLOCKED] = "waits",
		[THREAD_DEAD] = "ended",
	};

	return s < THREAD_STATE_COUNT ? names[s] : "unknown";
}

struct thread *thread_current(void)                 { return switch_current(); }
const char *thread_name(const struct thread *t)     { return t->name; }
unsigned thread_priority(const struct thread *t)    { return t->priority; }

/* --- the list of all */

static void list_thread(struct thread *t)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	t->number = ++all.last;
	list_append(&all.threads, &t->all);
	spin_unlock_irqrestore(&all.lock, flags);
}

static void unlist_thread(struct thread *t)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);

	list_remove(&all.threads, &t->all);
	spin_unlock_irqrestore(&all.lock, flags);
}

static uint8_t *stack_base(const struct thread *t)
{
	return (uint8_t *)((uintptr_t)t & ~(uintptr_t)(KSTACK_SIZE - 1));
}

/* Stacks begin as zeroes; what is none has been used. */
static size_t stack_used(const struct thread *t)
{
	const uint64_t *low = (const uint64_t *)(const void *)stack_base(t);
	const uint64_t *top = t->stack_top;

	while (low < top && *(const volatile uint64_t *)low == 0)
		low++;
	return (size_t)(top - low) * sizeof(*low);
}

/* Without the locks of their CPUs: states and times are a look in passing. */
static void describe(const struct thread *t, struct thread_info *out)
{
	*out = (struct thread_info){
		.number = t->number, .state = t->state, .cpu = t->cpu, .priority = t->priority,
		.owner = t->owner, .ran_ns = t->ran_ns, .switches = t->switches,
	};
	memcpy(out->name, t->name, sizeof(out->name));
	if (t->state == THREAD_RUNNING)
		out->ran_ns += clock_ns() - t->since;
	if (!t->stack_top)
		return;
	out->stack_used = stack_used(t);
	out->stack_size = (size_t)((uint8_t *)t->stack_top - stack_base(t));
}

bool thread_list(uint64_t after, struct thread_info *out)
{
	uint64_t flags = spin_lock_irqsave(&all.lock);
	struct list_node *n = all.threads.first;

	while (n && LIST_ENTRY(n, struct thread, all)->number <= after)
		n = list_next(&all.threads, n);
	if (n)
		describe(LIST_ENTRY(n, struct thread, all), out);
	spin_unlock_irqrestore(&all.lock, flags);
	return n;
}

/* --- creation */

void thread_setup(struct thread *t, const char *name, unsigned priority, owner_t owner)
{
	for (size_t i = 0; name[i] && i < THREAD_NAME_MAX - 1; i++)
		t->name[i] = name[i];
	t->priority = priority;
	t->pinned = NOT_PINNED;
	t->owner = owner;
	t->patience = MM_PATIENCE;
	list_thread(t);
}

/* Where context_prepare() leads: the CPU's lock is held by whoever switched here. */
static void begin(void)
{
	struct thread *me = thread_current();

	sched_arrive();
	irq_enable();
	sched_preempt();
	thread_exit(me->fn(me->arg));
}

/* The thread lies at the top of its own stack, so that both come and go together. */
static struct thread *place(void *base)
{
	uintptr_t top = (uintptr_t)base + KSTACK_SIZE - sizeof(struct thread);
	struct thread *t = (struct thread *)(top & ~(uintptr_t)63);

	t->stack_top = t;
	return t;
}

static struct thread *create(uint32_t cpu, const char *name, unsigned priority, owner_t owner,
			     thread_fn_t fn, void *arg)
{
	void *base = kstack_make(GFP_NOWAIT, owner);
	struct thread *t;

	if (!base)
		return NULL;
	t = place(base);
	thread_setup(t, name, priority, owner);
	t->fn = fn;
	t->arg = arg;
	t->pinned = cpu;
	atomic_store_explicit(&t->cpu, cpu == NOT_PINNED ? cpu_number() : cpu,
			      memory_order_relaxed);	/* nobody else knows it yet */
	t->sp = context_prepare(t->stack_top, begin);
	return t;
}

static struct thread *create_and_start(uint32_t cpu, const char *name, unsigned priority,
				       owner_t owner, thread_fn_t fn, void *arg)
{
	struct thread *t;
	uint64_t flags;

	KASSERT(priority < THREAD_PRIORITIES);
	KASSERT(cpu == NOT_PINNED || sched_cpu_of(cpu));
	sched_may_sleep("thread_create()");
	t = create(cpu, name, priority, owner, fn, arg);
	if (t) {
		flags = irq_save();
		sched_start(t);
		irq_restore(flags);
		sched_preempt();
	}
	return t;
}

struct thread *thread_create_idle(unsigned cpu, thread_fn_t fn)
{
	return create(cpu, "idle", 0, OWNER_KERNEL, fn, NULL);
}

struct thread *thread_create(const char *name, unsigned priority, owner_t owner, thread_fn_t fn,
			     void *arg)
{
	return create_and_start(NOT_PINNED, name, priority, owner, fn, arg);
}

struct thread *thread_create_on(unsigned cpu, const char *name, unsigned priority, owner_t owner,
				thread_fn_t fn, void *arg)
{
	return create_and_start(cpu, name, priority, owner, fn, arg);
}

/* --- its end */

_Noreturn void thread_exit(uint64_t value)
{
	irq_disable();
	thread_current()->value = value;
	sched_end();
}

void thread_ended(struct thread *t)
{
	spin_lock(&t->ending.lock);
	t->ended = true;
	wake_all(&t->ending);
	spin_unlock(&t->ending.lock);
}

bool thread_join_until(struct thread *t, uint64_t deadline, uint64_t *value)
{
	uint64_t flags;
	bool ended;

	sched_may_sleep("thread_join()");
	KASSERT(t != thread_current());
	flags = wait_lock(&t->ending);
	ended = t->ended || wait_on(&t->ending, deadline);
	wait_unlock(&t->ending, flags);
	if (!ended)
		return false;
	if (value)
		*value = t->value;
	unlist_thread(t);
	kstack_free(stack_base(t), t->owner);
	return true;
}

void thread_join(struct thread *t, uint64_t *value)
{
	thread_join_until(t, WAIT_FOREVER, value);
}

const struct thread *thread_of_guard(uintptr_t addr)
{
	void *base = kstack_guarded_by(addr);

	return base ? place(base) : NULL;
}

bool thread_move(uint32_t cpu)
{
	uint64_t flags;

	sched_may_sleep("thread_move()");
	if (cpu != THREAD_ANY_CPU && (!sched_cpu_of(cpu) || !cpu_online(cpu)))
		return false;
	flags = irq_save();
	thread_current()->pinned = cpu;
	sched_choose(false);
	irq_restore(flags);
	return true;
}

/* --- sleeping */

void thread_yield(void)
{
	uint64_t flags;

	sched_may_sleep("thread_yield()");
	flags = irq_save();
	sched_choose(true);
	irq_restore(flags);
}

void thread_sleep_until(uint64_t deadline)
{
	struct wait_queue nobody = { 0 };
	uint64_t flags;

	sched_may_sleep("thread_sleep()");
	flags = wait_lock(&nobody);
	if (clock_ns() != 0 && clock_ns() < deadline)
		wait_on(&nobody, deadline);
	wait_unlock(&nobody, flags);
}

void thread_sleep(uint64_t ns)
{
	uint64_t now = clock_ns();

	thread_sleep_until(ns > UINT64_MAX - now ? WAIT_FOREVER : now + ns);
}

bool thread_park_until(uint64_t deadline)
{
	struct thread *me = thread_current();
	uint64_t flags;
	bool woken;

	sched_may_sleep("thread_park()");
	flags = wait_lock(&me->parking);
	woken = me->unparked || wait_on(&me->parking, deadline);
	if (woken)
		me->unparked = false;
	wait_unlock(&me->parking, flags);
	return woken;
}

void thread_unpark(struct thread *t)
{
	uint64_t flags = wait_lock(&t->parking);

	if (!wake_one(&t->parking))
		t->unparked = true;
	wait_unlock(&t->parking, flags);
}
