/* SPDX-License-Identifier: MIT */
/*
 * The library's machine: address space for RAM and metadata, and threads that
 * play CPUs.  A CPU is played by one thread at a time; which one stands in
 * player[], so that a second is refused and lab_reset() can unbind them all.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/directmap.h>
#include <labyrinth/mm.h>

#include "library.h"

#define HUGE ((size_t)2 << 20)

_Static_assert(LAB_CPUS_MAX == HOST_CPUS_MAX, "every CPU has an area");
_Static_assert(LAB_ORDER_MAX == ORDER_MAX && LAB_ORDERS == ORDER_COUNT, "the header's orders");
_Static_assert(LAB_OWNERS_MAX == OWNER_COUNT - 1, "the header's owners");
_Static_assert(LAB_DMA_END == ZONE_DMA_END && LAB_DMA32_END == ZONE_DMA32_END, "its zones");

unsigned char *host_ram;
struct host_cpu host_cpus[HOST_CPUS_MAX];
_Thread_local struct host_binding host_self = { 0, NULL };

static struct memmap map;
static void *reserved;			/* what mmap() gave; host_ram is aligned in it */
static size_t reserved_bytes;
static uint64_t range_first, range_frames;
static unsigned ncpu;			/* 0: lab_init() is still to come */
static _Atomic(struct host_binding *) player[HOST_CPUS_MAX];

bool in_range(lab_frame f)
{
	return f - range_first < range_frames;
}

int why_not_bound(void)
{
	return ncpu ? LAB_NOT_BOUND : LAB_NOT_READY;
}

/* --- who plays what */

static pthread_key_t at_thread_end;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

static void thread_ends(void *self)
{
	(void)self;
	lab_unbind();
}

static void make_key(void)
{
	pthread_key_create(&at_thread_end, thread_ends);
}

static void leave(void)
{
	struct host_binding *self = &host_self;

	page_drain();
	host_self.cpu = NULL;
	/* Pairs with the exchange in lab_bind(): the next player sees all we did to the area. */
	atomic_compare_exchange_strong(&player[self->number], &self, NULL);
}

int lab_bind(unsigned cpu)
{
	struct host_binding *nobody = NULL;

	if (ncpu == 0)
		return LAB_NOT_READY;
	if (cpu >= ncpu)
		return LAB_BAD_CPU;
	if (bound() && host_self.number == cpu)
		return LAB_OK;
	/* Pairs with the exchange in leave(). */
	if (!atomic_compare_exchange_strong(&player[cpu], &nobody, &host_self))
		return LAB_CPU_BUSY;
	if (bound())
		leave();
	host_self = (struct host_binding){ cpu, &host_cpus[cpu] };
	pthread_once(&key_made, make_key);
	pthread_setspecific(at_thread_end, &host_self);
	return LAB_OK;
}

void lab_unbind(void)
{
	if (bound())
		leave();
}

int lab_cpu(void)
{
	return bound() ? (int)host_self.number : -1;
}

/* --- starting over */

void lab_reset(void)
{
	for (unsigned cpu = 0; cpu < HOST_CPUS_MAX; cpu++) {
		struct host_binding *p = atomic_exchange(&player[cpu], NULL);

		if (p)
			p->cpu = NULL;
	}
	mm_reset();
	memset(host_cpus, 0, sizeof(host_cpus[0]) * ncpu);
	if (reserved)
		munmap(reserved, reserved_bytes);
	reserved = NULL;
	host_ram = NULL;
	range_frames = 0;
	ncpu = 0;
}

static bool reserve(uint64_t bytes)
{
	reserved_bytes = bytes + HUGE;
	reserved = mmap(NULL, reserved_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED) {
		reserved = NULL;
		return false;
	}
	host_ram = (unsigned char *)(((uintptr_t)reserved + HUGE - 1) & ~(HUGE - 1));
	/* As the kernel's direct map does; a hint, so a refusal does no harm. */
	madvise(host_ram, bytes, MADV_HUGEPAGE);
	return true;
}

/* Start mm/ on @frames and @extra more from @first on.  Return: how many are metadata, or 0. */
static uint64_t start(uint64_t first, uint64_t frames, uint64_t extra, unsigned cpus)
{
	struct mm_stats s;

	memmap_init(&map);
	memmap_add(&map, first << PAGE_SHIFT, (first + frames + extra) << PAGE_SHIFT, MEM_USABLE);
	if (mm_init(&map, cpus))
		return 0;
	mm_stats(&s);
	return frames + extra - s.frames;
}

/*
 * What mm/ keeps for itself depends, a little, on how much it is given.  From an
 * upper bound down, what it says becomes what it gets, until both agree: then
 * just @frames are left.
 */
static bool start_exactly(uint64_t first, uint64_t frames, unsigned cpus)
{
	uint64_t extra = (first + frames) / 256 + 1024, needs;

	if (!reserve((first + frames + extra) << PAGE_SHIFT))
		return false;
	host_self = (struct host_binding){ 0, &host_cpus[0] };
	while ((needs = start(first, frames, extra, cpus)) != extra) {
		if (needs == 0 || needs > extra)
			return false;
		extra = needs;
		memset(host_cpus, 0, sizeof(host_cpus[0]) * cpus);
		madvise(host_ram, reserved_bytes - HUGE, MADV_DONTNEED);
	}
	host_self.cpu = NULL;
	return true;
}

int lab_init(uint64_t first, uint64_t frames, unsigned cpus)
{
	if (frames == 0 || frames > LAB_FRAME_END || first > LAB_FRAME_END - frames)
		return LAB_BAD_RANGE;
	if (cpus == 0 || cpus > LAB_CPUS_MAX)
		return LAB_BAD_CPUS;
	lab_reset();
	say_init();
	ncpu = cpus;
	if (!start_exactly(first, frames, cpus)) {
		host_self.cpu = NULL;
		lab_reset();
		return LAB_NO_ADDRESS_SPACE;
	}
	range_first = first;
	range_frames = frames;
	return lab_bind(0);
}
