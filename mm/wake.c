/* SPDX-License-Identifier: MIT */
/*
 * Waking memory that has never been touched.
 *
 *      cursor  63        44 43       32 31                 0
 *             +------------+-----------+--------------------+
 *             | unfinished |   range   |        area        |
 *             +------------+-----------+--------------------+
 *
 * From the cursor on nothing has been woken.  An area is claimed there by a CAS.  Who wants
 * large blocks wakes all of it into the tree.  Who wants single frames wakes one group,
 * keeps it, and leaves the other groups in the *part*, {range, group}: the group that is next,
 * and those behind it in its area.  Of the groups there each is claimed by a CAS likewise.
 *
 * Z1  A group's words and bits belong to who has claimed it, until it says in mm.awake that
 *     the words are there.  A group that sleeps has no bit set, and its entry is NONE.
 * Z2  "Unfinished" counts an area from the CAS that claims it for a part until its last group
 *     has been claimed, in two steps: PART when the part is there, and in between CLAIMED.
 *     So at (range nranges, unfinished 0) nothing sleeps, and nothing ever will.  Each has
 *     ten bits: 1023 travellers may be stopped between a claim and its count.
 * Z3  While the range is nranges CLAIMED only shrinks, and PART only grows when it does.  So
 *     who reads the same cursor twice knows that between them no part appeared whose maker
 *     has gone on, and none that he saw empty was full.
 * Z4  The same part never comes twice: each area is claimed once.
 */
#include "mm_state.h"

#include <labyrinth/string.h>

#include "home.h"
#include "retry.h"
#include "word.h"

#define AREA_FRAMES  ((uint64_t)1 << AREA_ORDER)
#define GROUP_FRAMES ((uint64_t)1 << GROUP_ORDER)

#define CURSOR_CLAIMED ((uint64_t)1 << 44)
#define CURSOR_PART    ((uint64_t)1 << 54)
#define CURSOR_RANGE   ((uint64_t)0xfff << 32)

_Static_assert(MEMMAP_MAX + 2 <= CURSOR_RANGE >> 32, "a zone's ranges can be counted");

/* Who is next to wake, counted from the zone's base, and the first range that it can lie in. */
struct sleeper { uint32_t range, group; };

static struct sleeper sleeper_of(uint64_t part)
{
	return (struct sleeper){ (uint32_t)(part >> 32), (uint32_t)part };
}

/* The area where the cursor stands. */
static struct sleeper sleeper_at(uint64_t cursor)
{
	return (struct sleeper){ (uint32_t)((cursor & CURSOR_RANGE) >> 32),
				 (uint32_t)cursor * NODE_FANOUT };
}

/* --- what is there to wake */

/* Usable frames in [first, end), from range @i on. */
static uint64_t usable(const struct zone *z, uint32_t i, uint64_t first, uint64_t end)
{
	uint64_t sum = 0;

	for (; i < z->nranges && z->range[i].first < end; i++) {
		uint64_t from = z->range[i].first > first ? z->range[i].first : first;
		uint64_t to = z->range[i].end < end ? z->range[i].end : end;

		sum += to > from ? to - from : 0;
	}
	return sum;
}

uint64_t zone_usable(const struct zone *z, uint64_t first, uint64_t end)
{
	return usable(z, 0, first, end);
}

uint64_t zone_sleeping(const struct zone *z, uint64_t first, uint64_t end)
{
	uint64_t cursor = atom_load(&z->cursor);	/* a snapshot; pairs with the claims */
	uint64_t from = (uint32_t)cursor * AREA_FRAMES;
	uint64_t sum = usable(z, (uint32_t)((cursor & CURSOR_RANGE) >> 32),
			      from > first ? from : first, end);

	struct sleeper s = sleeper_of(atom_load(&z->part));	/* likewise */
	uint64_t to = (s.group / NODE_FANOUT + 1) * AREA_FRAMES;

	from = s.group * GROUP_FRAMES;
	if (s.group)
		sum += usable(z, s.range, from > first ? from : first, to < end ? to : end);
	return sum;
}

/* Ones for the frames [first, end) among the 64 from @start. */
static uint64_t bits_between(uint64_t start, uint64_t first, uint64_t end)
{
	uint64_t from = first > start ? first - start : 0;
	uint64_t to = end < start + 64 ? end - start : 64;

	if (end <= start || from >= to)
		return 0;
	return UINT64_MAX >> (64 - (to - from)) << from;
}

/* The usable frames of a group; nearly always one range has it all. */
static uint64_t group_bits(const struct zone *z, struct sleeper s)
{
	uint64_t start = s.group * GROUP_FRAMES, bits = 0;

	for (uint32_t i = s.range; i < z->nranges && z->range[i].first < start + 64; i++)
		bits |= bits_between(start, z->range[i].first, z->range[i].end);
	return bits;
}

uint64_t zone_sleeping_bits(const struct zone *z, uint32_t group)
{
	uint64_t first = group * GROUP_FRAMES;

	return zone_sleeping(z, first, first + GROUP_FRAMES)
		? group_bits(z, (struct sleeper){ 0, group }) : 0;
}

/* --- words and bits of what has been claimed (Z1) */

/* The window reaches as far as groups are awake without a gap. */
void hot_grow(void)
{
	uint64_t n = atom_load(&mm.hot.frames);		/* pairs with the CAS below */
	const uint64_t end = mm.hot_zone->tree.nframes - (mm.hot.first - mm.hot_zone->tree.base);

	while (n < end) {
		uint64_t number = (mm.hot.first + n) >> GROUP_ORDER;
		/* Pairs with the CAS in words_wake(): whoever sees the bit sees the words. */
		uint64_t sleep = ~(atom_load(&mm.awake[number / 64]) >> number % 64);
		uint64_t run = sleep ? (unsigned)__builtin_ctzll(sleep) : 64;

		if (run == 0)
			return;
		/* Pairs with every load of the window: who sees it grown sees the words. */
		if (atom_cas(&mm.hot.frames, &n, n + run * GROUP_FRAMES))
			n += run * GROUP_FRAMES;
	}
}

static void reserve_words(atom64_t *word, uint64_t which)
{
	while (which) {
		unsigned at = (unsigned)__builtin_ctzll(which);
		uint64_t after = ~(which >> at);
		unsigned n = after ? (unsigned)__builtin_ctzll(after) : 64;

		/* Most often they are many, side by side. */
		for (atom64_t *w = &word[at], *end = w + n; w < end; w++)
			atom_poke(w, word_held(PAGE_RESERVED, 0, OWNER_NONE));
		which &= UINT64_MAX << at << (n - 1) << 1;
	}
}

/* Pairs with the load in mm_awake(): whoever sees the bits sees the words. */
static void set_awake(const struct zone *z, uint32_t number, uint32_t n)
{
	for (uint32_t some; n; number += some, n -= some) {
		atom64_t *awake = &mm.awake[number / 64];
		uint64_t old = atom_load(awake);

		some = 64 - number % 64 < n ? 64 - number % 64 : n;
		while (!atom_cas(awake, &old, old | UINT64_MAX >> (64 - some) << number % 64))
			retry_count(z->tree.id);
	}
	if (z == mm.hot_zone)
		hot_grow();
}

/*
 * Words for @n groups, of which @bits are usable, or all if there are none.  Relaxed or plain:
 * they are the waker's until the awake bits publish them.
 */
static void words_wake(const struct zone *z, uint32_t group, uint32_t n, const uint64_t bits[])
{
	uint32_t number = (z->tree.base >> GROUP_ORDER) + group;
	atom64_t *word = word_at(number << GROUP_ORDER);

	memset(word, 0, n * GROUP_FRAMES * sizeof *word);
	for (uint32_t i = 0; bits && i < n; i++)
		reserve_words(word + i * GROUP_FRAMES, ~bits[i]);
	set_awake(z, number, n);
}

/* The claimed groups from @s to the end of their area, into the tree. */
static void wake_rest(struct zone *z, struct sleeper s)
{
	uint64_t bits[NODE_FANOUT];
	unsigned n = NODE_FANOUT - s.group % NODE_FANOUT;

	for (unsigned i = 0; i < n; i++)
		bits[i] = group_bits(z, (struct sleeper){ s.range, s.group + i });
	words_wake(z, s.group, n, bits);
	tree_groups_add(&z->tree, s.group, n, bits);
}

/* Pairs with enlist(): a page reported before its group woke is looked for, in the tree. */
static bool look_for_damage(void)
{
	return __builtin_expect(atom_load(&mm.ndamaged) != 0, 0);
}

void zone_bridge(struct zone *z, uint32_t area)
{
	static const uint64_t none[NODE_FANOUT] = { 0 };

	tree_area_init(&z->tree, area);
	words_wake(z, area * NODE_FANOUT, NODE_FANOUT, none);
}

/* --- claiming */

/* The cursor behind the area that it names. */
static uint64_t next_area(const struct zone *z, uint64_t at)
{
	uint32_t i = (uint32_t)((at & CURSOR_RANGE) >> 32), next = (uint32_t)at + 1;

	while (i < z->nranges && z->range[i].end <= next * AREA_FRAMES)
		i++;
	if (i < z->nranges && z->range[i].first > next * AREA_FRAMES)
		next = z->range[i].first >> AREA_ORDER;
	return (at & ~(CURSOR_RANGE | UINT32_MAX)) | (uint64_t)i << 32 | next;
}

/* The next area, for a part.  Return: false if there is none. */
static bool claim_area(struct zone *z, struct sleeper *s)
{
	uint64_t at = atom_load(&z->cursor);

	do {
		*s = sleeper_at(at);
		if (s->range >= z->nranges)
			return false;
		/* Pairs with itself: of two who saw the same area one claims it. */
	} while (!atom_cas(&z->cursor, &at, next_area(z, at) + CURSOR_CLAIMED) &&
		 retry_count(z->tree.id));
	/* All relaxed: published by the CAS that puts the part there. */
	tree_area_init(&z->tree, s->group / NODE_FANOUT);
	return true;
}

/* The largest aligned block, of @order at most, that begins with area @s; 0: that has holes. */
static unsigned block_order(const struct zone *z, struct sleeper s, unsigned order)
{
	const struct frame_range *r = &z->range[s.range];
	uint64_t first = s.group * GROUP_FRAMES;

	if (r->first > first)
		return 0;
	while (order >= AREA_ORDER && (first & (((uint64_t)1 << order) - 1) ||
				       first + ((uint64_t)1 << order) > r->end))
		order--;
	return order >= AREA_ORDER ? order : 0;
}

/* A block of areas, of @order at most, as block_order() says.  Return: false if there is none. */
static bool claim_block(struct zone *z, unsigned most, struct sleeper *s, unsigned *order)
{
	uint64_t at = atom_load(&z->cursor);
	uint32_t areas;

	do {
		*s = sleeper_at(at);
		if (s->range >= z->nranges)
			return false;
		*order = block_order(z, *s, most);
		areas = *order ? 1u << (*order - AREA_ORDER) : 1;
		/* Pairs with itself, and with claim_area(). */
	} while (!atom_cas(&z->cursor, &at, next_area(z, at + areas - 1)) &&
		 retry_count(z->tree.id));
	return true;
}

/* The part behind its group @s; 0: nothing is left of it. */
static uint64_t part_after(const struct zone *z, struct sleeper s)
{
	uint32_t next = s.group + 1;
	bool any = next % NODE_FANOUT && next * GROUP_FRAMES < z->range[z->nranges - 1].end;

	return any ? (uint64_t)s.range << 32 | next : 0;
}

/* Of the part the next group, or @all of it.  Return: false if it is empty. */
static bool claim_part(struct zone *z, bool all, struct sleeper *s)
{
	uint64_t at = atom_load(&z->part), then;

	do {
		*s = sleeper_of(at);
		if (at == 0)
			return false;
		then = all ? 0 : part_after(z, *s);
		/* Pairs with itself, and with leave_part(): of two one claims the group. */
	} while (!atom_cas(&z->part, &at, then) && retry_count(z->tree.id));
	if (then == 0)
		atom_add(&z->cursor, -CURSOR_PART);	/* Z2 */
	return true;
}

/* What sleeps in an area behind its group @s is left for whoever comes next. */
static void leave_part(struct zone *z, struct sleeper s)
{
	uint64_t part = part_after(z, s), none = 0;

	/* Pairs with claim_part(): who sees it sees the area's node. */
	if (part && atom_cas(&z->part, &none, part)) {
		atom_add(&z->cursor, CURSOR_PART - CURSOR_CLAIMED);	/* Z2 */
		return;
	}
	/* Another has left one since we looked: two would part the hot window. */
	if (part)
		wake_rest(z, sleeper_of(part));
	atom_add(&z->cursor, -CURSOR_CLAIMED);
}

static bool claim_group(struct zone *z, struct sleeper *s)
{
	if (claim_part(z, false, s))
		return true;
	if (!claim_area(z, s))
		return false;
	leave_part(z, *s);
	return true;
}

bool zone_wake_group(struct zone *z, uint32_t *group, uint64_t *bits)
{
	struct sleeper s;

	do {
		if (!claim_group(z, &s))
			return false;
		*bits = group_bits(z, s);
		words_wake(z, s.group, 1, bits);
	} while (*bits == 0);
	*group = s.group;
	if (look_for_damage()) {
		tree_groups_add(&z->tree, s.group, 1, bits);
		page_damaged_retry();
		*bits = 0;
	}
	return true;
}

/* What sleeps of an area.  Return: how many frames, usable or not. */
static uint64_t wake_part(struct zone *z)
{
	struct sleeper s;

	if (!claim_part(z, true, &s))
		return 0;
	wake_rest(z, s);
	return AREA_FRAMES - s.group % NODE_FANOUT * GROUP_FRAMES;
}

/* A block of @order for its waker alone, if that is @taken, or else for the tree. */
static void wake_block(struct zone *z, struct sleeper s, unsigned order, bool *taken)
{
	uint32_t first = s.group << GROUP_ORDER;

	words_wake(z, s.group, 1u << (order - GROUP_ORDER), NULL);
	tree_block_init(&z->tree, first, order);
	if (look_for_damage())
		*taken = false;
	if (!*taken)
		tree_give(&z->tree, first, order);
}

uint64_t zone_wake(struct zone *z, unsigned order, uint32_t *block, bool *taken)
{
	struct sleeper s;
	unsigned claimed;
	uint64_t n = AREA_FRAMES;

	*taken = false;
	if (!claim_block(z, order > AREA_ORDER ? order : AREA_ORDER, &s, &claimed)) {
		n = wake_part(z);
	} else if (claimed) {
		*block = s.group << GROUP_ORDER;
		*taken = claimed == order;
		n = (uint64_t)1 << claimed;
		wake_block(z, s, claimed, taken);
	} else {
		tree_area_init(&z->tree, s.group / NODE_FANOUT);
		wake_rest(z, s);
	}
	if (n && look_for_damage())
		page_damaged_retry();
	return n;
}
