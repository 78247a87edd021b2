/* SPDX-License-Identifier: MIT */
/*
 * The audit: everything that must hold when nobody is in the allocator, checked
 * against everything there is.  Each finding cites its invariant.  The loads
 * pair with nothing: whoever calls has met all others.
 */
#include <labyrinth/print.h>

#include "cache.h"
#include "contract.h"
#include "home.h"
#include "owner_count.h"
#include "word.h"

struct audit {
	void (*report)(const char *what);
	size_t found;
	uint64_t held[OWNER_COUNT];	/* frames by owner, counted from the words */
	uint64_t held_in[ZONE_COUNT];	/* the same by zone */
	uint64_t lent[ZONE_COUNT];
	uint64_t quarantined[ZONE_COUNT];
	uint64_t out[CONTRACT_COUNT];	/* blocks that carry a contract's number */
};

static void finding(struct audit *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void finding(struct audit *a, const char *fmt, ...)
{
	char line[160];
	va_list ap;

	if (a->found++ >= 20 || !a->report)
		return;
	va_start(ap, fmt);
	kvsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	a->report(line);
}

/* Is a CPU's home, or was, and so allowed to be unmerged (I8 speaks of drained caches). */
static bool is_a_home(const struct tree *t, unsigned level, uint32_t index)
{
	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		if (level < HOME_LEVELS &&
		    (local_peek(cpu, LOCAL_HOME + level * sizeof(uint64_t)) ==
			home_key(t, index) ||
		     local_peek(cpu, LOCAL_LEFT) == home_left_key(t, level, index)))
			return true;
	return false;
}

static void audit_entry(struct audit *a, const struct tree *t, unsigned l, uint32_t c, unsigned e)
{
	uint64_t below = l == 1 ? atom_load(&t->bits[c]) : atom_load(&t->level[l - 1][c].word);
	bool full = l == 1 ? below == UINT64_MAX : node_all_full(below);
	unsigned code = l == 1 ? bits_code(below) : node_code(below, l - 1);

	if (e == ENTRY_DIRTY)
		finding(a, "T5: zone %u level %u child %u is still being settled", t->id, l, c);
	else if (entry_parked(e) && !full)
		finding(a, "T2: zone %u level %u child %u is parked but not whole", t->id, l, c);
	else if (!entry_parked(e) && e < code)
		finding(a, "T1: zone %u level %u child %u promises %u, has %u",
			t->id, l, c, e, code);
	else if (!entry_parked(e) && full && child_order(l) <= ORDER_MAX && !is_a_home(t, l - 1, c))
		finding(a, "I8: zone %u level %u child %u is whole but unmerged", t->id, l, c);
}

static uint64_t audit_node(struct audit *a, const struct tree *t, unsigned l, uint32_t self)
{
	uint64_t w = atom_load(&t->level[l][self].word), frames = 0;

	for (unsigned s = 0; s < NODE_FANOUT; s++) {
		uint32_t c = self * NODE_FANOUT + s;
		unsigned e = node_entry(w, s);

		if ((uint64_t)c << child_order(l) >= t->nframes ||
		    (e == ENTRY_NONE && !mm_awake(t->base + (c << child_order(l)))))
			continue;
		audit_entry(a, t, l, c, e);
		if (e == ENTRY_FULL)
			frames += (uint64_t)1 << child_order(l);
		else if (e != ENTRY_HELD && l > 1)
			frames += audit_node(a, t, l - 1, c);
		else if (e != ENTRY_HELD)
			frames += bits_count((uint32_t)atom_load(&t->bits[c])) +
				  bits_count((uint32_t)(atom_load(&t->bits[c]) >> 32));
	}
	return frames;
}

static bool in_cache(uint32_t f)
{
	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		for (unsigned i = 0; i < 2; i++) {
			uint64_t w = local_peek(cpu, i ? LOCAL_SECOND : LOCAL_CURRENT);
			uint64_t bit = f - mm.hot.first - (w >> 32);
			if (f >= mm.hot.first && bit < CACHE_FRAMES && w >> bit & 1)
				return true;
		}
	return false;
}

/* Set aside by a contract? */
static bool is_promised(uint32_t f)
{
	uint32_t head;

	return atom_peek(&zone_of(f)->contracted) != 0 && contract_find(f, &head) != 0;
}

/* A block in a contract's hands: does the contract know of it? */
static void audit_promise(struct audit *a, uint32_t f, uint64_t w)
{
	unsigned number = (unsigned)(w >> WORD_CONTRACT_SHIFT);

	if (number == 0)
		return;
	uint64_t ctl = number < CONTRACT_COUNT ? atom_load(&contract_table[number].ctl) : 0;
	if (ctl_state(ctl) != CONTRACT_LIVE && ctl_state(ctl) != CONTRACT_DYING)
		finding(a, "K1: block 0x%x names contract %u, which there is not", f, number);
	else if (ctl_order(ctl) != word_order(w))
		finding(a, "K1: block 0x%x is of order %u, its contract of order %u", f,
			word_order(w), ctl_order(ctl));
	else
		a->out[number]++;
}

/* One block or free frame that begins at @f.  Return: the frame after it. */
static uint32_t audit_frame(struct audit *a, uint32_t f)
{
	uint64_t w = atom_load(word_at(f));
	const struct tree *t = &zone_of(f)->tree;
	int order = tree_free_order(t, f - t->base);

	if (word_state(w) == PAGE_RESERVED) {
		if (order >= 0)
			finding(a, "I4: reserved frame 0x%x is free in the tree", f);
		return f + 1;
	}
	if (word_state(w) == PAGE_QUARANTINED) {
		if (order >= 0 || in_cache(f) || is_promised(f))
			finding(a, "I2: frame 0x%x is in quarantine and free", f);
		a->quarantined[zone_id_of(f)]++;
		return f + 1;
	}
	if (word_is_free(w)) {
		int places = (order >= 0) + in_cache(f) + is_promised(f);
		if (places == 0)
			finding(a, "I1: frame 0x%x is free but nowhere", f);
		else if (places > 1)
			finding(a, "I2: frame 0x%x is free twice", f);
		return f + 1;
	}
	uint32_t n = 1u << word_order(w);
	if (f & (n - 1))
		finding(a, "I4: block 0x%x of order %u is not aligned", f, word_order(w));
	a->held[word_owner(w).id % OWNER_COUNT] += n;
	a->held_in[zone_id_of(f)] += n;
	a->lent[zone_id_of(f)] += word_state(w) == PAGE_LENT ? n : 0;
	audit_promise(a, f, w);
	for (uint32_t i = 0; i < n && mm_awake(f + i); i++) {
		bool tail = i > 0 && !word_is_free(atom_load(word_at(f + i)));
		if (tail || tree_free_order(t, f + i - t->base) >= 0 || in_cache(f + i) ||
		    is_promised(f + i))
			finding(a, "I2: frame 0x%x in held block 0x%x is not its own", f + i, f);
	}
	return f + n;
}

/* Most of memory: a group of 64 that is wholly in the tree, with words that agree. */
static bool is_plain_group(uint32_t f)
{
	const struct tree *t = &zone_of(f)->tree;

	if ((f & 63) != 0 || tree_free_order(t, f - t->base) < (int)GROUP_ORDER)
		return false;
	for (unsigned i = 0; i < 64; i++)
		if (!word_is_free(atom_load(word_at(f + i))))
			return false;
	for (unsigned cpu = 0; cpu < mm.ncpu; cpu++)
		for (unsigned i = 0; i < 2; i++) {
			uint64_t w = local_peek(cpu, i ? LOCAL_SECOND : LOCAL_CURRENT);
			uint64_t first = (w >> 32) + mm.hot.first;

			if ((uint32_t)w && first >> GROUP_ORDER == f >> GROUP_ORDER)
				return false;
		}
	return true;
}

/* K1, K2: aside and outstanding are all blocks of each contract, and zones count them. */
static void audit_contracts(struct audit *a)
{
	uint64_t aside[ZONE_COUNT] = { 0 };

	for (unsigned i = 1; i < CONTRACT_COUNT; i++) {
		const struct contract *c = &contract_table[i];
		uint64_t ctl = atom_load(&c->ctl), bits = 0;
		bool alive = ctl_state(ctl) == CONTRACT_LIVE || ctl_state(ctl) == CONTRACT_DYING;

		if (ctl_state(ctl) == CONTRACT_MAKING)
			finding(a, "K1: contract %u is still being made", i);
		for (unsigned s = 0; alive && s < ctl_blocks(ctl); s++)
			if (atom_load(&c->bits[s / 64]) >> s % 64 & 1) {
				uint32_t f = (uint32_t)atom_peek(&contract_frames(c)[s]);

				aside[zone_id_of(f)] += (uint64_t)1 << ctl_order(ctl);
				bits++;
			}
		if (alive && (uint32_t)atom_load(&c->ready) != bits)
			finding(a, "K2: contract %u counts %u blocks, has %u", i,
				(unsigned)atom_load(&c->ready), (unsigned)bits);
		if (alive && bits + a->out[i] != atom_load(&c->left))
			finding(a, "K1: contract %u has %u blocks and %u are out, of %u", i,
				(unsigned)bits, (unsigned)a->out[i], (unsigned)atom_load(&c->left));
	}
	for (enum zone_id z = 0; z < ZONE_COUNT; z++)
		if (aside[z] != atom_peek(&mm.zone[z].contracted))
			finding(a, "I3: zone %s counts %llu contracted frames, contracts have %llu",
				zone_name(z),
				(unsigned long long)atom_peek(&mm.zone[z].contracted),
				(unsigned long long)aside[z]);
}

/* I3: every frame of the zone is in exactly one of the sums. */
static void audit_total(struct audit *a, enum zone_id id)
{
	struct zone_stats s;

	zone_stats(id, &s);
	if (s.free + a->held_in[id] + s.contracted + a->quarantined[id] != s.total)
		finding(a, "I3: zone %s: %llu free + %llu held + %llu contracted + %llu "
			"quarantined are not %llu",
			zone_name(id), (unsigned long long)s.free,
			(unsigned long long)a->held_in[id], (unsigned long long)s.contracted,
			(unsigned long long)a->quarantined[id], (unsigned long long)s.total);
	if (s.quarantined != a->quarantined[id])
		finding(a, "I3: zone %s counts %llu quarantined frames, the words say %llu",
			zone_name(id), (unsigned long long)s.quarantined,
			(unsigned long long)a->quarantined[id]);
	if (s.lent != a->lent[id])
		finding(a, "I3: zone %s counts %llu lent frames, the words say %llu",
			zone_name(id), (unsigned long long)s.lent,
			(unsigned long long)a->lent[id]);
}

static void audit_sums(struct audit *a)
{
	for (enum zone_id z = 0; z < ZONE_COUNT; z++) {
		struct zone *zone = &mm.zone[z];

		if (zone->total == 0)
			continue;
		uint64_t in_tree = audit_node(a, &zone->tree, zone->tree.root, 0);
		uint64_t counted = zone_free(zone) - zone_asleep(zone);
		if (in_tree != counted)
			finding(a, "I3: zone %s counts %llu free frames, its tree has %llu",
				zone_name(z), (unsigned long long)counted,
				(unsigned long long)in_tree);
		audit_total(a, z);
	}
	for (uint8_t id = 1; id < OWNER_COUNT; id++) {
		struct owner_stats s;

		owner_stats((owner_t){ id }, &s);
		if (s.held != a->held[id])
			finding(a, "I7: owner %s counts %llu frames, the words say %llu",
				owner_name((owner_t){ id }), (unsigned long long)s.held,
				(unsigned long long)a->held[id]);
	}
}

/* The next frame of another group; or, where a whole word of groups sleeps, of another word. */
static uint32_t beyond_sleeping(uint32_t f)
{
	unsigned order = atom_load(&mm.awake[f >> GROUP_ORDER >> 6]) ? GROUP_ORDER
								     : GROUP_ORDER + 6;

	return (f | ((1u << order) - 1)) + 1;
}

size_t mm_audit(void (*report)(const char *what))
{
	struct audit a = { .report = report };

	for (uint32_t f = 0; f < mm.end;)
		if (!mm_awake(f))
			f = beyond_sleeping(f);
		else
			f = is_plain_group(f) ? f + 64 : audit_frame(&a, f);
	audit_sums(&a);
	audit_contracts(&a);
	return a.found;
}
