/* SPDX-License-Identifier: MIT */
/* Where visitors have been, in this run and since the start, and where they had better go. */
#include "places.h"

#include <labyrinth/string.h>

uint8_t step_cover[STEP_TEXT_MAX], step_moved[STEP_TEXT_MAX];
static uint8_t been[STEP_TEXT_MAX];	/* visits behind each instruction, in this run */
static uint32_t new_at[STEP_NEW_MAX], cas_at[STEP_CAS_MAX];
static unsigned nnew, ncas;

void places_forget(void)
{
	memset(been, 0, runner_text_size());
	nnew = ncas = 0;
}

unsigned places_been(size_t behind)
{
	return behind < STEP_TEXT_MAX ? been[behind] : ~0u;
}

void places_visited(size_t behind, enum step_program p, bool moved)
{
	uint8_t *cover = moved ? step_moved : step_cover;

	if (behind >= STEP_TEXT_MAX)
		return;
	cover[behind] |= (uint8_t)(1u << p);
	if (been[behind] < STEP_PROGRAMS)
		been[behind]++;
}

bool step_is_new(size_t behind)
{
	if (step_moved[behind])
		return false;
	step_moved[behind] = 1;
	return true;
}

void places_passed(size_t behind, uint64_t at, bool moved)
{
	const uint8_t *cover = moved ? step_moved : step_cover;

	if (behind >= STEP_TEXT_MAX || cover[behind] || been[behind] || nnew == STEP_NEW_MAX)
		return;
	been[behind] = 1;
	new_at[nnew++] = (uint32_t)at;
}

unsigned step_new(uint32_t at[STEP_NEW_MAX])
{
	memcpy(at, new_at, nnew * sizeof(*at));
	return nnew;
}

void places_before(uintptr_t pc, uint64_t at)
{
	const unsigned char *code = (const unsigned char *)pc;

	if (*code++ != 0xf0)
		return;				/* no lock prefix */
	if ((*code & 0xf0) == 0x40)
		code++;				/* REX: Intel SDM vol. 2, 2.2.1 */
	if (code[0] == 0x0f && code[1] == 0xb1 && ncas < STEP_CAS_MAX)
		cas_at[ncas++] = (uint32_t)at;
}

unsigned step_cas(uint32_t at[STEP_CAS_MAX])
{
	memcpy(at, cas_at, ncas * sizeof(*at));
	return ncas;
}
