/* SPDX-License-Identifier: MIT */
/* The scenarios by name, in the order in which they run. */
#pragma once

#define SCENARIOS(X) \
	X(case_merge) X(case_give_take) X(case_give_two) X(case_clear) X(case_give_hold) \
	X(case_give_again) X(case_none_9) X(case_none_walk) \
	X(case_open_hold) \
	X(case_open_open) X(case_late_irq) X(case_late) X(case_none) X(case_last) X(case_some) \
	X(case_parts) X(case_area_open) X(case_area_late) X(case_area_6) \
	X(case_restore) X(case_giant_undo) X(case_merge_take) X(case_fail_give) \
	X(case_late_3) X(case_untold) X(case_untold_bits) X(case_untold_open) \
	X(case_untold_irq) X(case_untold_area) X(case_untold_deep) \
	X(case_untold_walk) X(case_untold_walk_2) \
	X(case_trust) X(case_trust_2) X(case_trust_3) X(case_trust_4) \
	X(case_trust_far) X(case_parts_3) X(case_big) \
	X(case_stopped) X(case_giant) \
	X(case_giant_late) X(case_irq_hot) X(case_irq_take) X(case_irq_cold) \
	X(case_irq_drain) X(case_double) X(case_double_3) X(case_double_irq) \
	X(case_transfer_free) X(case_page_last) X(case_irq_2) X(case_wake) \
	X(case_wake_groups) X(case_wake_irq) X(case_wake_cached) X(case_wake_part) \
	X(case_wake_last) X(case_wake_rest) \
	X(case_contract) X(case_contract_2) X(case_contract_irq) \
	X(case_contract_two) X(case_contract_two_irq) \
	X(case_damage_free) X(case_damage_open) X(case_damage_held) X(case_damage_page) \
	X(case_damage_twice) X(case_damage_wake) X(case_damage_part) \
	X(case_gather) X(case_gather_late) X(case_gather_two) X(case_gather_none) \
	X(case_gather_deep) X(case_home_left) X(case_root_run) X(case_early) \
	X(case_left_hold) X(case_left_take) X(case_left_give) X(case_left_give_2) X(case_strike) \
	X(case_fold_take) X(case_fold_give) \
	X(case_irq_drain_2) X(case_double_slow) X(case_double_bulk) X(case_double_2i) \
	X(case_free_3cpu) \
	X(case_lend_free) X(case_lend_irq) X(case_share_free) X(case_share) \
	X(case_unshare) X(case_reclaim) X(case_pool) X(case_pool_irq) \
	X(case_pool_free) X(case_pool_twice) X(case_last_irq) X(case_none_irq) \
	X(case_fail_count)

#define SCENARIO_DECLARE(s) extern const struct scenario s;
SCENARIOS(SCENARIO_DECLARE)
SCENARIO_DECLARE(planted_round)
