/* SPDX-License-Identifier: MIT */
/*
 * Adding up what every CPU counted, and what the trees hold.  The loads pair
 * with nothing: a snapshot, exact for a caller who has met all others.
 */
#include <labyrinth/string.h>

#include "cache.h"
#include "word.h"

/* The free blocks of one group, largest first. */
static void count_bits(uint64_t bits, uint64_t blocks[ORDER_COUNT])
{
	for (int order = 6; order >= 0 && bits; order--) {
		int at;

		while ((at = bits_run(bits, (unsigned)order)) >= 0) {
			blocks[order]++;
			bits &= ~run_mask((unsigned)at, (unsigned)order);
		}
	}
}

/* Free runs of whole children, largest first, but what is left to the level above. */
static void count_runs(unsigned full, unsigned l, uint64_t blocks[ORDER_COUNT])
{
	/* Memory asleep may be whole above the largest block: it is counted in those. */
	if (child_order(l) > ORDER_MAX)
		blocks[ORDER_MAX] += (uint64_t)bits_count(full) << (child_order(l) - ORDER_MAX);
	for (unsigned log = 3; log-- > 0 && full;) {
		unsigned order = child_order(l) + log;
		int at;

		while (order <= ORDER_MAX && (at = mask_run(full, log)) >= 0) {
			blocks[order]++;
			full &= ~(((1u << (1u << log)) - 1) << at);
		}
	}
}

/* An area of which nothing is free but what sleeps: it may have no bits yet. */
static void count_sleeping_area(const struct zone *z, uint32_t area, uint64_t blocks[ORDER_COUNT])
{
	unsigned full = 0;

	for (unsigned s = 0; s < NODE_FANOUT; s++) {
		uint64_t bits = zone_sleeping_bits(z, area * NODE_FANOUT + s);

		if (bits == UINT64_MAX)
			full |= 1u << s;
		else
			count_bits(bits, blocks);
	}
	count_runs(full, 1, blocks);
}

/*
 * The free blocks below a node.  Return: true if all of it is free; then
 * nothing has been counted, because the block may be part of a larger one.
 */
static bool count_node(const struct zone *z, unsigned l, uint32_t self,
		       uint64_t blocks[ORDER_COUNT])
{
	const struct tree *t = &z->tree;
	uint64_t w = atom_load(&t->level[l][self].word);
	unsigned full = 0;

	for (unsigned s = 0; s < NODE_FANOUT; s++) {
		uint32_t c = self * NODE_FANOUT + s;
		uint64_t first = (uint64_t)c << child_order(l), n = (uint64_t)1 << child_order(l);
		unsigned e = node_entry(w, s);
		uint64_t asleep = e == ENTRY_NONE ? zone_sleeping(z, first, first + n) : 0;

		/* Sleeping memory counts as the blocks that it will be. */
		if (e == ENTRY_FULL || asleep == n)
			full |= 1u << s;
		else if (e == ENTRY_HELD || (e == ENTRY_NONE && !asleep))
			continue;
		else if (l == 1)
			count_bits(asleep ? zone_sleeping_bits(z, c) : atom_load(&t->bits[c]),
				   blocks);
		else if (l == 2 && e == ENTRY_NONE)
			count_sleeping_area(z, c, blocks);
		else if (count_node(z, l - 1, c, blocks))
			full |= 1u << s;
	}
	if (full == 0xff && child_order(l) + 3 <= ORDER_MAX && l < t->root)
		return true;
	count_runs(full, l, blocks);
	return false;
}

uint64_t zone_cached(const struct zone *z)
{
	uint64_t n = 0;

	for (unsigned cpu = 0; z == mm.hot_zone && cpu < mm.ncpu; cpu++)
		n += bits_count((uint32_t)local_peek(cpu, LOCAL_CURRENT)) +
		     bits_count((uint32_t)local_peek(cpu, LOCAL_SECOND));
	return n;
}

void zone_stats(enum zone_id id, struct zone_stats *out)
{
	const struct zone *z = &mm.zone[id];

	memset(out, 0, sizeof *out);
	if (z->total == 0)
		return;
	out->total = z->total;
	out->asleep = zone_asleep(z);
	out->cached = zone_cached(z);
	out->free = zone_free(z) + out->cached;
	out->lent = atom_peek(&z->lent);
	out->contracted = atom_peek(&z->contracted);
	out->quarantined = atom_peek(&z->quarantined);
	out->held = out->total - out->free - out->contracted - out->quarantined;
	out->min = z->min;
	out->low = z->low;
	count_node(z, z->tree.root, 0, out->blocks);
	out->blocks[0] += out->cached;
}

static uint64_t zone_retries(unsigned cpu, unsigned zone)
{
	return local_peek(cpu, LOCAL_RETRIES + zone * sizeof(uint64_t));
}

void zone_counts(enum zone_id id, struct zone_counts *out)
{
	const struct zone *z = &mm.zone[id];

	out->reserve = atom_peek(&z->reserve);
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		out->failures[r] = atom_peek(&z->failures[r]);
	out->retries = 0;
	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		out->retries += zone_retries(cpu, id);
}

void mm_stats(struct mm_stats *out)
{
	memset(out, 0, sizeof *out);
	out->metadata_bytes = mm.metadata_bytes + mm.ncpu * (uint64_t)CPU_LOCAL_BYTES;
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		out->frames += mm.zone[z].total;
	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++) {
		for (unsigned z = 0; z < ZONE_COUNT; z++)
			out->retries += zone_retries(cpu, z);
		for (unsigned e = 0; e < PAGE_ERROR_COUNT; e++)
			out->bad_frees[e] += local_peek(cpu, LOCAL_REFUSED + e * sizeof(uint64_t));
	}
}
