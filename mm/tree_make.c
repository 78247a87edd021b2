/* SPDX-License-Identifier: MIT */
/* Making a tree, bringing areas into it, and looking at it from outside. */
#include "tree.h"

#include "fill.h"
#include "retry.h"

static uint32_t nodes_at(uint32_t nframes, unsigned l)
{
	uint64_t covers = (uint64_t)1 << (child_order(l) + 3);

	return (uint32_t)((nframes + covers - 1) / covers);
}

/* One level more than covers all, so that even a block of everything has an entry. */
static unsigned root_level(uint32_t nframes)
{
	unsigned l = 2;

	while (((uint64_t)1 << (child_order(l) + 3)) <= nframes)
		l++;
	return l;
}

size_t tree_bytes(uint32_t nframes)
{
	size_t nodes = 0;

	for (unsigned l = 1; l <= root_level(nframes); l++)
		nodes += nodes_at(nframes, l);
	return (size_t)nodes_at(nframes, 1) * NODE_FANOUT * sizeof(atom64_t) +
	       nodes * sizeof(struct node);
}

/* Relaxed: no other CPU looks yet. */
static inline void node_init(struct node *n, uint64_t word, unsigned fill)
{
	atom_poke(&n->word, word);
	atom_poke(&n->fills, fill * (uint64_t)0x0101010101010101);
	atom_poke(&n->homes, 0);
}

void tree_init(struct tree *t, unsigned id, uint32_t base, uint32_t nframes, void *mem)
{
	t->id = id;
	t->key = (uint64_t)(id + 1) << 32;
	t->base = base;
	t->nframes = nframes;
	t->root = root_level(nframes);
	t->bits = mem;

	struct node *n = (struct node *)(void *)
		(t->bits + (size_t)nodes_at(nframes, 1) * NODE_FANOUT);
	for (unsigned l = 1; l <= t->root; l++) {
		t->level[l] = n;
		n += nodes_at(nframes, l);
	}
	t->top = t->level[t->root];
	for (struct node *m = t->level[2]; m < n; m++)
		node_init(m, 0, FILL_EMPTY);
}

void tree_area_init(struct tree *t, uint32_t area)
{
	/* All relaxed: published by whoever first tells others of the area. */
	for (unsigned s = 0; s < NODE_FANOUT; s++)
		atom_poke(&t->bits[area * NODE_FANOUT + s], 0);
	node_init(&t->level[1][area], 0, 0);
}

/* All of level @l, below a block that begins with child @c and has @n, is whole. */
static void nodes_init(struct tree *t, unsigned l, uint32_t c, uint32_t n)
{
	const unsigned each = l == 1 ? 64 : FILL_FREE;

	for (uint32_t i = c / NODE_FANOUT; i < (c + n) / NODE_FANOUT; i++)
		node_init(&t->level[l][i], NODE_ENTRIES, each);
}

void tree_block_init(struct tree *t, uint32_t first, unsigned order)
{
	unsigned top = order_level(order), log = order - child_order(top);
	uint32_t c = first >> child_order(top);
	struct node *n = node_of_child(t, top, c);
	uint64_t w = atom_load(&n->word), new;

	/* Relaxed: published by the CAS that gives the block back, or parts of it. */
	for (uint32_t i = 0; i < 1u << (order - GROUP_ORDER); i++)
		atom_poke(&t->bits[(first >> GROUP_ORDER) + i], UINT64_MAX);
	for (unsigned l = 1; l < top; l++)
		nodes_init(t, l, first >> child_order(l), 1u << (order - child_order(l)));
	/* From NONE to HELD: nobody was promised anything, and nobody is. */
	do {
		new = w + NODE_VERSION;
		for (unsigned i = 0; i < 1u << log; i++)
			new |= (uint64_t)ENTRY_HELD << (c + i) % NODE_FANOUT * ENTRY_BITS;
	} while (!atom_cas(&n->word, &w, new) && retry_count(t->id));
	for (unsigned i = 0; i < 1u << log; i++)
		fill_set_rank(t, top, c + i, FILL_FREE);
}

/*
 * Bits of a group that nobody else knows of.  Return: its entry, DIRTY for a part: who takes out
 * of an open group trusts that all above promises what he leaves (T3).
 */
static uint64_t group_init(struct tree *t, uint32_t group, uint64_t bits)
{
	bool whole = bits == UINT64_MAX;

	/* Relaxed: published by the CAS in tree_groups_add(). */
	atom_poke(&t->bits[group], bits);
	atom_poke8(fill_of(t, 1, group), (uint8_t)bits_count_group(bits));
	return whole ? ENTRY_FULL : bits ? ENTRY_DIRTY : ENTRY_NONE;
}

void tree_groups_add(struct tree *t, uint32_t group, unsigned n, const uint64_t bits[])
{
	uint64_t entries = 0, w = atom_load(&node_of_child(t, 1, group)->word);
	uint32_t area = group / NODE_FANOUT;

	for (unsigned i = 0; i < n; i++)
		entries |= group_init(t, group + i, bits[i])
			   << (group % NODE_FANOUT + i) * ENTRY_BITS;
	/*
	 * They were NONE, and nobody can have taken from them, not even tree_take_frame(); so
	 * those that are whole need not be DIRTY first.  Then T4, as any gift.
	 */
	while (!atom_cas(&t->level[1][area].word, &w, (w | entries) + NODE_VERSION))
		retry_count(t->id);
	for (unsigned i = 0; i < n; i++)
		if (bits[i] && bits[i] != UINT64_MAX)
			tree_settle(t, 1, group + i, false);
	tree_settle(t, 2, area, true);
	if (!fill_hidden(t, 2, area))
		fill_show(t, 1, area);
}

/* The order of the largest aligned run of ones around @bit. */
static unsigned run_around(uint64_t bits, unsigned bit)
{
	unsigned order = 0;

	while (order < GROUP_ORDER) {
		uint64_t run = run_mask(bit & ~((2u << order) - 1), order + 1);
		if ((bits & run) != run)
			break;
		order++;
	}
	return order;
}

/* The same for entries: log of the largest aligned run of @slots around @slot. */
static unsigned slots_around(uint64_t slots, unsigned slot)
{
	unsigned log = 0;

	while (log < 3 && slot_runs(slots, log + 1) >> (slot & ~((2u << log) - 1)) * ENTRY_BITS & 1)
		log++;
	return log;
}

int tree_free_order(const struct tree *t, uint32_t frame)
{
	for (unsigned l = t->root; l >= 1; l--) {
		uint32_t c = frame >> child_order(l);
		uint64_t w = atom_load(&node_of_child(t, l, c)->word);	/* a snapshot */
		unsigned e = node_entry(w, c % NODE_FANOUT);

		if (e == ENTRY_FULL) {
			unsigned order = child_order(l) +
				slots_around(node_full_runs(w, 0), c % NODE_FANOUT);
			return (int)(order < ORDER_MAX ? order : ORDER_MAX);
		}
		if (e == ENTRY_HELD || e == ENTRY_NONE)
			return -1;
	}
	uint64_t bits = atom_load(&t->bits[frame >> GROUP_ORDER]);	/* also */
	return bits >> (frame & 63) & 1 ? (int)run_around(bits, frame & 63) : -1;
}
