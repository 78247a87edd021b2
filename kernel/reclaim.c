/* SPDX-License-Identifier: MIT */
/* Reclaim functions, one an owner. */
#include "kernel/reclaim.h"

#include <labyrinth/mm_wait.h>
#include <labyrinth/panic.h>
#include <labyrinth/wait.h>

/* Held while a function runs, so that it cannot be taken away under it. */
static struct mutex lock;
static struct { reclaim_fn_t fn; void *arg; } function[OWNER_COUNT];

bool reclaiming(void)
{
	/* Plain: it can become ours, or stop being ours, by our own doing only. */
	return *(struct thread *volatile *)&lock.holder == thread_current();
}

bool reclaim(unsigned order, uint64_t *calls)
{
	size_t frames = 0;

	mutex_lock(&lock);
	for (unsigned i = 0; i < OWNER_COUNT; i++) {
		if (!function[i].fn)
			continue;
		++*calls;
		frames += function[i].fn(function[i].arg, order);
	}
	mutex_unlock(&lock);
	return frames > 0;
}

void owner_set_reclaim(owner_t owner, reclaim_fn_t fn, void *arg)
{
	KASSERT(owner.id < OWNER_COUNT);
	mutex_lock(&lock);
	function[owner.id].fn = fn;
	function[owner.id].arg = arg;
	mutex_unlock(&lock);
}
