/* SPDX-License-Identifier: MIT */
/* After every test: the audit of the numbered invariants, free memory as it was, protection on. */
#include <arch/protect.h>
#include <labyrinth/mm.h>
#include <labyrinth/print.h>

#include "test.h"

/* A Linux process has none to check. */
#pragma weak protect_check

static uint64_t free_before[ZONE_COUNT];
static uint64_t total_before[ZONE_COUNT];

static void look(uint64_t total[ZONE_COUNT], uint64_t free[ZONE_COUNT])
{
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone_stats s;

		zone_stats(z, &s);
		total[z] = s.total;
		free[z] = s.free;
	}
}

void test_before_each(void)
{
	look(total_before, free_before);
}

size_t test_after_each(void (*report)(const char *what))
{
	uint64_t total[ZONE_COUNT], free[ZONE_COUNT];
	size_t faults = 0;
	char line[96];

	page_drain();
	look(total, free);
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		/* A hosted test that made itself another machine has nothing to compare. */
		if (total[z] != total_before[z] || free[z] == free_before[z])
			continue;
		ksnprintf(line, sizeof line, "leak: zone %s had %llu frames free, has %llu",
			  zone_name(z), (unsigned long long)free_before[z],
			  (unsigned long long)free[z]);
		report(line);
		faults++;
	}
	if (protect_check)
		faults += protect_check(report);
	return faults + mm_audit(report);
}
