/* SPDX-License-Identifier: MIT */
/* A crew in a Linux process: threads that play CPUs. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "../../../arch/host/machine.h"
#include "../crew/crew.h"

#ifdef __SANITIZE_THREAD__
#define SLOWER 6u		/* it makes do with fewer: it needs no luck to see a race */
#else
#define SLOWER 1u
#endif

unsigned crew_rounds(unsigned n)
{
	return n / SLOWER;
}

unsigned crew_cpus(void)
{
	return CREW_MAX;
}

const char *crew_cannot(void)
{
	return NULL;
}

static void *thread_main(void *arg)
{
	struct hand *h = arg;

	host_bind_cpu(h->cpu);
	h->crew->start(h);
	return NULL;
}

void crew_start(struct crew *c)
{
	pthread_t thread[CREW_MAX];

	for (unsigned i = 0; i < c->hands; i++)
		if (pthread_create(&thread[i], NULL, thread_main, &c->hand[i]) != 0) {
			test_fail(__FILE__, __LINE__, "no thread could be started");
			abort();		/* the others wait for it at the barrier */
		}
	for (unsigned i = 0; i < c->hands; i++)
		pthread_join(thread[i], NULL);
}

/* The others' are empty: their threads have ended, and drained them. */
void crew_drain(const struct allocator_ops *a)
{
	a->drain();
}

#define LONG_ENOUGH 2000000000u		/* ns */

bool crew_late(struct crew *c)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	if (c->began == 0)
		c->began = now;
	return now - c->began > LONG_ENOUGH;
}

void crew_wait(unsigned spins)
{
	if (spins > 2000)
		sched_yield();			/* there are fewer cores than threads */
}

uint32_t crew_frames(const struct allocator_ops *a)
{
	struct zone_stats normal;

	a->zone(ZONE_NORMAL, &normal);
	return normal.total > 0 ? 0x200000 : ZONE_DMA32_END;
}

void *crew_memory(size_t size)
{
	return calloc(1, size);
}

void crew_memory_free(void *p, size_t size)
{
	(void)size;
	free(p);
}
