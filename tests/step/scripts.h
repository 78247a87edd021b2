/* SPDX-License-Identifier: MIT */
/* What the scripts of the step gate have in common: calls that are stepped and checked. */
#pragma once

#include "step.h"

#define SCRIPT_LOG 1024u

struct held { void *page; unsigned order; owner_t owner; };
extern struct held script_log[SCRIPT_LOG];	/* what script_fill() took */
extern unsigned script_held;

/* Into the log, if there is one.  Return: was there? */
bool script_log_held(void *page, unsigned order, owner_t owner);

/* A page or block of STEP_THREAD's, interrupted all the way; the answer is checked. */
void *script_take(gfp_t gfp, unsigned order);
void script_give(void *page, unsigned order);

/* The same without interrupts, to prepare something. */
void *script_take_quietly(gfp_t gfp, unsigned order);
void script_give_quietly(void *page, unsigned order);

/* Take blocks of orders 10 to @least until about @spare frames are left; give all back. */
void script_fill(gfp_t gfp, unsigned least, unsigned spare);
void script_unfill(void);
uint64_t script_free(gfp_t gfp);	/* frames */

/* An area is all there is.  Return: it, which is free; NULL: it is not to be had. */
void *script_only_area(void);

/* A node of eight areas is all there is, and is taken area by area.  Return: was it? */
bool script_take_node(void *area[8]);
void script_give_node(void *area[8], unsigned from, unsigned to);	/* some of them */

/* A batch of so many pages, at most SCRIPT_BATCH, there and back. */
#define SCRIPT_BATCH 160u
void script_batch(gfp_t gfp, size_t n);

/* At rest: the next frame that comes to a zone (@up), or goes, folds this CPU's count. */
void script_near_fold(enum zone_id id, bool up);

/* At rest: no CPU may be off by a frame, so that each change folds where it is counted; or not. */
void script_fold_at_once(bool yes);

/* In other files than scripts.c, which has the list. */
void script_wrong_frees(void);
void script_races(void);
void script_page_race(void);
void script_double_frees(void);
void script_wrong_requests(void);
void script_transfers(void);
void script_sharing(void);
void script_lending(void);
void script_contract_terms(void);
void script_contract_draws(void);
void script_contract_ends(void);
void script_contract_short(void);
void script_contract_orphan(void);
void script_pools(void);
void script_dry_pool(void);
void script_owners(void);
void script_queries(void);
void script_counters(void);
void script_audit(void);
void script_names(void);
void script_memory_map(void);
void script_injected(void);
void script_damage(void);
void script_sleepers(void);
void script_last_in_cache(void);
void script_homes(void);
void script_untold(void);
void script_told_twice(void);
void script_home_left(void);
void script_back_meanwhile(void);
void script_again(void);
void script_fold_damage(void);
void script_fold_contract(void);
void script_no_contract(void);
void script_near_the_mark(void);
void script_wake(void);
void script_wake_page_by_page(void);
void script_wake_for_batches(void);
void script_wake_pages(void);
void script_wake_groups(void);
void script_wake_areas(void);
void script_half_asleep(void);
void script_wake_damaged(void);
void script_too_many_damaged(void);
void script_audit_asleep(void);
void script_owed(void);
void script_rivals(void);
void script_reclaim_damaged(void);
void script_wake_last(void);
void script_wake_folds(void);
void script_broken(void);
void script_console(void);
void script_folds(void);
void script_in_pieces(void);
void script_sleepers_area(void);
void script_last_area(void);
void script_many_areas(void);
void script_damaged_blocks(void);
void script_damaged_last(void);
void script_gather(void);
void script_gather_wide(void);
void script_merges_undone(void);
void script_whole_node(void);
void script_top_mark(void);
void script_newcomer(void);
void script_damaged_list(void);
void script_no_memory(void);
void script_pool_without_slots(void);
void script_wake_larger(void);
void script_wake_met(void);
void script_wake_part_damaged(void);
void script_area_folds(void);
void script_gone_as_a_block(void);
void script_area_gone(void);
void script_audit_at_home(void);
void script_half_way(void);
void script_wake_beyond(void);
void script_found_in_part(void);
void script_watched(void);
void script_told_late(void);
