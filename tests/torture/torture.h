/* SPDX-License-Identifier: MIT */
/*
 * Torture: many travellers in the allocator at once, each with blocks of its own,
 * and books that do not believe a word the allocator says.
 *
 * A traveller is one context: a thread, or the interrupts or the NMIs of one CPU. It
 * alone touches its log, so that the log needs no care. What they share is the
 * map: a byte a frame that names the traveller who holds it. It is changed by exchange,
 * so that two holders of one frame meet there, whatever mm/ believes.
 *
 * The pieces: books.c keeps log and map, deeds.c does one thing at random, sins.c does
 * what must be refused, rest.c counts when everybody has stopped; all of it is
 * free of any port. The travellers of a kernel are in kernel/, those of a process in host/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/mm.h>

#define LOG_MAX       192u	/* blocks a traveller may hold */
#define TORTURE_OWNERS 8u	/* shared by all travellers */
#define MAIL_SLOTS    61u	/* blocks on their way from one traveller to another */
#define NOBODY        0u	/* in the map: free, as far as we know */
#define IN_THE_MAIL   255u	/* in the map: on its way */

/* What a held block may not do just now. */
enum hold { HOLD_PLAIN, HOLD_EXCLUSIVE, HOLD_SHARED, HOLD_LENT };

/* A block in somebody's log. */
struct piece {
	uint64_t *page;
	uint8_t order;
	uint8_t owner;			/* index of the owner in torture.owner */
	uint8_t hold;			/* enum hold */
	uint32_t generation;		/* of its handle */
};

/* What may be done by whom: threads all of it, interrupts and NMIs what is short. */
enum abilities {
	CAN_ALL = 0,
	CAN_SHORT = 1,			/* no large blocks, no long batches, nothing that sleeps */
};

struct traveller {
	const char *kind;		/* "thread", "interrupt", "NMI" */
	unsigned number;		/* among its kind */
	uint8_t tag;			/* in the map */
	enum abilities can;
	uint32_t quota;			/* frames it may hold */
	uint32_t held;			/* frames it holds */
	uint64_t random;
	_Atomic uint64_t deeds;		/* for the watchdog to see */
	uint64_t nulls, sins;
	_Atomic unsigned busy;		/* between the two ends of a step */
	unsigned n;
	struct piece log[LOG_MAX];
};

/* What a request that failed means just now. */
enum plenty { PLENTY, SCARCITY };

/* All that the travellers share. */
struct torture {
	owner_t owner[TORTURE_OWNERS];
	owner_t keeper;			/* of the map and the hoard */
	_Atomic uint8_t *map;		/* by frame number */
	uint32_t frames;		/* entries there */
	unsigned map_order;
	_Atomic uint64_t mail[MAIL_SLOTS];
	/* GFP_KERNEL with a timeout in ns, where threads can sleep; else NULL. */
	void *(*wait)(gfp_t gfp, unsigned order, owner_t owner, uint64_t ns);
	_Atomic uint64_t waits, spared;	/* such requests; blocks given back for them */
	_Atomic unsigned plenty;	/* enum plenty */
	_Atomic unsigned closed;	/* the gate */
	_Atomic uint64_t faults;	/* violations found */
	_Atomic unsigned told;		/* somebody has written the first one down */
	char first_fault[160];
};

extern struct torture torture;

/**
 * torture_open() - owners, map and hoard
 * @frames: one more than the highest usable frame's number
 *
 * Until torture_close() nobody is told of refused operations.
 * Context: one thread, before any traveller.
 * Return:  false when there is no memory for the map, or no owner left.
 */
bool torture_open(uint32_t frames);

/* Give all back that torture_open() took.  Context: every traveller is at rest and empty. */
void torture_close(void);

/* Hold memory, or hold none: about so many frames are left.  Context: all at rest. */
void hoard_leave(uint64_t frames);
void hoard_return(void);

/* Give one block of the hoard back, a few times a phase: a reclaim function.  Context: threads.
 * Return: its frames, or 0. */
size_t hoard_spare(void *unused, unsigned order);

/* A traveller begins.  @tag is told apart in the map modulo 254. */
void traveller_init(struct traveller *t, const char *kind, unsigned number, unsigned tag,
		    enum abilities can, uint32_t quota, uint64_t seed);

/**
 * traveller_step() - one deed, unless the gate is closed
 * Context: that of @t.
 * Return:  was the gate open?
 */
bool traveller_step(struct traveller *t);

/* Let nobody begin another deed; begin again.  Context: any. */
void gate_close(void);
void gate_open(void);

/* Who is still at his last deed?  Return: NULL when all have stopped.  Context: any. */
const struct traveller *gate_waits_for(struct traveller *const all[], size_t n);

/* Give everything back.  Context: that of @t, or anybody's when @t is at rest. */
void traveller_empty(struct traveller *t);

/**
 * torture_rest() - check everything that holds when nobody moves (I1 to I8)
 * @all: every traveller there is
 *
 * Context: one thread; all travellers stopped, all CPUs drained.
 */
void torture_rest(struct traveller *const all[], size_t n);

/* Note a violation: the first is kept in words, all are counted.  Context: any. */
void torture_fault(const struct traveller *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- between the pieces */

/* Below @limit.  xorshift64*: Marsaglia, Journal of Statistical Software 8(14), 2003. */
uint64_t dice(struct traveller *t, uint64_t limit);

/* Take a block and enter it in log and map.  Return: false if none was to be had. */
bool piece_take(struct traveller *t, gfp_t gfp, unsigned order);

/* A page that was just handed out: enter it.  Return: false when the log is full. */
bool piece_enter(struct traveller *t, void *page, unsigned order, unsigned owner, enum hold hold);

/* Strike entry @i and check what stands in it.  Return: the piece, still held. */
struct piece piece_strike(struct traveller *t, unsigned i);

/* Strike and free. */
void piece_free(struct traveller *t, unsigned i);

/* Bring entry @i back to where it may be freed: reclaimed, unshared. */
void piece_release(struct traveller *t, unsigned i);

/* Room in log and quota for a block of @order? */
static inline bool piece_fits(const struct traveller *t, unsigned order)
{
	return t->n < LOG_MAX && t->held + (1u << order) <= t->quota;
}

/* Do something that must be refused to entry @i. */
void sin_against(struct traveller *t, unsigned i);

/* Entry @p got a new name: what is written in it follows. */
void piece_resign(struct traveller *t, struct piece *p, const struct piece *old);

/* Do one thing at random. */
void traveller_act(struct traveller *t);

/* One exchange with the mail: put entry @i, take what lies there. */
void piece_mail(struct traveller *t, unsigned i);

/* Empty the mail into @t's hands and free it. */
void mail_empty(struct traveller *t);
