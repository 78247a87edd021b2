/* SPDX-License-Identifier: MIT */
/* An owner's name is whole for whoever sees that it is registered. */
#define SUITE "threads.owners"
#include <labyrinth/string.h>

#include "../../test.h"
#include "crew.h"

static const char *const names[2] = { "aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbb" };
static owner_t next;			/* the number that the next one to register gets */

/* Nothing but the register itself tells the others that the name is there. */
static void register_and_look(struct hand *h)
{
	for (unsigned i = 0; i < crew_rounds(600) && !h->crew->late; i++) {
		const char *name = "unknown";

		hand_meet(h);
		if (h->cpu == 0)
			hand_expect(h, owner_register(names[i % 2]).id == next.id);
		for (unsigned spins = 0; strcmp(name, "unknown") == 0; spins++) {
			name = owner_name(next);
			crew_wait(spins);
		}
		hand_expect(h, strcmp(name, names[i % 2]) == 0);
		hand_meet(h);
		if (h->cpu == 0)
			hand_expect(h, owner_unregister(next) == 0);
	}
}

static void learn_the_number(struct crew *c)
{
	(void)c;
	next = owner_register("the next");
	EXPECT_EQ(owner_unregister(next), 0);
}

TEST(a_name_is_whole)
{
	crew_run(&labyrinth_ops, CONFORM_SMALL, 2, learn_the_number, register_and_look, NULL, NULL);
}
