/* SPDX-License-Identifier: MIT */
/* Making a tree, bringing areas into it, and looking at it from outside. */
#include "tree.h"

#include <labyrinth/string.h>

#include "fill.h"

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

void tree_init(struct tree *t, unsigned id, uint32_t base, uint32_t nframes, void *mem)
{
	t->id = id;
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
	memset(t->level[2], 0, (size_t)((unsigned char *)n - (unsigned char *)t->level[2]));
	for (struct node *m = t->level[2]; m < n; m++)
		/* Relaxed: no other CPU looks yet. */
		atom_poke(&m->fills, FILL_EMPTY * (uint64_t)0x0101010101010101);
}

void tree_area_init(struct tree *t, uint32_t area, const uint64_t bits[NODE_FANOUT])
{
	struct node *n = &t->level[1][area];
	uint64_t w = 0;

	/* All relaxed: published by the CAS in tree_area_publish()'s settling. */
	for (unsigned s = 0; s < NODE_FANOUT; s++) {
		unsigned entry = ENTRY_FULL, free = 64;

		if (bits[s] != UINT64_MAX) {
			entry = bits_code(bits[s]);
			free = bits_count((uint32_t)bits[s]) +
			       bits_count((uint32_t)(bits[s] >> 32));
		}
		atom_poke(&t->bits[area * NODE_FANOUT + s], bits[s]);
		atom_poke8(&n->fill[s], (uint8_t)free);
		w |= (uint64_t)entry << s * ENTRY_BITS;
	}
	atom_poke(&n->word, w);
}

void tree_area_publish(struct tree *t, uint32_t area)
{
	/* The entry is NONE until here; settling reads the area and promises it upward. */
	tree_settle(t, 2, area, true);
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
