/* SPDX-License-Identifier: MIT */
/* Drawing on reserve contracts and giving back to them; contract.h has the rules. */
#include "contract.h"

#include <labyrinth/panic.h>
#include <labyrinth/string.h>

#include "block.h"
#include "word.h"

struct contract contract_table[CONTRACT_COUNT];
atom64_t contract_count;

void contract_reset_all(void)
{
	memset(contract_table, 0, sizeof contract_table);
	atom_poke(&contract_count, 0);
}

static void count_aside(uint32_t f, int64_t frames)
{
	atom_add(&zone_of(f)->contracted, (uint64_t)frames);	/* a counter: pairs with nothing */
}

/* The lowest bit of a word, if any. */
static bool take_bit(atom64_t *word, unsigned *bit)
{
	uint64_t w = atom_load(word);		/* pairs with contract_give()'s addition */

	while (w)
		/* Pairs with that of another taker: each gets another bit (K2). */
		if (atom_cas(word, &w, w & (w - 1))) {
			*bit = (unsigned)__builtin_ctzll(w);
			return true;
		}
	return false;
}

/* K2: out of the contract that @ctl was read from.  Return: false if it has none aside. */
static bool take_slot(struct contract *c, uint64_t ctl, uint32_t *frame)
{
	uint64_t r = atom_load(&c->ready);	/* pairs with contract_give(): K2 */
	unsigned bit;

	do {
		if (r >> 32 != ctl_generation(ctl) || (uint32_t)r == 0)
			return false;
		/* Pairs with the addition in contract_give(): its bit was set before. */
	} while (!atom_cas(&c->ready, &r, r - 1));
	for (unsigned i = 0;; i = (i + 1) % CONTRACT_WORDS)
		if (take_bit(&c->bits[i], &bit)) {
			*frame = (uint32_t)atom_peek(&contract_frames(c)[i * 64 + bit]);
			count_aside(*frame, -((int64_t)1 << ctl_order(ctl)));
			return true;
		}
}

/* The last slot whose block begins at or below @f; 0 if none does. */
static unsigned slot_near(const struct contract *c, unsigned blocks, uint32_t f)
{
	const atom64_t *frame = contract_frames(c);
	unsigned low = 0, n = blocks;

	while (n > 1) {
		unsigned half = n / 2;

		if (atom_peek(&frame[low + half]) <= f)
			low += half;
		n -= half;
	}
	return low;
}

void contract_end(struct contract *c, uint64_t ctl)
{
	uint64_t next = (ctl_generation(ctl) + 1) << 32;

	atom_poke(&c->ready, next);
	/* CONTRACT_FREE: pairs with the CAS in claim(). */
	atom_store(&c->ctl, next);
	atom_add(&contract_count, UINT64_MAX);	/* pairs with take_promised(), who may be late */
}

void contract_sweep(struct contract *c, uint64_t ctl)
{
	unsigned order = ctl_order(ctl);
	uint32_t f;

	while (take_slot(c, ctl, &f)) {
		zone_give(zone_of(f), f, order);
		/* Pairs with the other sweepers': the last one ends the contract. */
		if (atom_add(&c->left, UINT64_MAX) != 1)
			continue;
		KASSERT(freepage(contract_frames(c), OWNER_KERNEL) == PAGE_OK);
		contract_end(c, ctl);
		return;
	}
}

uint64_t contract_take(unsigned top, unsigned order, owner_t owner, uint32_t *frame)
{
	for (unsigned i = 1; i < CONTRACT_COUNT; i++) {
		struct contract *c = &contract_table[i];
		uint64_t ctl = atom_load(&c->ctl);	/* pairs with the store in begin() */

		if (ctl_state(ctl) != CONTRACT_LIVE || ctl_owner(ctl).id != owner.id ||
		    ctl_order(ctl) != order || ctl_zone(ctl) > top || !take_slot(c, ctl, frame))
			continue;
		atom_add(&c->served, 1);
		return (uint64_t)i << WORD_CONTRACT_SHIFT;
	}
	return 0;
}

void contract_give(uint64_t w, uint32_t frame)
{
	struct contract *c = &contract_table[w >> WORD_CONTRACT_SHIFT];
	uint64_t ctl = atom_load(&c->ctl);	/* pairs with begin(): our block keeps it (K1) */
	unsigned slot = slot_near(c, ctl_blocks(ctl), frame);

	if (atom_peek(&contract_frames(c)[slot]) != frame)
		panic("frame 0x%x says that it is contract %u's, which does not know it", frame,
		      (unsigned)(w >> WORD_CONTRACT_SHIFT));
	count_aside(frame, (int64_t)1 << ctl_order(ctl));
	/* Both pair with take_slot(), in this order: K2. */
	atom_add(&c->bits[slot / 64], (uint64_t)1 << slot % 64);
	atom_add(&c->ready, 1);
	ctl = atom_load(&c->ctl);		/* pairs with the CAS to DYING: K4 */
	if (ctl_state(ctl) == CONTRACT_DYING)
		contract_sweep(c, ctl);
	tell_freed();
}

bool contract_binds(owner_t owner)
{
	for (unsigned i = 1; i < CONTRACT_COUNT; i++) {
		uint64_t ctl = atom_load(&contract_table[i].ctl);	/* pairs with claim() */

		if (ctl_owner(ctl).id == owner.id && (ctl_state(ctl) == CONTRACT_LIVE ||
						      ctl_state(ctl) == CONTRACT_MAKING))
			return true;
	}
	return false;
}

uint64_t contract_find(uint32_t f, uint32_t *head)
{
	for (unsigned i = 1; i < CONTRACT_COUNT; i++) {
		const struct contract *c = &contract_table[i];
		/* Pairs with begin(); read again below, in case the book was another's by then. */
		uint64_t ctl = atom_load(&c->ctl);

		if (ctl_state(ctl) != CONTRACT_LIVE && ctl_state(ctl) != CONTRACT_DYING)
			continue;
		unsigned slot = slot_near(c, ctl_blocks(ctl), f);
		uint32_t first = (uint32_t)atom_peek(&contract_frames(c)[slot]);
		bool aside = atom_load(&c->bits[slot / 64]) >> slot % 64 & 1;
		if (!aside || f < first || f - first >= 1u << ctl_order(ctl) ||
		    atom_load(&c->ctl) != ctl)
			continue;
		*head = first;
		return ctl;
	}
	return 0;
}
