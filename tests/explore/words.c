/* SPDX-License-Identifier: MIT */
/* mm/'s words, for the explorer: who uses each, what it is called, how its value reads. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../../arch/explore/explore.h"
#include "../../mm/mm_state.h"
#include "../../mm/owner_count.h"
#include "../../mm/word.h"
#include "scenario.h"

static bool within(const void *a, const void *from, size_t bytes)
{
	return (uintptr_t)a - (uintptr_t)from < bytes;
}

/* The words of a group that nobody has woken yet belong to whoever wakes it. */
static bool asleep(const void *a)
{
	if (!within(a, mm.words, mm.end * sizeof *mm.words))
		return false;

	uint32_t group = (uint32_t)((const atom64_t *)a - mm.words) >> GROUP_ORDER;
	return !(mm.awake[group / 64].v >> (group & 63) & 1);
}

bool words_exact;

/* A tree's hints: all of a node but its word. */
static bool is_hint(const void *a)
{
	const struct tree *t = &mm.hot_zone->tree;

	return (uintptr_t)a >= (uintptr_t)t->level[1] &&
	       (uintptr_t)a < (uintptr_t)(t->level[t->root] + 1) &&
	       (uintptr_t)a % sizeof(struct node) >= offsetof(struct node, fills);
}

static enum explore_kind kind_of_local(size_t off)
{
	if (off >= LOCAL_DELTA && off < LOCAL_OWED)
		return words_exact ? WORD_SHARED : WORD_OWN;
	if (off >= LOCAL_NET && off < LOCAL_FOLDED)
		return WORD_OWN;
	if (off < LOCAL_DELTA || (off >= LOCAL_FOLDED && off < LOCAL_EVENTS) ||
	    off == LOCAL_GIVEN || off == LOCAL_LEFT || off == LOCAL_EMPTIER)
		return WORD_OWN;
	return WORD_NOISE;
}

enum explore_kind explore_kind_of(const void *a)
{
	if (within(a, explore_local, sizeof explore_local))
		return kind_of_local((size_t)((const unsigned char *)a - explore_local[0]) %
				     CPU_LOCAL_BYTES);
	if (within(a, owner_retries, sizeof owner_retries))
		return WORD_NOISE;
	return asleep(a) || (!words_exact && is_hint(a)) ? WORD_OWN : WORD_SHARED;
}

/* --- versions */

/*
 * Every node's version begins with what no other word does, and the node's number, so that a copy
 * is known wherever it lies; 13 bits are left to count.
 */
#define TAG        ((uint64_t)0x16 << 59)
#define TAG_MASK   ((uint64_t)0x1f << 59)
#define NUMBER_BIT 53
#define NUMBERED   64u

static const atom64_t *numbered[NUMBERED];

void words_begin(void)
{
	const struct tree *t = &mm.hot_zone->tree;
	unsigned n = 0;

	memset(numbered, 0, sizeof numbered);
	for (struct node *at = t->level[1]; at <= t->top && n < NUMBERED; at++, n++) {
		atom_poke(&at->word, (atom_peek(&at->word) & NODE_ENTRIES) | TAG |
				     (uint64_t)n << NUMBER_BIT);
		numbered[n] = &at->word;
	}
}

uint64_t explore_uncounted(const void *a, uint64_t v)
{
	const uint64_t version = ((uint64_t)1 << NUMBER_BIT) - NODE_VERSION;

	if ((v & TAG_MASK) != TAG)
		return v;

	const atom64_t *word = numbered[v >> NUMBER_BIT & (NUMBERED - 1)];
	if (a)
		return a == word ? v & ~version : v;
	if (!word)
		return v;

	uint64_t now = word->v, newer = (v & version) - (now & version);
	return (v & ~version) | (v == now ? NODE_VERSION : newer >> 63 ? 0
				 : (newer + 2 * NODE_VERSION) & version);
}

/* --- names */

static bool name_in_tree(const struct tree *t, const void *a, char *out, size_t size)
{
	if (!t->bits)
		return false;
	if (within(a, t->bits, (size_t)((const unsigned char *)t->level[1] -
					(const unsigned char *)t->bits))) {
		snprintf(out, size, "group %u", (unsigned)((const atom64_t *)a - t->bits));
		return true;
	}
	for (unsigned l = t->root; l >= 1; l--) {
		size_t off = (size_t)((const unsigned char *)a - (unsigned char *)t->level[l]);

		if ((uintptr_t)a < (uintptr_t)t->level[l])
			continue;
		if (l == t->root && off >= sizeof(struct node))
			return false;
		snprintf(out, size, "level %u node %u%s", l, (unsigned)(off / sizeof(struct node)),
			 off % sizeof(struct node) ? " fill" : "");
		return true;
	}
	return false;
}

static void name_local(size_t off, char *out, size_t size)
{
	unsigned cpu = (unsigned)(off / CPU_LOCAL_BYTES), i;

	off %= CPU_LOCAL_BYTES;
	i = (unsigned)(off / 8);
	if (off < LOCAL_HOME)
		snprintf(out, size, "%s of %u", i ? "second" : "current", cpu);
	else if (off < LOCAL_DELTA)
		snprintf(out, size, "home %u of %u", i - LOCAL_HOME / 8, cpu);
	else if (off < LOCAL_OWED)
		snprintf(out, size, "delta %u of %u", i - LOCAL_DELTA / 8, cpu);
	else if (off >= LOCAL_NET && off < LOCAL_FOLDED)
		snprintf(out, size, "net %u of %u", i - LOCAL_NET / 8, cpu);
	else
		snprintf(out, size, "local 0x%zx of %u", off, cpu);
}

void explore_name_of(const void *a, char *out, size_t size)
{
	if (within(a, explore_local, sizeof explore_local)) {
		name_local((size_t)((const unsigned char *)a - explore_local[0]), out, size);
		return;
	}
	if (within(a, mm.words, mm.end * sizeof *mm.words)) {
		snprintf(out, size, "frame 0x%x", (unsigned)((const atom64_t *)a - mm.words));
		return;
	}
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		if (name_in_tree(&mm.zone[z].tree, a, out, size))
			return;
		if (a == &mm.zone[z].free || a == &mm.zone[z].cursor) {
			snprintf(out, size, "zone %u %s", z,
				 a == &mm.zone[z].free ? "free" : "cursor");
			return;
		}
	}
	snprintf(out, size, "%s", a == &mm.hot.frames ? "hot.frames"
		 : a == mm.awake ? "awake" : "another word");
}

/* --- values */

static void entries(uint64_t w, char *out, size_t size)
{
	size_t at = 0;

	for (unsigned s = 0; s < NODE_FANOUT; s++) {
		unsigned e = node_entry(w, s);

		if (e >= ENTRY_OPEN && e < ENTRY_DIRTY)
			at += (size_t)snprintf(out + at, size - at, "%u ", e - ENTRY_OPEN);
		else
			at += (size_t)snprintf(out + at, size - at, "%s ",
					       e == ENTRY_NONE ? "-" : e == ENTRY_HELD ? "H"
					       : e == ENTRY_FULL ? "F" : "D");
	}
	snprintf(out + at, size - at, "v%u", (unsigned)(w / NODE_VERSION) & 0x1fff);
}

void explore_value_of(const void *a, uint64_t v, char *out, size_t size)
{
	char name[64];

	explore_name_of(a, name, sizeof name);
	if (name[0] == 'l' && name[1] == 'e' && !((uintptr_t)a & 8))
		entries(v, out, size);
	else if (name[0] == 'f')
		snprintf(out, size, "%s order %u owner %u gen %u", page_state_name(word_state(v)),
			 word_order(v), word_owner(v).id, word_generation(v));
	else
		snprintf(out, size, "%llx", (unsigned long long)v);
}
