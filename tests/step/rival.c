/* SPDX-License-Identifier: MIT */
/*
 * Who is faster: the thread has read a word and is about to change it by compare-and-swap, and
 * he changes that very word before, in a way that anybody might.
 */
#include "../../mm/contract.h"
#include "../../mm/home.h"
#include "../../mm/mm_state.h"
#include "../../mm/slow.h"
#include "../../mm/word.h"
#include "traveller.h"

static bool within(uintptr_t word, const void *first, size_t bytes)
{
	return word - (uintptr_t)first < bytes;
}

/* Somebody has settled a child of it, or taken one and given it back: all is as it was. */
static void pass_node(uintptr_t word)
{
	struct node *n = (struct node *)word;
	uint64_t w = atom_load(&n->word);

	atom_cas(&n->word, &w, w + NODE_VERSION);
}

/* A child that is FULL is taken, and kept for a while. */
static void take_child(struct zone *z, unsigned l, uint32_t self, unsigned slot)
{
	struct tree *t = &z->tree;
	const unsigned order = child_order(l);
	const uint32_t first = (self * NODE_FANOUT + slot) << order;

	traveller_make_room(order);
	uint64_t w = atom_load(&t->level[l][self].word);
	if (node_entry(w, slot) != ENTRY_FULL)
		return;				/* what he has given back went there */
	uint64_t left = node_change(w, slot, ENTRY_FULL, ENTRY_HELD);
	atom_cas(&t->level[l][self].word, &w, left);
	if (l < t->root && !tree_taken(t, l + 1, self, left)) {
		tree_give(t, first, order);	/* T3: too late */
		return;
	}
	zone_count(z, -((int64_t)1 << order));
	traveller_keep(slow_hand_out(t->base + first, order, step_owner[STEP_VISITOR], GFP_ATOMIC,
				     0), order);
}

/* The one that is about to be opened or taken.  Return: was there one? */
static bool take_before(struct zone *z, unsigned l, uint32_t self, const struct step_cas *cas)
{
	uint64_t w = atom_load(&z->tree.level[l][self].word);

	for (unsigned slot = 0; child_order(l) <= AREA_ORDER && slot < NODE_FANOUT; slot++)
		if (node_entry(w, slot) == ENTRY_FULL &&
		    node_entry(cas->new, slot) != ENTRY_FULL) {
			take_child(z, l, self, slot);
			return true;
		}
	return false;
}

/* He takes a frame out of what has just become FULL and gives it back, at home there. */
static void open_child(struct tree *t, unsigned l, uint32_t self, const struct step_cas *cas)
{
	for (unsigned slot = 0; slot < NODE_FANOUT; slot++) {
		uint32_t f = (self * NODE_FANOUT + slot) << child_order(l);

		if (node_entry(cas->new, slot) != ENTRY_FULL ||
		    node_entry(cas->old, slot) == ENTRY_FULL || !tree_take_frame(t, f))
			continue;
		home_move(t, 0, f >> GROUP_ORDER);
		tree_give_bits(t, f >> GROUP_ORDER, (uint64_t)1 << f % 64, 1);
	}
}

static void outrun_node(struct zone *z, const struct step_cas *cas, enum step_rival how)
{
	struct tree *t = &z->tree;
	unsigned l = 1;

	while (l < t->root && cas->word >= (uintptr_t)t->level[l + 1])
		l++;
	uint32_t self = (uint32_t)((struct node *)cas->word - t->level[l]);
	if (how == STEP_OPENS)
		open_child(t, l, self, cas);
	else if (how == STEP_PASSES || !take_before(z, l, self, cas))
		pass_node(cas->word);
}

/* One of a group's frames is taken, and kept for a while.  Return: was there one? */
static bool thin_out(struct zone *z, uint32_t group)
{
	struct tree *t = &z->tree;

	traveller_make_room(0);
	for (uint64_t bits = atom_load(&t->bits[group]); bits; bits &= bits - 1) {
		uint32_t f = group * 64 + (uint32_t)__builtin_ctzll(bits);

		if (!tree_take_frame(t, f))
			continue;
		zone_count(z, -1);
		traveller_keep(slow_hand_out(t->base + f, 0, step_owner[STEP_VISITOR], GFP_ATOMIC,
					     0), 0);
		return true;
	}
	return false;
}

/*
 * A group that is whole is merged and taken, so that who takes bits there comes too late; and when
 * he puts them back, it has been given back, and others take from it.
 */
static void outrun_bits(struct zone *z, uint32_t group, enum step_rival how)
{
	struct tree *t = &z->tree;

	if (how == STEP_TAKES && atom_load(&t->bits[group]) == UINT64_MAX &&
	    !entry_parked(tree_entry(t, 1, group))) {
		tree_settle(t, 1, group, true);
		if (tree_entry(t, 1, group) == ENTRY_FULL)
			take_child(z, 1, group / NODE_FANOUT, group % NODE_FANOUT);
	} else if (!thin_out(z, group) && traveller_give_around(t->base + group * 64)) {
		thin_out(z, group);
	}
}

/* A block goes to another owner and back. */
static void pass_on(uint32_t f)
{
	uint64_t w = atom_load(word_at(f));
	owner_t owner = word_owner(w);
	owner_t to = step_owner[owner.id == step_owner[STEP_HEIR].id ? STEP_VISITOR : STEP_HEIR];
	void *page = frame_to_page((frame_t){ f });

	if (!word_is_idle(w, word_order(w), owner))
		return;
	expect(page_transfer(page, word_order(w), owner, to), PAGE_OK, "transfer");
	expect(page_transfer(page, word_order(w), to, owner), PAGE_OK, "transfer back");
}

static void wake_area(struct zone *z)
{
	uint32_t first;
	bool taken;

	if (zone_wake(z, AREA_ORDER, &first, &taken) && taken)
		tree_give(&z->tree, first, AREA_ORDER);
}

static void wake_group(struct zone *z)
{
	uint32_t group;
	uint64_t bits;

	if (zone_wake_group(z, &group, &bits) && bits)
		tree_give_bits(&z->tree, group, bits, bits_count((uint32_t)bits) +
						      bits_count((uint32_t)(bits >> 32)));
}

static bool outrun_in_zone(struct zone *z, const struct step_cas *cas, enum step_rival how)
{
	const uintptr_t word = cas->word;
	const struct tree *t = &z->tree;
	const unsigned char *nodes = (const unsigned char *)t->level[1];
	const size_t bits = (size_t)(nodes - (const unsigned char *)t->bits);

	if (z->total == 0)
		return false;
	if (within(word, t->bits, bits))
		outrun_bits(z, (uint32_t)((word - (uintptr_t)t->bits) / sizeof(atom64_t)), how);
	else if (within(word, nodes, tree_bytes(t->nframes) - bits))
		outrun_node(z, cas, how);
	else if (word == (uintptr_t)&z->cursor)
		wake_area(z);
	else if (word == (uintptr_t)&z->part)
		wake_group(z);
	else
		return false;
	return true;
}

void traveller_outrun(const struct step_cas *cas, enum step_rival how, uint64_t *state)
{
	const uintptr_t word = cas->word;
	uint64_t index = (word - (uintptr_t)mm.words) / sizeof(atom64_t);

	traveller_chance(state);
	for (unsigned z = 0; z < ZONE_COUNT; z++)
		if (outrun_in_zone(&mm.zone[z], cas, how))
			return;
	if (within(word, contract_table, sizeof contract_table))
		traveller_declare();
	else if (within(word, &mm, sizeof mm) || within(word, mm.awake, (mm.end >> 9) + 8))
		wake_group(mm.hot_zone);
	else if (word >= (uintptr_t)mm.words && index < (uint64_t)mm.end - mm.gap)
		pass_on((uint32_t)(index < mm.high - mm.gap ? index : index + mm.gap));
	else
		traveller_draw(word & ~(uintptr_t)(PAGE_SIZE - 1));
}
