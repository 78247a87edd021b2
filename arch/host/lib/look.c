/* SPDX-License-Identifier: MIT */
/* The library's statistics, audit and words. */
#include <labyrinth/mm.h>

#include <string.h>

#include "library.h"

_Static_assert((unsigned)LAB_ZONES == (unsigned)ZONE_COUNT, "the header's zones");

static void add(struct lab_stats *sum, const struct zone_stats *z)
{
	sum->total += z->total;
	sum->free += z->free;
	sum->held += z->held;
	sum->cached += z->cached;
	sum->asleep += z->asleep;
	for (unsigned o = 0; o < LAB_ORDERS; o++)
		sum->blocks[o] += z->blocks[o];
}

int lab_zone_stats(unsigned zone, struct lab_stats *out)
{
	struct zone_stats z;

	memset(out, 0, sizeof(*out));
	if (!ready())
		return LAB_NOT_READY;
	if (zone >= LAB_ZONES)
		return LAB_BAD_ZONE;
	zone_stats((enum zone_id)zone, &z);
	add(out, &z);
	out->min = z.min;
	out->low = z.low;
	return LAB_OK;
}

void lab_stats(struct lab_stats *out)
{
	struct zone_stats z;

	memset(out, 0, sizeof(*out));
	for (unsigned zone = 0; zone < LAB_ZONES; zone++) {
		zone_stats((enum zone_id)zone, &z);
		add(out, &z);
	}
}

int lab_owner_stats(lab_owner owner, struct lab_owner_stats *out)
{
	struct owner_stats s;

	memset(out, 0, sizeof(*out));
	if (!ready())
		return LAB_NOT_READY;
	if (!owner_registered((owner_t){ owner }))
		return LAB_BAD_OWNER;
	owner_stats((owner_t){ owner }, &s);
	*out = (struct lab_owner_stats){ .held = s.held, .peak = s.peak, .reserve = s.reserve };
	for (unsigned r = 0; r < ZONE_REFUSAL_COUNT; r++)
		out->failures += s.failures[r];
	return LAB_OK;
}

uint64_t lab_metadata_bytes(void)
{
	struct mm_stats s;

	mm_stats(&s);
	return s.metadata_bytes;
}

uint64_t lab_retries(void)
{
	struct mm_stats s;

	mm_stats(&s);
	return s.retries;
}

uint64_t lab_refused(int error)
{
	struct mm_stats s;

	mm_stats(&s);
	return error > LAB_OK && error < PAGE_ERROR_COUNT ? s.bad_frees[error] : 0;
}

void lab_query(lab_frame f, struct lab_info *out)
{
	struct page_info i;

	page_query((frame_t){ f }, &i);
	*out = (struct lab_info){
		.head = i.head.n, .order = i.order, .owner = i.owner.id,
		.generation = i.generation, .refs = i.refs, .state = page_state_name(i.state),
	};
}

size_t lab_audit(void (*report)(const char *what))
{
	return mm_audit(report);
}

const char *lab_error_name(int error)
{
	static const char *const names[LAB_ERRORS] = {
		[LAB_NO_MEMORY] = "no free block of this order that the caller may have",
		[LAB_BAD_ORDER] = "orders go up to 18",
		[LAB_BAD_FLAGS] = "flags must be one behaviour, at most one zone limit, options",
		[LAB_NOT_READY] = "call lab_init() first",
		[LAB_NOT_BOUND] = "this thread plays no CPU: call lab_bind() first",
		[LAB_BAD_RANGE] = "no frames, or beyond the highest frame number",
		[LAB_BAD_CPUS] = "there must be 1 to 256 CPUs",
		[LAB_BAD_CPU] = "not one of the CPUs given to lab_init()",
		[LAB_CPU_BUSY] = "another thread plays this CPU",
		[LAB_NO_ADDRESS_SPACE] = "the system refused to reserve the address space",
		[LAB_IN_USE] = "the owner still holds frames",
		[LAB_BAD_ZONE] = "there are zones 0 to 2",
	};

	if (error >= LAB_OK && error < PAGE_ERROR_COUNT)
		return page_error_name((enum page_error)error);
	return error > LAB_OK && error < LAB_ERRORS ? names[error] : "unknown";
}
