/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing the allocator (libFuzzer): the input is a machine and a sequence of
 * right and wrong calls, made on labyrinth and on the textbook allocator, which
 * must agree on everything but the choice of blocks.
 */
#include "fuzz_alloc.h"

#include "../../arch/host/machine.h"
#include "../textbook/buddy.h"
#include "mirror.h"

#define LIVE    512u
#define HANDLES 32u
#define OWNERS  3u

struct live { frame_t f; uint8_t order; owner_t owner; };

struct remembered { page_handle_t labyrinth; uint32_t generation; };

/* One run. */
static struct {
	const uint8_t *at, *end;	/* the input that is left */
	unsigned ncpu, cpu;
	owner_t owner[OWNERS];
	size_t n;
	struct live live[LIVE];
	size_t squeezed;		/* the first so many of held[] */
	struct live held[LIVE];		/* memory kept from the calls, to make it scarce */
	struct remembered handle[HANDLES];
	unsigned handles;
} r;

static const struct allocator_ops *const a = &labyrinth_ops;

/* --- reading the input */

static unsigned byte(void)
{
	return r.at < r.end ? *r.at++ : 0;
}

static unsigned below(unsigned limit)
{
	return byte() % limit;
}

static uint32_t number(void)
{
	uint32_t v = byte();

	v = v << 8 | byte();
	return v << 8 | byte();
}

/* Mostly somebody, sometimes nobody. */
static owner_t some_owner(void)
{
	unsigned b = byte();

	return b < 240 ? r.owner[b % OWNERS] : (owner_t){ (uint8_t)(b == 255 ? 0xff : b - 240) };
}

static gfp_t some_gfp(void)
{
	static const gfp_t where[] = { 0, 0, GFP_DMA, GFP_DMA32 };
	unsigned b = byte();
	gfp_t gfp = b & 1 ? GFP_NOWAIT : GFP_ATOMIC;

	if (b == 0xff)
		return number();		/* anything at all */
	return gfp | where[b >> 1 & 3] | (b & 8 ? GFP_EXCL : 0u) |
	       ((b & 0x70) == 0x70 ? GFP_ZERO : 0u);
}

/* --- allocation */

static bool sane(gfp_t gfp, unsigned order)
{
	gfp_t b = gfp & GFP_BEHAVIOUR;

	return b != 0 && (b & (b - 1)) == 0 && (gfp & GFP_WHERE) != GFP_WHERE &&
	       (gfp & ~GFP_ALL) == 0 && order <= ORDER_MAX;
}

static void drain_all(void)
{
	for (unsigned i = 0; i < r.ncpu; i++) {
		host_bind_cpu(i);
		a->drain();
	}
	host_bind_cpu(r.cpu);
}

/* NULL: nothing fits, or will fit once other CPUs have drained (I12). */
static frame_t judge_null(gfp_t gfp, unsigned order, owner_t owner)
{
	if (!mirror_fits(gfp, order, true))
		return FRAME_NONE;
	require(r.ncpu > 1, "I12: NULL, but a block fits");
	drain_all();
	frame_t f = a->alloc(gfp, order, owner, NULL);
	require(!frame_is_none(f), "I12: NULL with all caches drained, but a block fits");
	return f;
}

static void check_zero(frame_t f, unsigned order)
{
	const unsigned char *p = a->bytes(f);

	for (size_t i = 0; i < PAGE_SIZE << order; i += 64)
		require(p[i] == 0, "I9: GFP_ZERO, but not zero");
}

static void keep(frame_t f, gfp_t gfp, unsigned order, owner_t owner)
{
	mirror_claim(f, gfp, order, owner);
	if (gfp & GFP_ZERO)
		check_zero(f, order);
	else
		a->bytes(f)[0] = 0xa5;
	r.live[r.n++] = (struct live){ f, (uint8_t)order, owner };
}

static void call_alloc(bool walk)
{
	unsigned order = below(22), shrink = below(3);
	gfp_t gfp = some_gfp();
	owner_t owner = some_owner();
	struct zone_walk w;

	order = shrink == 0 ? order : shrink == 1 ? order % 4 : 0;
	if (gfp & GFP_KERNEL && !mirror_fits(gfp, order, true))
		return;					/* it would wait */
	if (gfp & GFP_ZERO && order > 5)
		gfp &= ~GFP_ZERO;			/* takes too long */
	frame_t f = a->alloc(gfp, order, owner, walk ? &w : NULL);
	if (!sane(gfp, order) || owner.id == 0 || owner.id > the_textbook.owners) {
		require(frame_is_none(f), "a request that makes no sense was served");
		return;
	}
	if (frame_is_none(f))
		f = judge_null(gfp, order, owner);
	if (!frame_is_none(f))
		keep(f, gfp, order, owner);
}

static void call_bulk(void)
{
	frame_t f[100];
	size_t want = below(100), n;

	if (want > LIVE - 1 - r.n)
		return;
	n = a->alloc_bulk(GFP_ATOMIC, want, f, r.owner[0]);
	require(n <= want, "a batch of more than was asked for");
	for (size_t i = 0; i < n; i++)
		keep(f[i], GFP_ATOMIC, 0, r.owner[0]);
	if (n < want) {
		frame_t last = judge_null(GFP_ATOMIC, 0, r.owner[0]);

		if (!frame_is_none(last))
			keep(last, GFP_ATOMIC, 0, r.owner[0]);
	}
}

static uint64_t mirror_free(void)
{
	uint64_t sum = 0;

	for (unsigned z = 0; z < ZONE_COUNT; z++)
		sum += the_textbook.zone[z].free;
	return sum;
}

/* Large blocks first, until @left frames or fewer are free: what then is asked for may fail. */
static void squeeze(uint64_t left)
{
	for (unsigned k = ORDER_COUNT; k-- > 0;)
		while (mirror_free() >= left + (1u << k) && r.squeezed < LIVE &&
		       mirror_fits(GFP_ATOMIC, k, false)) {
			frame_t f = a->alloc(GFP_ATOMIC, k, r.owner[0], NULL);

			f = frame_is_none(f) ? judge_null(GFP_ATOMIC, k, r.owner[0]) : f;
			mirror_claim(f, GFP_ATOMIC, k, r.owner[0]);
			r.held[r.squeezed++] = (struct live){ f, (uint8_t)k, r.owner[0] };
		}
}

/* --- everything else */

static void give(size_t i)
{
	struct live b = r.live[i];

	mirror_judge(a->free(b.f, b.order, b.owner),
		     textbook_free(&the_textbook, b.f, b.order, b.owner), b.f, b.order, b.owner);
}

/* Single pages or not, wrong ones and the same one twice among them: all in one batch. */
static void call_bulk_free(void)
{
	frame_t f[40];
	size_t n = below(40), accepted = 0;

	for (size_t i = 0; i < n; i++) {
		f[i] = r.n > 0 ? r.live[below((unsigned)r.n)].f : (frame_t){ number() };
		f[i].n += byte() == 0xff;
	}
	for (size_t i = 0; i < n; i++)
		accepted += textbook_free(&the_textbook, f[i], 0, r.owner[0]) == PAGE_OK;
	require(a->free_bulk(n, f, r.owner[0]) == accepted, "a batch of frees differs");
}

/* A free or transfer of which anything may be wrong. */
static void call_any(bool transfer)
{
	struct live b = r.n > 0 ? r.live[below((unsigned)r.n)] : (struct live){ .f = { 0 } };
	unsigned how = byte(), order = b.order;
	owner_t owner = b.owner, to = some_owner();

	if (how & 1)
		owner = some_owner();
	if (how & 2)
		order = below(24);
	if (how & 4)
		b.f.n += below(256);
	if (how & 8)
		b.f.n = number();
	if (transfer)
		mirror_judge(a->transfer(b.f, order, owner, to),
			     textbook_transfer(&the_textbook, b.f, order, owner, to), b.f, order,
			     to.id == 0 || to.id > the_textbook.owners ? to : owner);
	else
		mirror_judge(a->free(b.f, order, owner),
			     textbook_free(&the_textbook, b.f, order, owner), b.f, order, owner);
}

/* Entries whose block is gone, or somebody else's by now, are struck off or corrected. */
static void tidy(void)
{
	for (size_t i = 0; i < r.n;) {
		struct textbook_frame *b = buddy_at(&the_textbook, r.live[i].f.n);

		if (b->state == TEXTBOOK_HELD || b->state == TEXTBOOK_EXCLUSIVE) {
			r.live[i].owner = b->owner;
			i++;
		} else {
			r.live[i] = r.live[--r.n];
		}
	}
}

static void call_share(bool more)
{
	frame_t f = r.n > 0 ? r.live[below((unsigned)r.n)].f : (frame_t){ number() };
	uint32_t head;
	owner_t owner = some_owner();

	if (byte() & 1)
		f.n += below(8);
	head = buddy_block_of(&the_textbook, f.n);
	unsigned order = head == f.n ? buddy_at(&the_textbook, f.n)->order : 0;
	mirror_judge(more ? a->share(f, owner) : a->unshare(f, owner),
		     more ? textbook_share(&the_textbook, f, owner) :
			    textbook_unshare(&the_textbook, f, owner), f, order, owner);
}

static void call_handle(void)
{
	unsigned i = below(HANDLES);

	if (byte() & 1 && r.n > 0) {
		frame_t f = r.live[below((unsigned)r.n)].f;

		r.handle[i].labyrinth = a->handle(f);
		r.handle[i].generation = buddy_at(&the_textbook, f.n)->generation;
		if (r.handles <= i)
			r.handles = i + 1;
		return;
	}
	for (unsigned k = 0; k < r.handles; k++) {
		uint32_t f = r.handle[k].labyrinth.frame.n;
		const struct textbook_frame *b = buddy_at(&the_textbook, f);
		bool valid = f != 0 && b->generation == r.handle[k].generation &&
			     (b->state == TEXTBOOK_HELD || b->state == TEXTBOOK_EXCLUSIVE);

		if (f != 0)
			require(a->handle_valid(r.handle[k].labyrinth) == valid,
				"a handle is stale in one of the two");
	}
}

static void call_query(void)
{
	frame_t f = r.n > 0 ? r.live[below((unsigned)r.n)].f : (frame_t){ 0x100 };
	struct page_info l, m;

	f.n += byte() & 1 ? below(64) : 0;
	a->query(f, &l);
	textbook_query(&the_textbook, f, &m);
	require(l.state == m.state, "a frame's state differs");
	require(l.owner.id == m.owner.id, "a frame's owner differs");
	require(l.refs == m.refs, "a frame's references differ");
	if (m.state != PAGE_FREE && m.state != PAGE_RESERVED)
		require(l.head.n == m.head.n && l.order == m.order, "a frame's block differs");
}

static void call(void)
{
	/* How often each is called. */
	static const uint8_t kind[] = {
		0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13,
	};

	switch (kind[below(sizeof(kind))]) {
	case 0: case 1:
		if (r.n < LIVE - 1)
			call_alloc(byte() & 1);
		break;
	case 2:
		if (r.n > 0)
			give(below((unsigned)r.n));
		break;
	case 3: call_any(false); break;
	case 4: call_any(true); break;
	case 5: call_bulk(); break;
	case 6: call_share(true); break;
	case 7: call_share(false); break;
	case 8: call_handle(); break;
	case 9: call_query(); break;
	case 10: call_bulk_free(); break;
	case 11: squeeze(byte() * 4); break;
	case 12:
		a->drain();
		break;
	case 13:
		r.cpu = below(r.ncpu);
		host_bind_cpu(r.cpu);
		break;
	}
	tidy();
}

/* --- the machines */

static const struct frame_range tiny[] = { { 0x100, 0x37f } };
static const struct frame_range two[] = { { 0x100, 0x9f3 }, { 0x9f4, 0x1801 }, { 0x1803, 0x2000 } };
static const struct frame_range three[] = {
	/* The map ends above 4 GiB, so the words of mm/ alone take 8 MiB of the second range. */
	{ 0x100, 0x400 }, { 0x1000, 0x2101 }, { 0x100000, 0x100800 }, { 0x100840, 0x100c01 },
};
static const struct { const struct frame_range *r; size_t n; } machine[] = {
	{ tiny, 1 }, { two, 3 }, { three, 4 },
};

static void give_all(void)
{
	for (size_t i = r.n; i-- > 0;) {
		while (buddy_at(&the_textbook, r.live[i].f.n)->refs > 0)
			mirror_judge(a->unshare(r.live[i].f, r.live[i].owner),
				     textbook_unshare(&the_textbook, r.live[i].f, r.live[i].owner),
				     r.live[i].f, r.live[i].order, r.live[i].owner);
		give(i);
	}
	while (r.squeezed > 0) {
		struct live b = r.held[--r.squeezed];

		/* A wrong call that was right by chance may have freed it, or passed it on. */
		b.owner = buddy_at(&the_textbook, b.f.n)->owner;
		mirror_judge(a->free(b.f, b.order, b.owner),
			     textbook_free(&the_textbook, b.f, b.order, b.owner), b.f, b.order,
			     b.owner);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const name[OWNERS] = { "ariadne", "daedalus", "theseus" };

	r.at = data;
	r.end = data + size;
	r.n = r.squeezed = 0;
	r.handles = r.cpu = 0;
	unsigned m = below(3);
	r.ncpu = 1 + below(3);
	mirror_start(machine[m].r, machine[m].n, r.ncpu);
	for (unsigned i = 0; i < OWNERS; i++) {
		r.owner[i] = a->owner(name[i]);
		the_textbook.owners = r.owner[i].id;
	}
	while (r.at < r.end)
		call();
	mirror_compare(r.ncpu);
	host_bind_cpu(0);
	give_all();
	mirror_compare(r.ncpu);
	mirror_stop();
	return 0;
}
