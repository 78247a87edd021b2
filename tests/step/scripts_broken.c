/* SPDX-License-Identifier: MIT */
/*
 * What the interrupted thread does: an audit of a world in which one thing is wrong, which it must
 * find, and must come to its end.  Who comes in meanwhile only asks: nobody could allocate here.
 */
#include "../../mm/cache.h"
#include "../../mm/contract.h"
#include "../../mm/word.h"
#include "scripts.h"

static owner_t me(void) { return step_owner[STEP_THREAD]; }

static unsigned heard;

static void hear(const char *line)
{
	(void)line;
	heard++;
}

static bool quiet;			/* nobody listens */

/* The audit of what is broken just now, behind which @repair puts it right. */
static void audit_of(const char *what, void (*repair)(void *), void *arg)
{
	size_t found = 0;

	heard = 0;
	step_begin(0);
	found = mm_audit(quiet ? NULL : hear);
	repair(arg);
	step_end();
	if (what && found == 0)
		step_violation("audit", "it does not see %s", what);
	if (heard > 20 || heard > found)
		step_violation("audit", "it says more than it finds, or too much");
}

/* --- a word that says something wrong */

struct poked { atom64_t *word; uint64_t was; };

static void put_right(void *arg)
{
	struct poked *p = arg;

	atom_poke(p->word, p->was);
}

static void broken(atom64_t *word, uint64_t wrong, const char *what)
{
	struct poked p = { word, atom_load(word) };

	if (step_failed())
		return;
	atom_poke(word, wrong);
	audit_of(what, put_right, &p);
}

/* One of this CPU's words, likewise. */
struct local { size_t off; uint64_t was; };

static void put_local_right(void *arg)
{
	struct local *l = arg;

	local_store(l->off, l->was);
}

static void broken_here(size_t off, uint64_t wrong, const char *what)
{
	struct local l = { off, local_load(off) };

	if (step_failed() || step_cpus() > 1)
		return;			/* it may be another CPU's by then */
	local_store(off, wrong);
	audit_of(what, put_local_right, &l);
}

/* --- entries */

static void broken_entry(struct tree *t, unsigned l, uint32_t c, unsigned wrong, const char *what)
{
	atom64_t *word = &node_of_child(t, l, c)->word;
	uint64_t w = atom_load(word);

	broken(word, node_change(w, c % NODE_FANOUT, node_entry(w, c % NODE_FANOUT), wrong), what);
}

/* Of the group of frame @f, and of its area. */
static void entries(uint32_t f)
{
	struct tree *t = &zone_of(f)->tree;

	for (unsigned l = 1; l <= 2; l++) {
		uint32_t c = (f - t->base) >> child_order(l);

		broken_entry(t, l, c, ENTRY_DIRTY, "that an entry is unsettled");
		broken_entry(t, l, c, ENTRY_FULL, "that a child is not whole");
		broken_entry(t, l, c, ENTRY_HELD, "that a child is not held");
		broken_entry(t, l, c, ENTRY_NONE, "that an entry promises nothing");
		broken_entry(t, l, c, ENTRY_OPEN, "that an entry promises too little");
	}
}

/* A block of one whole child of level @l, which is free and merged. */
static void unmerged(gfp_t gfp, unsigned l)
{
	unsigned order = child_order(l);
	void *block = script_take_quietly(gfp, order);
	uint32_t f = page_to_frame(block).n;

	if (!block || step_failed())
		return;
	script_give_quietly(block, order);
	step_drain();
	struct tree *t = &zone_of(f)->tree;
	if (tree_entry(t, l, (f - t->base) >> order) == ENTRY_FULL)
		broken_entry(t, l, (f - t->base) >> order, ENTRY_OPEN + order,
			     "a whole child that is not merged");
}

/* --- frames' words */

/* A page that is held, and one that is free in the tree. */
static void words(uint32_t held, uint32_t free)
{
	struct tree *t = &zone_of(free)->tree;
	atom64_t *bits = &t->bits[(free - t->base) >> GROUP_ORDER];
	uint64_t w = atom_load(word_at(held));

	broken(word_at(held), w & WORD_GEN_MASK, "a free page that is nowhere");
	broken(word_at(held), w | (uint64_t)(CONTRACT_COUNT - 1) << WORD_CONTRACT_SHIFT,
	       "a contract that there is not");
	broken(word_at(held), w | WORD_CONTRACT, "a number that no contract has");
	broken(word_at(free), word_held(PAGE_RESERVED, 0, OWNER_NONE), "a reserved page");
	broken(bits, 0, "that many pages are nowhere");
	quiet = true;
	broken(bits, 0, "the same");
	quiet = false;
	if (free >= mm.hot.first && free - mm.hot.first < atom_load(&mm.hot.frames)) {
		uint32_t first = (free - mm.hot.first) & ~(CACHE_FRAMES - 1);

		broken_here(LOCAL_SECOND, cache_word(first, 1u << free % CACHE_FRAMES),
			    "a page that is free twice");
	}
}

/* What is in quarantine, and free, or not counted. */
static void quarantine(uint32_t f)
{
	broken(word_at(f), word_held(PAGE_QUARANTINED, 0, OWNER_NONE), "quarantine");
}

/* A block of order 3: its own frames, or not. */
static void tails(uint32_t f, atom64_t *promised)
{
	struct tree *t = &zone_of(f)->tree;
	atom64_t *bits = &t->bits[(f - t->base) >> GROUP_ORDER];
	uint64_t w = atom_load(word_at(f));

	broken(word_at(f + 1), w, "a block that is not aligned");
	broken(word_at(f + 3), word_held(PAGE_HELD, 0, me()), "a page inside a block");
	broken(bits, atom_load(bits) | (uint64_t)1 << (f + 2) % 64, "free pages in a block");
	broken(promised, f + 5, "a promised page in a block");
	if (f >= mm.hot.first && f - mm.hot.first < atom_load(&mm.hot.frames))
		broken_here(LOCAL_SECOND, cache_word((f - mm.hot.first) & ~(CACHE_FRAMES - 1),
						     1u << (f + 2) % CACHE_FRAMES),
			    "a cached page in a block");
}

/* --- contracts and sums */

static struct contract *contract_of(contract_t c) { return &contract_table[(uint32_t)c.v]; }

/* A contract for one page, and the page that is set aside. */
static void promises(contract_t c, uint32_t held)
{
	struct contract *k = contract_of(c), *none = &contract_table[CONTRACT_COUNT - 1];
	uint64_t number = (uint64_t)(k - contract_table) << WORD_CONTRACT_SHIFT;

	broken(word_at(held), atom_load(word_at(held)) | number, "one that is out, uncounted");
	broken(word_at(held), atom_load(word_at(held)) | number | (uint64_t)1 << WORD_ORDER_SHIFT,
	       "a block of another order than its contract's");
	broken(&k->ready, atom_load(&k->ready) + 1, "a wrong count of what is aside");
	broken(&k->left, 2, "that a block is missing");
	atom_poke(&none->book, atom_peek(&k->book));
	broken(&none->ctl, ctl_make(0, CONTRACT_MAKING, me(), 0, 0, 1), "one being made");
	broken(&none->ctl, ctl_make(0, CONTRACT_LIVE, me(), 0, 0, 0), NULL);
	broken(&none->ctl, ctl_make(0, CONTRACT_DYING, me(), 0, 0, 1), NULL);
}

static void sums(struct zone *z)
{
	broken(&z->contracted, atom_load(&z->contracted) + 1, "promised frames");
	broken(&z->quarantined, atom_load(&z->quarantined) + 1, "frames in quarantine");
	broken(&z->lent, atom_load(&z->lent) + 1, "lent frames");
	broken(&z->free, atom_load(&z->free) + 1, "free frames");
	broken_here(LOCAL_NET + me().id * sizeof(uint64_t),
		    local_load(LOCAL_NET + me().id * sizeof(uint64_t)) + 1, "an owner's frames");
}

static void all_of(uint32_t held, uint32_t free, uint32_t block, contract_t c)
{
	entries(held);
	words(held, free);
	tails(block, contract_frames(contract_of(c)));
	promises(c, held);
	sums(zone_of(held));
}

static void in_zone(gfp_t where, bool all)
{
	void *page = script_take_quietly(GFP_ATOMIC | where, 0);
	void *near = script_take_quietly(GFP_ATOMIC | where, 0);
	void *block = script_take_quietly(GFP_ATOMIC | where, 3);
	contract_t c = contract_declare(me(), where, 0, 1, NULL);

	if (page && near && block && c.v && !step_failed()) {
		uint32_t held = page_to_frame(page).n, free = page_to_frame(near).n;

		script_give_quietly(near, 0);
		near = NULL;
		step_drain();
		quarantine(held);
		quarantine(free);
		quarantine((uint32_t)atom_peek(&contract_frames(contract_of(c))[0]));
		if (all)
			all_of(held, free, page_to_frame(block).n, c);
	}
	contract_release(c);
	script_give_quietly(page, 0);
	script_give_quietly(near, 0);
	script_give_quietly(block, 3);
}

/* Nothing is wrong: homes are whole and not merged, on each level that there is. */
static void whole_homes(void)
{
	size_t found = 0;

	for (unsigned o = 0; o <= 9; o += 3)
		script_give_quietly(script_take_quietly(GFP_ATOMIC, o), o);
	STEPPED(0, found = mm_audit(hear));
	if (found)
		step_violation("audit", "it finds fault with homes");
}

/* The same of a whole area: that is all there is, or where groups are taken is chance. */
void script_audit_at_home(void)
{
	size_t found = 0;

	if (!script_only_area() || step_failed())
		return;
	script_give_quietly(script_take_quietly(GFP_ATOMIC, GROUP_ORDER), GROUP_ORDER);
	step_meeting.still = true;
	STEPPED(0, found = mm_audit(hear));
	step_meeting.still = false;
	if (found)
		step_violation("audit", "it finds fault with an area that is home");
	script_unfill();
}

void script_broken(void)
{
	static const gfp_t where[] = { 0, GFP_DMA32, GFP_DMA };

	step_drain();
	step_meeting.still = true;
	whole_homes();
	step_drain();
	/* Most of it where there is little, so that the way is not long; the rest by zones. */
	if (mm.hot_zone == &mm.zone[ZONE_DMA])
		in_zone(0, true);
	for (unsigned i = 0; i < 3 && mm.hot_zone != &mm.zone[ZONE_DMA]; i++)
		in_zone(where[i], false);
	unmerged(GFP_ATOMIC, 1);
	unmerged(GFP_ATOMIC, 2);
	step_meeting.still = false;
}
