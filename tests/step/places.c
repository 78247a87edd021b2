/* SPDX-License-Identifier: MIT */
/* Where visitors have been, in this run and since the start, and where they had better go. */
#include "places.h"

#include <labyrinth/string.h>

#include "../test.h"

uint8_t step_cover[STEP_TEXT_MAX], step_moved[STEP_TEXT_MAX];
static uint8_t been[STEP_TEXT_MAX];	/* visits behind each instruction, in this run */
static uint32_t new_at[STEP_NEW_MAX], cas_at[STEP_CAS_MAX];
static unsigned nnew, ncas;

#define ENDS (STEP_ENDS_MAX / 3)	/* locked compare-and-swaps of mm/, at most */
static struct { uintptr_t pc; uint32_t first, last[2]; } ends[ENDS];
static unsigned nends;

void places_forget(void)
{
	memset(been, 0, runner_text_size());
	nnew = ncas = nends = 0;
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

/* --- compare-and-swaps: Intel SDM vol. 2, 2.1 and CMPXCHG */

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u

/* The ModRM byte of a locked cmpxchg at @pc; NULL if it is none.  @rex: its prefix, or 0. */
static const unsigned char *operands_of_cas(uintptr_t pc, unsigned *rex)
{
	const unsigned char *code = (const unsigned char *)pc;

	if (*code++ != 0xf0)
		return NULL;				/* no lock prefix */
	*rex = (*code & 0xf0) == 0x40 ? *code++ : 0;
	return code[0] == 0x0f && code[1] == 0xb1 ? code + 2 : NULL;
}

static void note_end(uintptr_t pc, uint32_t at)
{
	unsigned i = 0;

	while (i < nends && ends[i].pc != pc)
		i++;
	if (i == ENDS)
		return;
	if (i == nends) {
		ends[nends].pc = pc;
		ends[nends].first = ends[nends].last[1] = at;
		nends++;
	}
	ends[i].last[0] = ends[i].last[1];
	ends[i].last[1] = at;
}

void places_before(uintptr_t pc, uint64_t at)
{
	unsigned rex;

	if (!operands_of_cas(pc, &rex))
		return;
	note_end(pc, (uint32_t)at);
	if (ncas < STEP_CAS_MAX)
		cas_at[ncas++] = (uint32_t)at;
}

static uintptr_t displacement(const unsigned char *code, unsigned bytes)
{
	int32_t d = 0;

	memcpy(&d, code, bytes);
	return (uintptr_t)(intptr_t)(bytes == 1 ? (int8_t)d : d);
}

static uintptr_t address(const unsigned char *code, unsigned rex)
{
	unsigned mod = *code >> 6, base = *code & 7;
	uintptr_t sum = 0;

	code++;
	if (mod == 0 && base == 5)			/* from the next instruction on */
		return (uintptr_t)code + 4 + displacement(code, 4);
	if (base == 4) {				/* a SIB byte */
		unsigned index = (*code >> 3 & 7) | (rex & REX_X) << 2;

		if (index != 4)
			sum = runner_register(index) << (*code >> 6);
		base = *code++ & 7;
		if (mod == 0 && base == 5)
			return sum + displacement(code, 4);
	}
	sum += runner_register(base | (rex & REX_B) << 3);
	return mod == 0 ? sum : sum + displacement(code, mod == 1 ? 1 : 4);
}

struct step_cas places_cas(uintptr_t pc)
{
	unsigned rex;
	const unsigned char *code = operands_of_cas(pc, &rex);

	if (!code)
		return (struct step_cas){ 0, 0, 0 };
	return (struct step_cas){
		.word = address(code, rex),
		.old = runner_register(0),
		.new = runner_register((*code >> 3 & 7) | (rex & REX_R) << 1),
	};
}

unsigned step_cas_ends(struct step_end end[STEP_ENDS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < nends; i++) {
		const uint32_t at[] = { ends[i].first, ends[i].last[0], ends[i].last[1] };
		size_t place;

		runner_in_mm(ends[i].pc, &place);
		for (unsigned k = 0; k < 3; k++)
			if (k == 0 || at[k] != at[k - 1])
				end[n++] = (struct step_end){ at[k], (uint32_t)place };
	}
	return n;
}

unsigned step_cas(uint32_t at[STEP_CAS_MAX])
{
	memcpy(at, cas_at, ncas * sizeof(*at));
	return ncas;
}

/* --- visits */

#define LOG 24u
static struct { uintptr_t pc; enum step_program program; unsigned depth; } visits[LOG];
static unsigned nvisits;

void places_call(void)
{
	nvisits = 0;
}

void places_noted(uintptr_t pc, enum step_program p, unsigned depth)
{
	visits[nvisits % LOG].pc = pc;
	visits[nvisits % LOG].program = p;
	visits[nvisits++ % LOG].depth = depth;
}

void places_print(void)
{
	for (unsigned i = nvisits > LOG ? nvisits - LOG : 0; i < nvisits; i++) {
		char place[96];

		runner_place_name(place, sizeof place, visits[i % LOG].pc);
		test_note("%svisit %s before %s", visits[i % LOG].depth ? "  in it, " : "",
			  step_program_names[visits[i % LOG].program], place);
	}
}
