/* SPDX-License-Identifier: MIT */
/*
 * The register of owners, and what each holds.
 *
 * Counting is per CPU, one plain addition a call; the sum over all CPUs is
 * exact at rest (I7).  Now and then a CPU folds what it is ahead or behind into
 * the owner's own count, from which the peak is taken: it is exact to within 64
 * frames, or four of its largest blocks, a CPU.
 */
#include "owner_count.h"

#include <labyrinth/panic.h>
#include <labyrinth/string.h>

#include "contract.h"
#include "mm_state.h"

enum { SLOT_FREE, SLOT_NAMING, SLOT_LIVE };

static struct {
	atom64_t state;
	atom64_t folded, peak;
	char name[OWNER_NAME_MAX];
} slot[OWNER_COUNT];

atom8_t owner_alive[256];
atom64_t owner_failures[OWNER_COUNT][ZONE_REFUSAL_COUNT];
atom64_t owner_reserve[OWNER_COUNT];
atom64_t owner_retries[OWNER_COUNT];

_Static_assert(OWNER_COUNT <= 256, "an owner_t can name them all");

static bool claim(unsigned id, const char *name)
{
	uint64_t old = SLOT_FREE;
	size_t n = 0;

	/* Pairs with the CAS to FREE in owner_unregister(): the old owner is done with it. */
	if (!atom_cas(&slot[id].state, &old, SLOT_NAMING))
		return false;
	for (; name[n] && n < OWNER_NAME_MAX - 1; n++)
		slot[id].name[n] = name[n];
	slot[id].name[n] = '\0';
	/* What the number's last owner did is not his. */
	atom_poke(&slot[id].peak, 0);
	page_on_damage((owner_t){ (uint8_t)id }, NULL);
	atom_poke(&owner_reserve[id], 0);
	atom_poke(&owner_retries[id], 0);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		atom_poke(&owner_failures[id][r], 0);
	/* Release: pairs with the load in owner_name(), so that the name is whole. */
	atom_store(&slot[id].state, SLOT_LIVE);
	/* Relaxed, as all of owner_live(): whoever has the number was given it since. */
	atom_poke8(&owner_alive[id], 1);
	return true;
}

owner_t owner_register(const char *name)
{
	for (unsigned id = 1; id < OWNER_COUNT; id++)
		if (atom_load(&slot[id].state) == SLOT_FREE &&	/* a hint: claim() has the CAS */
		    claim(id, name))
			return (owner_t){ (uint8_t)id };
	return OWNER_NONE;
}

static int64_t held(owner_t o)
{
	int64_t n = 0;

	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		n += (int64_t)local_peek(cpu, LOCAL_NET + o.id * sizeof(uint64_t));
	return n;
}

int owner_unregister(owner_t owner)
{
	uint64_t old = SLOT_LIVE;

	if (!owner_live(owner) || held(owner) != 0 || contract_binds(owner))
		return -1;
	atom_poke8(&owner_alive[owner.id], 0);
	/* Pairs with the CAS in claim(), and with that of another who unregisters it. */
	return atom_cas(&slot[owner.id].state, &old, SLOT_FREE) ? 0 : -1;
}

bool owner_registered(owner_t owner)
{
	return owner_live(owner);
}

const char *owner_name(owner_t owner)
{
	if (owner.id == 0)
		return "nobody";
	/* Pairs with the release in claim(). */
	if (owner.id >= OWNER_COUNT || atom_load(&slot[owner.id].state) != SLOT_LIVE)
		return "unknown";
	return slot[owner.id].name;
}

void owner_fold(owner_t o, int64_t ahead)
{
	local_add(LOCAL_FOLDED + o.id * sizeof(uint64_t), (uint64_t)ahead);
	/* Pairs with the same on other CPUs: each sees a sum that was true. */
	uint64_t now = atom_add(&slot[o.id].folded, (uint64_t)ahead) + (uint64_t)ahead;
	uint64_t peak = atom_load(&slot[o.id].peak);	/* pairs with the CAS: a maximum */

	/* What CPUs gave back and have not folded is in it yet: count before believing it. */
	if ((int64_t)now <= (int64_t)peak)
		return;
	now = (uint64_t)held(o);
	while ((int64_t)now > (int64_t)peak && !atom_cas(&slot[o.id].peak, &peak, now))
		;
}

void owner_stats(owner_t owner, struct owner_stats *out)
{
	memset(out, 0, sizeof *out);
	if (owner.id >= OWNER_COUNT)
		return;
	out->held = (uint64_t)held(owner);
	out->peak = atom_load(&slot[owner.id].peak);	/* pairs with the CAS in the folding */
	if (out->peak < out->held)
		out->peak = out->held;
	/* Relaxed: counters, that publish nothing. */
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		out->failures[r] = atom_peek(&owner_failures[owner.id][r]);
	out->reserve = atom_peek(&owner_reserve[owner.id]);
	out->retries = atom_peek(&owner_retries[owner.id]);
}

void owner_reset_all(void)
{
	memset(slot, 0, sizeof slot);
	memset(owner_alive, 0, sizeof owner_alive);
	memset(owner_failures, 0, sizeof owner_failures);
	memset(owner_reserve, 0, sizeof owner_reserve);
	memset(owner_retries, 0, sizeof owner_retries);
	KASSERT(claim(OWNER_KERNEL.id, "kernel"));
}
