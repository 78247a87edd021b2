/* SPDX-License-Identifier: MIT */
/* Beginning, end, and what must be true whenever everybody stands still. */
#include "torture.h"

#include <stdatomic.h>

#include <labyrinth/print.h>
#include <labyrinth/string.h>

static void tell(const char *what)
{
	torture_fault(NULL, "audit: %s", what);
}

/* I3: every frame of a zone is counted once. */
static void check_zones(void)
{
	struct zone_stats s;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		if (s.free + s.held + s.contracted + s.quarantined != s.total)
			torture_fault(NULL, "zone %s: %llu free, %llu held, %llu promised of %llu "
				      "(I3)", zone_name(z), (unsigned long long)s.free,
				      (unsigned long long)s.held,
				      (unsigned long long)s.contracted,
				      (unsigned long long)s.total);
	}
}

/* I7: what an owner is said to hold is what the logs say. */
static void check_owners(struct traveller *const all[], size_t n)
{
	uint64_t held[TORTURE_OWNERS] = { 0 };
	struct owner_stats s;

	for (size_t i = 0; i < n; i++)
		for (unsigned p = 0; p < all[i]->n; p++)
			held[all[i]->log[p].owner] += (uint64_t)1 << all[i]->log[p].order;
	for (unsigned i = 0; i < MAIL_SLOTS; i++) {
		uint64_t letter = atomic_load(&torture.mail[i]);

		if (letter)
			held[letter >> 40 & 0xff] += (uint64_t)1 << (letter >> 32 & 0xff);
	}
	for (unsigned o = 0; o < TORTURE_OWNERS; o++) {
		owner_stats(torture.owner[o], &s);
		if (s.held != held[o])
			torture_fault(NULL, "owner %u holds %llu frames, the logs say %llu (I7)",
				      o, (unsigned long long)s.held, (unsigned long long)held[o]);
	}
}

void torture_rest(struct traveller *const all[], size_t n)
{
	mm_audit(tell);
	check_zones();
	check_owners(all, n);
}

/* --- the gate: everybody stops between two deeds */

bool traveller_step(struct traveller *t)
{
	bool open;

	/* Busy, then look at the gate; pairs with gate_close(), who writes, then looks. */
	atomic_store(&t->busy, 1);
	open = !atomic_load(&torture.closed);
	if (open)
		traveller_act(t);
	atomic_store(&t->busy, 0);
	return open;
}

void gate_close(void)
{
	atomic_store(&torture.closed, 1);
}

void gate_open(void)
{
	atomic_store(&torture.closed, 0);
}

const struct traveller *gate_waits_for(struct traveller *const all[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (atomic_load(&all[i]->busy))
			return all[i];
	return NULL;
}

/* --- memory that is kept from the travellers, a list through its first words */

struct hoarded {
	struct hoarded *next;
	unsigned order;
};

#define SPARES_MAX 16u		/* a phase: or it would not be one of want any more */

static struct hoarded *hoard;
static _Atomic unsigned hoard_busy, spares;

void hoard_return(void)
{
	while (hoard) {
		struct hoarded *h = hoard;

		hoard = h->next;
		if (freepages(h, h->order, torture.keeper) != PAGE_OK)
			torture_fault(NULL, "hoarded memory could not be freed");
	}
}

static uint64_t free_frames(void)
{
	uint64_t sum = 0;
	struct zone_stats s;

	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		zone_stats(z, &s);
		sum += s.free;
	}
	return sum;
}

void hoard_leave(uint64_t frames)
{
	uint64_t left = free_frames();

	atomic_store(&spares, SPARES_MAX);
	for (unsigned order = 10; order <= 10; order--) {
		struct hoarded *h;

		while (left >= frames + (1u << order) &&
		       (h = allocpages(GFP_ATOMIC, order, torture.keeper))) {
			*h = (struct hoarded){ hoard, order };
			hoard = h;
			left -= 1u << order;
		}
	}
}

size_t hoard_spare(void *unused, unsigned order)
{
	struct hoarded *h = NULL;
	unsigned before;

	(void)unused;
	(void)order;
	if (atomic_load(&spares) == 0 || atomic_exchange(&hoard_busy, 1))
		return 0;
	if ((before = atomic_load(&spares)) > 0 && (h = hoard)) {
		hoard = h->next;
		atomic_store(&spares, before - 1);
	}
	/* Release: pairs with the exchange above; the list is whole again. */
	atomic_store(&hoard_busy, 0);
	if (!h)
		return 0;
	order = h->order;
	atomic_fetch_add(&torture.spared, 1);
	if (freepages(h, order, torture.keeper) != PAGE_OK)
		torture_fault(NULL, "hoarded memory could not be freed");
	return (size_t)1 << order;
}

/* --- beginning and end */

static void nobody_listens(const char *line)
{
	(void)line;
}

static bool map_open(uint32_t frames)
{
	while ((PAGE_SIZE << torture.map_order) < frames)
		torture.map_order++;
	torture.map = torture.map_order > ORDER_MAX ? NULL
		    : allocpages(GFP_NOWAIT | GFP_ZERO, torture.map_order, torture.keeper);
	torture.frames = frames;
	return torture.map != NULL;
}

bool torture_open(uint32_t frames)
{
	memset(&torture, 0, sizeof(torture));
	torture.keeper = owner_register("torture's books");
	for (unsigned o = 0; o < TORTURE_OWNERS; o++) {
		char name[OWNER_NAME_MAX];

		ksnprintf(name, sizeof(name), "torture %u", o);
		torture.owner[o] = owner_register(name);
		if (torture.owner[o].id == 0)
			return false;
	}
	if (!map_open(frames))
		return false;
	/* All memory is woken once, so that what is asleep excuses nobody (I12). */
	hoard_leave(0);
	hoard_return();
	mm_report_to(nobody_listens);
	return true;
}

void torture_close(void)
{
	mm_report_to(NULL);
	hoard_return();
	if (torture.map)
		freepages((void *)torture.map, torture.map_order, torture.keeper);
	for (unsigned o = 0; o < TORTURE_OWNERS; o++)
		if (torture.owner[o].id && owner_unregister(torture.owner[o]) != 0)
			torture_fault(NULL, "owner %u still holds something (I7)", o);
	if (torture.keeper.id && owner_unregister(torture.keeper) != 0)
		torture_fault(NULL, "the books still hold something (I7)");
}
