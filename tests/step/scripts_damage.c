/* SPDX-License-Identifier: MIT */
/* What the interrupted thread does: pages that the hardware reports as damaged. */
#include <labyrinth/damage.h>

#include "scripts.h"

static void hear(owner_t owner, void *block, unsigned order, void *page)
{
	(void)owner;
	(void)block;
	(void)order;
	(void)page;
}

static void damage(frame_t f, bool may_be_free)
{
	enum damage d = DAMAGE_COUNT;

	step_meeting.damaged[step_meeting.ndamaged++] = f;
	STEPPED(1, d = page_damaged(f));
	/* Who is outrun so often that he gives up leaves it listed (TRIES in mm/quarantine.c). */
	if (d == DAMAGE_WAITING && step_lost() >= 4)
		return;
	if (d != DAMAGE_HELD && !(may_be_free && (d == DAMAGE_QUARANTINED || d == DAMAGE_WAITING)))
		step_violation("I1", "a damaged page is %s", damage_name(d));
}

void script_damage(void)
{
	unsigned char *page = script_take_quietly(GFP_ATOMIC, 0);
	unsigned char *block = script_take_quietly(GFP_ATOMIC, 3);
	unsigned char *group = script_take_quietly(GFP_ATOMIC, 6);
	unsigned char *freed = script_take_quietly(GFP_ATOMIC, 0);
	enum damage d = DAMAGE_COUNT;
	const char *name = NULL;
	bool pardoned = false;
	size_t waiting = 0;

	if (!page || !block || !group || !freed)
		return;
	book_pooled += 16;		/* what is in quarantine, the book takes for free */
	STEPPED(0, page_on_damage(step_owner[STEP_THREAD], hear));
	damage(page_to_frame(page), false);
	STEPPED(0, d = page_damaged(page_to_frame(page)));	/* again */
	damage(page_to_frame(block + 3 * PAGE_SIZE), false);
	damage(page_to_frame(group + 3 * PAGE_SIZE), false);
	script_give(page, 0);
	script_give(block, 3);
	script_give(group, 6);
	script_give_quietly(freed, 0);
	damage(page_to_frame(freed), true);
	STEPPED(0, d = page_damaged(page_to_frame(freed)));
	STEPPED(0, d = page_damaged(page_to_frame(book_dead_end())));
	if (d != DAMAGE_RESERVED)
		step_violation("I1", "a dead end that is damaged is %s", damage_name(d));
	STEPPED(0, d = page_damaged(FRAME_NONE));
	STEPPED(0, waiting = page_damaged_retry());
	if (waiting > step_meeting.ndamaged)
		step_violation("I1", "%u pages wait for quarantine", (unsigned)waiting);
	STEPPED(0, mm_audit(NULL));
	STEPPED(0, pardoned = page_pardon(page_to_frame(page)));
	STEPPED(0, pardoned = page_pardon(page_to_frame(page)));
	if (pardoned)
		step_violation("I1", "a page was pardoned twice");
	STEPPED(0, name = damage_name(DAMAGE_HELD));
	STEPPED(0, name = name ? damage_name(DAMAGE_COUNT) : name);
}
