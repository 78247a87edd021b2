/* SPDX-License-Identifier: MIT */
/*
 * The step gate (I13): scripts call every function of mm/ with the trap flag set,
 * and at the instruction boundaries that a plan names a traveller comes in who
 * allocates, transfers and frees himself.
 *
 *   runner (kernel/, host/)   trap flag, #DB or SIGTRAP, memory, what is printed
 *   plan.c                    which runs
 *   driver.c                  one run: where in a script the traveller works
 *   places.c                  where he has been
 *   traveller.c               what he does there: the programs
 *   rival.c                   or just what makes a compare-and-swap fail
 *   book.c                    who has which frame, kept without asking mm/
 *   scripts*.c                what the interrupted thread does
 *
 * One run is a fresh allocator over a small memory of its own, and everything in
 * it follows from its seven numbers (struct step_run), so that it can be repeated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <labyrinth/contract.h>
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

/* What a traveller does when he comes in; a bit each in the coverage. */
enum step_program {
	/* allocate, transfer, free, in each order */
	STEP_ATF, STEP_AFT, STEP_TAF, STEP_TFA, STEP_FAT, STEP_FTA,
	STEP_BATCH,		/* batches, and a page pool */
	STEP_HANDS,		/* a contract, sharing, lending, wrong calls, drains */
	STEP_PROGRAMS
};

/* At which boundaries he does it. */
enum step_mode {
	STEP_NEVER,		/* the steps are counted only */
	STEP_ONCE,		/* at boundary number @at of the run */
	STEP_FRESH,		/* behind each instruction, once for @at programs from @program */
	STEP_STORM,		/* at every one, after @at visits every second, ...: any program */
	STEP_NESTED,		/* at @at of them, and is interrupted himself; see driver.c */
	STEP_PAIR,		/* at boundary number STEP_FIRST(@at), and once more: see there */
	STEP_LOST,		/* likewise, but the first makes a compare-and-swap fail there */
	/* The thread itself goes on on another CPU, where others have been meanwhile, */
	STEP_MOVED,		/* at boundary number @at of the run */
	STEP_SERIES,		/* at every STEP_SERIES_GAP-th one, from @at on */
	STEP_WANDER,		/* behind each instruction, once for @at programs from @program */
	STEP_ROAM,		/* as a storm: at each, after @at moves at every second, ... */
	STEP_CROWD,		/* as STEP_WANDER, while threads of all CPUs allocate */
	STEP_MODES
};

#define STEP_SERIES_GAP 199u

/*
 * STEP_PAIR: the second comes in STEP_SECOND(@at) boundaries later, be they the first visitor's
 * or, behind his visit, the thread's again; or, if that is 0, not at all.
 *
 * STEP_LOST: the boundary is before a locked compare-and-swap.  The first visitor changes just the
 * word that it is about, and does nothing else.  He does so again at those that follow; how often
 * in all, and whether before or behind, goes by the program's number (driver.c).  The second comes
 * in behind each instruction that follows, if STEP_SECOND(@at) is STEP_EACH.
 */
#define STEP_FIRST(at)  ((at) & UINT32_MAX)
#define STEP_SECOND(at) ((at) >> 32)
#define STEP_EACH       ((uint64_t)UINT32_MAX)

struct step_run {
	uint64_t seed;
	unsigned cpus, world, script;	/* cpus: that the world has; more than one for a move */
	enum step_mode mode;
	enum step_program program;
	uint64_t at;			/* see enum step_mode; boundaries count from 0 */
};

/* --- the plan (driver.c, plan.c) */

struct step_totals {
	uint64_t runs, steps;		/* boundaries seen, inside mm/ and outside */
	uint64_t visits, nested;	/* the traveller's, and those during another's visit */
	uint64_t moves;			/* to another CPU */
	_Atomic uint64_t turns;		/* of a crowd, between two instructions of somebody's */
	uint64_t calls;			/* of the scripts, with at least one visit */
	unsigned violations;
};
extern struct step_totals step_totals;
extern uint64_t step_moves_most;	/* no more moves behind so many */
void step_print_totals(void);
extern const char *const step_program_names[STEP_PROGRAMS], *const step_mode_names[STEP_MODES];

/* One run.  Return: boundaries inside mm/; 0 if the world is not to be had here. */
uint64_t step_once(const struct step_run *r);

/*
 * What the last run has found, if it was one of STEP_NEVER, or of those two without a second:
 * boundaries behind instructions where nobody has come in yet, one for each, in the numbers that
 * STEP_ONCE, STEP_MOVED and STEP_SECOND() count in.  Return: how many.
 */
#define STEP_NEW_MAX 1024u
unsigned step_new(uint32_t at[STEP_NEW_MAX]);

/*
 * The same of boundaries before a locked compare-and-swap, for STEP_NEVER: all of them; or, of
 * each such instruction, where it came first and where last, and its offset.
 */
#define STEP_CAS_MAX  8192u
#define STEP_ENDS_MAX 768u
struct step_end { uint32_t at, place; };
unsigned step_cas(uint32_t at[STEP_CAS_MAX]);
unsigned step_cas_ends(struct step_end end[STEP_ENDS_MAX]);

/* The same on its own: counts first, if the mode needs that. */
void step_again(const struct step_run *r);

/*
 * All worlds and scripts, or @only one, until @steps have been made; with @full, every boundary
 * one by one.
 */
#define STEP_ALL_SCRIPTS UINT32_MAX
void step_sweep(uint64_t seed, uint64_t steps, bool full, unsigned only);

/* Some of it, as @seed picks them, until @steps have been made. */
void step_sample(uint64_t seed, uint64_t steps);

/* The same of moves to another CPU, until there have been @moves; with @crowd, some in one. */
void step_sample_moves(uint64_t seed, uint64_t moves, bool crowd);

/* The same of moves to another CPU: with @full at all boundaries, or at some; or in @crowds. */
void step_sweep_moves(uint64_t seed, bool full, uint64_t crowds, unsigned only);

/* The runner's trap came before the instruction at @pc.  Return: what to do then. */
enum step_answer {
	STEP_ENOUGH,		/* no more traps */
	STEP_MORE,
	STEP_AWAY		/* have the thread call step_away() first */
};
enum step_answer step_trap(uintptr_t pc);

/* One of a crowd was interrupted behind the instruction at @behind.  Return: the first time? */
bool step_is_new(size_t behind);

/* The interrupted thread, between two instructions: go to another CPU. */
void step_away(void);

/* One line: what the run and its last visit were; for violations and panics. */
void step_where(char *line, size_t size);

/* Coverage: a bit for each program that came in right behind the instruction at this offset. */
#define STEP_TEXT_MAX 0x20000u
extern uint8_t step_cover[STEP_TEXT_MAX];
extern uint8_t step_moved[STEP_TEXT_MAX];	/* the same of moves, and who came before */

/* --- for scripts: the next call is interrupted */

/* @flight: frames that the call may have in its hands, besides those of its CPU's cache. */
void step_begin(unsigned flight);
void step_end(void);

#define STEPPED(flight, call)                                                 \
	do {                                                                  \
		step_begin(flight);                                           \
		call;                                                         \
		step_end();                                                   \
	} while (0)

/* Something that must hold did not: @rule is I1..I13.  The run ends soon; the first one counts. */
void step_violation(const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));
bool step_failed(void);

/* Will there be no other visit in this run? */
bool step_only_visit(void);

/* How many compare-and-swaps have been lost on purpose, in this run? */
unsigned step_lost(void);

/* How many CPUs the world has. */
unsigned step_cpus(void);

/* At rest: caches and homes of all of them are given up. */
void step_drain(void);

/* Frames that interrupted calls may have in their hands just now. */
unsigned step_flight(void);

uint64_t step_random(uint64_t below);
uint64_t step_mix(uint64_t *state);		/* splitmix64 */

#define STEP_LONG (1u << 31)		/* among @worlds: not in a sweep that is to be short */
#define STEP_ALONE (1u << 30)		/* not in a crowd; once behind each place is enough */
struct step_script { const char *name; void (*run)(void); unsigned worlds; };
extern const struct step_script step_scripts[];
extern const unsigned step_script_count;

/* --- what a run has: owners, and what the traveller at each depth needs */

#define STEP_DEPTHS 2u			/* the interrupted thread's visitor, and his own */

enum step_owner { STEP_THREAD, STEP_OTHER, STEP_VISITOR, STEP_HEIR, STEP_SURE, STEP_CROWDED,
		  STEP_OWNERS };
extern owner_t step_owner[STEP_OWNERS];

/*
 * What scripts and visitors meet over: a pool of STEP_THREAD's; a contract of his
 * with a page to spare for a visitor, who draws in his name; a page that the
 * interrupted call is giving away, and the times that a visitor was faster.
 */
extern struct step_meeting {
	struct pool *pool;
	bool drawable;
	void *victim;
	unsigned order, lost;
	void *shaken;			/* a page of STEP_THREAD's that goes there and back, */
	unsigned shared;		/* or, not 0, has one more reference each time */
	void *spare;			/* a visitor's page, when the last one is in a cache */
	unsigned homes;			/* of this order, not 0: homes to move to */
	owner_t leaver;			/* a visitor may have this owner unregistered, */
	bool left;			/* and has done so */
	frame_t damaged[8];		/* to be taken out of quarantine behind the run */
	unsigned ndamaged;
	frame_t damaged_from;		/* DAMAGED_MAX more of them, if not FRAME_NONE */
	bool sleeping;			/* all that is awake is taken: wake more, */
	unsigned waking;		/* by a block of this order, if not 0 */
	unsigned whole;			/* not 0: he takes a block of this order, and keeps it, */
	gfp_t where;			/* by such a request */
	bool unsure;			/* nobody has a contract */
	contract_t ending;		/* one of STEP_THREAD's that a visitor may release, too */
	owner_t *newcomer;		/* a visitor may register here */
	bool hurt;			/* the first of @damaged is to be reported */
	void *guest;			/* a free page, where he makes himself at home */
	bool giving_up;			/* he declares what he cannot have */
	bool owing;			/* he leaves a debt: see mm/retry.h */
	bool still;			/* he only asks: something is broken just now */
	void *passed;			/* a node that he leaves as it was, and another; or */
	bool drains;			/* he gives up caches and homes, or */
	void *back;			/* a group of STEP_THREAD's that he gives back */
} step_meeting;

/* A free frame is taken and given back, where this CPU is at home then: all is free, and open. */
void step_be_at_home(const void *page);

void traveller_prepare(void);		/* at rest, before a script */
void traveller_visit(unsigned depth, enum step_program p, uint64_t *random);
struct step_cas { uintptr_t word; uint64_t old, new; };
/* How one makes a node another: in passing; or takes what is FULL; or opens what has become so. */
enum step_rival { STEP_PASSES, STEP_TAKES, STEP_OPENS };
void traveller_outrun(const struct step_cas *cas, enum step_rival how, uint64_t *random);
void traveller_without_contract(void);	/* at rest: nobody has one any more in this run */
void traveller_without_blocks(void);	/* at rest: he has none, until he comes in */
void traveller_leave(void);		/* at rest, behind it */

/* --- the book: frames and their holders (book.c) */

#define STEP_WORLDS 4u
enum step_world_id { STEP_ONE, STEP_THREE, STEP_ASLEEP, STEP_WIDE };
extern const char *const step_world_names[STEP_WORLDS];

/* Memory that a runner has for worlds: so many frames of each zone from base. */
struct step_place { uint32_t base[ZONE_COUNT], frames[ZONE_COUNT]; };

bool book_open(enum step_world_id world, const struct step_place *place);
void book_settle(void);			/* at rest: what is free now, ask mm/ once */

/* A block came to somebody, by a request of @gfp: it must be nobody's.  NULL is none. */
void book_take(void *page, unsigned order, owner_t owner, gfp_t gfp);
/* It is about to leave him: its contents must be as he left them. */
void book_give(void *page, unsigned order, owner_t owner);
/* The word must say that @owner holds it. */
void book_check_word(void *page, unsigned order, owner_t owner, enum page_state state);
/* A single page was refused: may it?  @flight: what others may have in their hands. */
void book_refused(gfp_t gfp, uint64_t flight);
/* A page of the direct map that is nobody's to have; one whose memory sleeps, or NULL. */
void *book_dead_end(void);
void *book_asleep(void);
/* Forget the least that was free; then: was all of it gone at some time since? */
void book_watch(void);
bool book_was_empty(gfp_t gfp);
/* At rest: all as before, nothing lost, everything merged. */
void book_check(void);
extern int64_t book_pooled;		/* pages that pools may keep */

/* --- the runner */

bool runner_world(struct step_place *place);	/* memory, cleared per-CPU areas */
unsigned runner_cpus(void);			/* on which the thread can go on */
void runner_move(unsigned cpu);			/* go on there */
void runner_crowd(bool on, uint64_t seed);	/* others allocate on all of them meanwhile */
void runner_let_others(unsigned cpu, uint64_t n);	/* wait until one has got on there, */
void runner_turn(void);				/* or all a little */
void runner_flag(bool on);			/* the trap flag */
void runner_nested(void (*visit)(void));	/* on a stack where traps may come again */
void runner_place_name(char *buf, size_t size, uintptr_t pc);
bool runner_in_mm(uintptr_t pc, size_t *offset);
uint64_t runner_register(unsigned n);	/* of whom the trap interrupted; as instructions count */
size_t runner_text_size(void);			/* offsets are below */
