/* SPDX-License-Identifier: MIT */
/* Counting lost compare-and-swaps; retry.h tells by whom.  Counters: they pair with nothing. */
#include "retry.h"

#include "mm_state.h"
#include "owner_count.h"

bool retry_count(unsigned zone)
{
	local_add(LOCAL_RETRIES + zone * sizeof(uint64_t), 1);
	local_add(LOCAL_OWED, 1);
	return true;
}

bool retry_count_for(uint32_t f, owner_t owner)
{
	local_add(LOCAL_RETRIES + zone_id_of(f) * sizeof(uint64_t), 1);
	atom_add(&owner_retries[owner.id], 1);
	return true;
}

void retry_settle(owner_t owner)
{
	uint64_t owed = local_load(LOCAL_OWED);

	/* Of a traveller and an interrupt that both see the debt one takes it. */
	while (!local_cas(LOCAL_OWED, &owed, 0))
		;
	if (owed)
		atom_add(&owner_retries[owner.id], owed);
}
