/* SPDX-License-Identifier: MIT */
/*
 * Laying ranges over each other until the firmware's list is a partition.
 *
 * A range is laid piece by piece.  A piece lies either within one range of the
 * map or within one hole, so that each step changes one place only.
 */
#include <labyrinth/frame.h>
#include <labyrinth/memmap.h>

#define TOP UINT64_MAX	/* as an end: the last byte of the address space is included */

void memmap_init(struct memmap *m)
{
	m->n = 0;
	m->dropped = 0;
	m->overflow = false;
}

/* The first range that ends after @addr, or n: it covers @addr or is the next one. */
static size_t range_at(const struct memmap *m, uint64_t addr)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->r[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void insert(struct memmap *m, size_t at, struct mem_range r)
{
	for (size_t i = m->n; i > at; i--)
		m->r[i] = m->r[i - 1];
	m->r[at] = r;
	m->n++;
}

static void erase(struct memmap *m, size_t at)
{
	m->n--;
	for (size_t i = at; i < m->n; i++)
		m->r[i] = m->r[i + 1];
}

/* Join range @i with the one after it where they are one range in two parts. */
static void join_next(struct memmap *m, size_t i)
{
	if (i + 1 >= m->n || m->r[i].end != m->r[i + 1].start ||
	    m->r[i].type != m->r[i + 1].type)
		return;
	m->r[i].end = m->r[i + 1].end;
	erase(m, i + 1);
}

static void join_around(struct memmap *m, size_t i)
{
	join_next(m, i);
	if (i > 0)
		join_next(m, i - 1);
}

/* Give [start, end), which lies within range @i, another type. */
static void retype(struct memmap *m, size_t i, uint64_t start, uint64_t end,
		   enum mem_type type)
{
	struct mem_range whole = m->r[i];

	if (end < whole.end)
		insert(m, i + 1, (struct mem_range){ end, whole.end, whole.type });
	m->r[i] = (struct mem_range){ start, end, type };
	if (whole.start < start) {
		insert(m, i, (struct mem_range){ whole.start, start, whole.type });
		i++;
	}
	join_around(m, i);
}

static uint64_t usable_bytes(const struct mem_range *r)
{
	return r->type == MEM_USABLE ? r->end - r->start : 0;
}

/* What merging range @i with the next would lose: usable bytes, then bytes of the hole. */
static bool cheaper(const struct memmap *m, size_t i, size_t than)
{
	const struct mem_range *a = &m->r[i], *b = &m->r[than];
	uint64_t lost_a = usable_bytes(a) + usable_bytes(a + 1);
	uint64_t lost_b = usable_bytes(b) + usable_bytes(b + 1);

	if (lost_a != lost_b)
		return lost_a < lost_b;
	return a[1].start - a->end < b[1].start - b->end;
}

/*
 * Make room by turning two neighbours, and the hole between them, into one dead
 * end.  Forgetting a range instead would be wrong: a usable entry that comes
 * later could then revive what it forbade.
 */
static void merge_cheapest(struct memmap *m)
{
	size_t best = 0;

	for (size_t i = 1; i + 1 < m->n; i++) {
		if (cheaper(m, i, best))
			best = i;
	}
	struct mem_range *a = &m->r[best], *b = a + 1;

	if (a->type < b->type)
		a->type = b->type;
	if (a->type == MEM_USABLE)
		a->type = MEM_RESERVED;
	a->end = b->end;
	erase(m, best + 1);
	join_around(m, best);
	m->overflow = true;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Lay the first piece of [start, end).  Return: where the next piece starts. */
static uint64_t lay_piece(struct memmap *m, uint64_t start, uint64_t end, enum mem_type type)
{
	size_t i = range_at(m, start);
	uint64_t stop;

	if (i < m->n && m->r[i].start <= start) {
		stop = min64(end, m->r[i].end);
		if (m->r[i].type < type)
			retype(m, i, start, stop, type);
	} else {
		stop = i < m->n ? min64(end, m->r[i].start) : end;
		insert(m, i, (struct mem_range){ start, stop, type });
		join_around(m, i);
	}
	if (m->n > MEMMAP_MAX)
		merge_cheapest(m);
	if (m->n > MEMMAP_MAX)		/* a split in the middle adds two */
		merge_cheapest(m);
	return stop;
}

bool memmap_add(struct memmap *m, uint64_t start, uint64_t end, enum mem_type type)
{
	if (end == 0 && start > 0)
		end = TOP;
	else if (end == TOP && type == MEM_USABLE)
		end--;		/* the last byte is not ours, and TOP would include it */
	if (start == TOP && end == TOP && type != MEM_USABLE)
		start--;	/* the last byte alone: forbid its neighbour with it */
	if (start >= end) {
		m->dropped++;
		return false;
	}
	while (start < end)
		start = lay_piece(m, start, end, type);
	return true;
}

/* Frames outward; the top stays the top. */
static uint64_t round_up(uint64_t addr)
{
	uint64_t mask = PAGE_SIZE - 1;

	return addr > TOP - mask ? TOP : (addr + mask) & ~mask;
}

void memmap_mark(struct memmap *m, uint64_t start, uint64_t end, enum mem_type type)
{
	if (end == 0 && start > 0)
		end = TOP;
	if (start >= end || type == MEM_USABLE)
		return;
	start &= ~(uint64_t)(PAGE_SIZE - 1);
	end = round_up(end);
	while (start < end) {
		size_t i = range_at(m, start);

		if (i == m->n)
			return;
		if (m->r[i].start > start)
			start = min64(end, m->r[i].start);
		else if (m->r[i].type == MEM_USABLE)
			start = lay_piece(m, start, end, type);
		else
			start = min64(end, m->r[i].end);
	}
}

enum mem_type memmap_type_at(const struct memmap *m, uint64_t addr, bool *hole)
{
	uint64_t byte = addr == TOP ? addr - 1 : addr;	/* an end of TOP includes it */
	size_t i = range_at(m, byte);
	bool none = i == m->n || m->r[i].start > byte || (addr == TOP && m->r[i].end != TOP);

	if (hole)
		*hole = none;
	return none ? MEM_RESERVED : m->r[i].type;
}
