/* SPDX-License-Identifier: MIT */
/*
 * Labyrinth's page allocator as a library: frame numbers in, frame numbers out.
 * docs/library.md tells how to use it.  C11 and later, C++; x86_64 Linux.
 *
 * Threads play CPUs.  A thread that is bound to a CPU may call from anywhere,
 * its signal handlers included; nothing here takes a lock or sleeps, but for
 * lab_init(), lab_reset(), lab_bind() and lab_unbind().  Not from a handler: these, and
 * lab_audit() and lab_fail_nth(), for which the interrupted call is somebody else.
 */
#ifndef LABYRINTH_MM_H
#define LABYRINTH_MM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAB_API __attribute__((visibility("default")))

typedef uint32_t lab_frame;		/* a page frame of 4096 bytes, by number */
typedef uint8_t lab_owner;		/* who holds it */

#define LAB_NONE       UINT32_MAX	/* no frame */
#define LAB_NOBODY     0u		/* never a valid owner */
#define LAB_OWNER      1u		/* there from the start: for programs that need only one */
#define LAB_OWNERS_MAX 63u		/* at once, LAB_OWNER included */
#define LAB_ORDER_MAX  18u		/* a block of order o is 2^o frames, aligned to its size */
#define LAB_ORDERS     19u
#define LAB_CPUS_MAX   256u
#define LAB_FRAME_END  0xff000000u	/* frame numbers are below */

/* Where the zones end; the third has no end. */
enum { LAB_ZONE_DMA, LAB_ZONE_DMA32, LAB_ZONE_NORMAL, LAB_ZONES };
#define LAB_DMA_END    0x1000u		/* 16 MiB */
#define LAB_DMA32_END  0x100000u	/* 4 GiB */

/* What a call answers.  lab_error_name() has words for each. */
enum lab_error {
	LAB_OK,
	/* of an operation on a block; nothing has changed */
	LAB_NOT_RAM,		/* outside the range given to lab_init() */
	LAB_MISALIGNED,		/* not a multiple of the block's size, or no such order */
	LAB_DOUBLE_FREE,	/* the block is free already */
	LAB_INSIDE_BLOCK,	/* in the middle of a larger block */
	LAB_WRONG_OWNER,	/* somebody else's */
	LAB_WRONG_ORDER,	/* the caller's, but of another size */
	LAB_WRONG_STATE,	/* it has references, or may have none */
	LAB_BAD_OWNER,		/* nobody, or an owner not registered */
	/* of an allocation */
	LAB_NO_MEMORY,		/* no free block of this order that the caller may have */
	LAB_BAD_ORDER,		/* above LAB_ORDER_MAX */
	LAB_BAD_FLAGS,		/* not one behaviour, two zone limits, or unknown bits */
	/* of the library */
	LAB_NOT_READY,		/* no lab_init() yet, or lab_reset() since */
	LAB_NOT_BOUND,		/* this thread plays no CPU: lab_bind() */
	LAB_BAD_RANGE,		/* no frames, or some at or above LAB_FRAME_END */
	LAB_BAD_CPUS,		/* no CPUs, or more than LAB_CPUS_MAX */
	LAB_BAD_CPU,		/* not below the number of CPUs given to lab_init() */
	LAB_CPU_BUSY,		/* another thread plays it */
	LAB_NO_ADDRESS_SPACE,	/* the system refused to reserve so much */
	LAB_IN_USE,		/* the owner still holds frames */
	LAB_BAD_ZONE,		/* not below LAB_ZONES */
	LAB_ERRORS
};

LAB_API const char *lab_error_name(int error);

/* --- starting and ending */

/**
 * lab_init() - start over with the frames first .. first + frames - 1, all free
 * @first:  0 gives three zones as on a PC; LAB_DMA32_END or more gives one
 * @frames: exactly so many; the metadata comes on top
 * @cpus:   CPUs that will ever call in
 *
 * Address space is reserved for the frames' contents and for the metadata; memory
 * is used only for what is touched.  The caller becomes CPU 0; all other threads
 * are unbound.  Nobody else may be in the library.
 */
LAB_API int lab_init(uint64_t first, uint64_t frames, unsigned cpus);

/* Give everything back to the system.  Nobody else may be in the library. */
LAB_API void lab_reset(void);

/* This thread plays @cpu from now on, and no other does; a CPU it played before is unbound. */
LAB_API int lab_bind(unsigned cpu);

/* Drain this thread's CPU and leave it to others.  The end of a thread does it too. */
LAB_API void lab_unbind(void);

/* The CPU that this thread plays, or -1. */
LAB_API int lab_cpu(void);

/* --- memory.  LAB_NONE: none; then lab_why() tells this thread why */

/* Behaviour: exactly one. */
#define LAB_ATOMIC 0x01u	/* may use the emergency reserve: gets the very last frame */
#define LAB_NOWAIT 0x02u	/* leaves the reserve alone */
/* At most one limit; the rest as wished. */
#define LAB_DMA    0x10u	/* below LAB_DMA_END */
#define LAB_DMA32  0x20u	/* below LAB_DMA32_END */
#define LAB_ZERO   0x100u	/* contents all zero */
#define LAB_EXCL   0x200u	/* no second reference may ever be taken */

/* A block of 2^order frames, LAB_ATOMIC.  Return: its first frame. */
LAB_API lab_frame lab_alloc(unsigned order, lab_owner owner);

/* The same with flags. */
LAB_API lab_frame lab_alloc_flags(unsigned flags, unsigned order, lab_owner owner);

/* Up to @n single frames.  Return: how many; fewer only when the rest did not fit. */
LAB_API size_t lab_alloc_bulk(size_t n, lab_frame out[], lab_owner owner);

/* Why this thread's last failed allocation failed; a handler's counts, as with errno. */
LAB_API int lab_why(void);

/* Give a block back: frame, order and owner must be right, or nothing happens. */
LAB_API int lab_free(lab_frame f, unsigned order, lab_owner owner);

/* Give @n single frames back.  Return: how many were accepted. */
LAB_API size_t lab_free_bulk(size_t n, const lab_frame f[], lab_owner owner);

/* A held block changes owners in one step. */
LAB_API int lab_transfer(lab_frame f, unsigned order, lab_owner from, lab_owner to);

/* One more reference to a held block, by its first frame, and one fewer. */
LAB_API int lab_share(lab_frame f, lab_owner owner);
LAB_API int lab_unshare(lab_frame f, lab_owner owner);

/* What this CPU's cache holds goes back, so that it can merge. */
LAB_API void lab_drain(void);

/* The frame's contents, to read and write while held; NULL outside the range. */
LAB_API void *lab_contents(lab_frame f);

/* --- owners */

/*
 * A number for a new owner, of whose @name the beginning is copied.  LAB_NOBODY when none is
 * left, before lab_init(), or in a thread that plays no CPU.
 */
LAB_API lab_owner lab_owner_new(const char *name);
LAB_API int lab_owner_end(lab_owner owner);
LAB_API const char *lab_owner_name(lab_owner owner);

/* --- looking; exact while nobody else is in the library */

struct lab_stats {
	uint64_t total;			/* frames; free + held = total */
	uint64_t free, held;
	uint64_t cached;		/* of the free ones, in caches of CPUs */
	uint64_t asleep;		/* of the free ones, never yet touched */
	uint64_t min, low;		/* watermarks, in frames; 0 for all zones together */
	uint64_t blocks[LAB_ORDERS];	/* free blocks by order */
};
LAB_API int lab_zone_stats(unsigned zone, struct lab_stats *out);
LAB_API void lab_stats(struct lab_stats *out);	/* all zones together; before lab_init(), zeros */

struct lab_owner_stats {
	/*
	 * Frames; the peak falls short by at most 64, or 4 of its largest blocks, a CPU, but for
	 * two cases in CAVEATS.md.
	 */
	uint64_t held, peak;
	uint64_t failures;		/* allocations refused for want of memory */
	uint64_t reserve;		/* frames taken below a zone's min mark */
};
LAB_API int lab_owner_stats(lab_owner owner, struct lab_owner_stats *out);

/*
 * Bytes of metadata, per-CPU areas included.  Frames below @first have words too; but of those
 * below LAB_DMA32_END, if @first is not, only 16 MiB have.
 */
LAB_API uint64_t lab_metadata_bytes(void);

/* Compare-and-swaps that lost against another CPU, so far. */
LAB_API uint64_t lab_retries(void);

/* Refused operations on blocks so far, by enum lab_error up to LAB_BAD_OWNER. */
LAB_API uint64_t lab_refused(int error);

struct lab_info {
	lab_frame head;			/* first frame of its block */
	unsigned order;			/* of its block, held or free */
	lab_owner owner;		/* LAB_NOBODY: nobody */
	uint32_t generation;		/* grows with every free and transfer, mod 2^24 */
	uint32_t refs;			/* extra references */
	const char *state;		/* "free", "held", "exclusive", "shared", "reserved" */
};
LAB_API void lab_query(lab_frame f, struct lab_info *out);

/**
 * lab_audit() - check the allocator's invariants over all metadata
 * @report: called with one sentence for each violation found; may be NULL
 * Return:  how many.  Nobody else may be in the library.
 */
LAB_API size_t lab_audit(void (*report)(const char *what));

/*
 * Let the @n-th request from now on fail, and no other; 0: none.  Every page of a batch
 * counts.  Return: how many requests there were since the call before, if that one had @n > 0;
 * else they are not counted, and it is 0, as in a thread that plays no CPU, where nothing happens.
 * To count only, name one that is far away.  Nobody else may be in the library, and no other CPU
 * may have cached frames.
 */
LAB_API uint64_t lab_fail_nth(uint64_t n);

/* --- being told.  NULL: the default */

/*
 * Of each refused operation, in a sentence, from within the call; the default is nobody.  It
 * names a block by the address of its contents: see lab_contents().  What the library refuses
 * before the allocator is asked, LAB_BAD_FLAGS and the errors after it, is not told; nor is
 * LAB_NO_MEMORY, which is no refusal.
 */
LAB_API void lab_on_refusal(void (*hook)(const char *line));

/* Of corrupt memory; then the process aborts.  The default writes to standard error. */
LAB_API void lab_on_panic(void (*hook)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
