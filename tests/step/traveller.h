/* SPDX-License-Identifier: MIT */
/* What the visitors' files share: traveller.c, meet.c, rival.c. */
#pragma once

#include "step.h"

/* A number below @n, of this visit's. */
uint64_t below(uint64_t n);

/* A call of a visitor's must answer so. */
void expect(enum page_error e, enum page_error wanted, const char *what);

/* What the script has arranged. */
bool traveller_in_passing(void);	/* or only this.  Return: was there something? */
void traveller_meet(void);

/* For rivals: numbers for below(); a block more that he keeps, for which there must be room. */
void traveller_chance(uint64_t *state);
void traveller_make_room(unsigned order);
void traveller_keep(void *page, unsigned order);
bool traveller_give_around(uint32_t f);		/* the block of his that frame is in, if one is */

/* A contract comes and goes; a page of the pool at this address, if he may. */
void traveller_declare(void);
void traveller_draw(uintptr_t pool);
