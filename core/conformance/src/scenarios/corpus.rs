//! The files of `scenarios/`, by name. `tests/rust_api_corpus.rs` holds the list to the folder.

use std::sync::Arc;

use narthex_core::store::{MemoryStore, Store};

use super::format::Scenario;

/// Calls a macro with the names of all scenario files: `for_each_scenario!((macro_path) given)`
/// becomes `macro_path! { [given] name name ... }`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_scenario {
    (($($callback:tt)+) $($given:tt)*) => {
        $($callback)+! { [$($given)*]
            a01_planted_session_never_becomes_the_victims
            a02_revoked_session_stays_revoked_after_restart
            a03_copied_cookie_dies_at_password_change
            a04_log_out_replay
            a09_spellings_share_one_lane
            a10_tries_are_counted_across_restarts
            a11_flood_of_unknown_numbers_frees_no_lane
            a12_current_password_and_log_in_share_one_budget
            a12_step_up_and_log_in_share_one_lane
            a13_parallel_claims_never_exceed_the_budget
            a13_parallel_guesses_at_the_current_password
            a13_parallel_guesses_never_exceed_the_budget
            a17_look_alike_numbers_are_not_taken
            a20_long_passwords_are_used_to_the_last_byte
            a21_endless_passwords_are_not_hashed
            a23_return_to_leads_nowhere_else
            a29_claim_ticket_is_bound_to_its_browser
            a29_recovery_is_bound_to_its_browser
            a31_account_survives_a_new_number
            a33_one_code_recovers_once_whoever_races
            a33_parallel_guesses_at_codes_never_exceed_the_budget
            a34_birthdate_brute_force_stops_at_ten
            a34_staff_open_the_way_for_a_child_again
            a34_wait_doubles_after_the_hour
            a36_one_network_cannot_try_every_recovery
            a36_one_network_cannot_try_everybody
            a36_success_costs_the_network_nothing
            a36_the_whole_has_a_budget_too
            a37_a_full_log_in_lane_is_open_at_school
            a37_guesses_at_codes_shut_nobody_out
            a37_throttled_log_in_does_not_end_live_sessions
            a39_clock_set_forward_does_not_shorten_a_wait
            a39_jump_forward_and_back_revives_nothing
            a39_restart_with_the_clock_behind_does_not_go_back
            a39_wall_clock_set_back_gives_no_more_time
            a39_wall_clock_set_back_revives_nothing
            a50_claims_race_and_one_wins
            a50_same_claim_sent_twice_is_one_claim
            a53_removed_membership_counts_at_the_next_request
            cl02_claim_steps_are_taken_in_order
            cl03_claim_expires_ten_minutes_after_each_step
            cl03_finished_claim_is_spent
            cl04_no_fact_is_told_right_from_wrong
            cl05_many_near_misses_make_codes_needed
            cl05_own_slips_do_not_count
            cl05_school_and_home_have_tries_of_their_own
            cl05_wild_misses_weigh_little
            cl06_code_claims_for_who_has_no_birthdate
            cl06_code_dies_by_use_reissue_reset_change_and_time
            cl06_issued_code_is_never_shut_out
            cl06_new_code_is_the_end_of_the_old
            cl06_policy_asks_everybody_for_a_code
            cl07_days_that_do_not_exist_cost_no_try
            cl09_two_children_at_one_computer_do_not_mix
            cl10_not_you_forgets_the_claim
            cl11_birthdate_leaves_with_the_claim
            cl11_birthdate_may_be_kept
            p02_first_finish_wins_and_keeps_its_password
            p03_log_in_that_races_a_change_proves_nothing_old
            p03_old_password_is_dead_at_once
            p04_two_changes_at_once_have_one_winner
            p07_claim_refusals_look_and_cost_the_same
            p07_log_in_refusals_look_and_cost_the_same
            p07_recovery_refusals_look_and_cost_the_same
            pw05_two_spellings_of_a_character_are_one_password
            pw17_old_hashes_are_renewed_at_log_in
            rc04_recovery_ends_every_session
            rc05_forgetting_locks_nobody_out
            rc06_same_recovery_sent_twice_is_one_recovery
            rc06_used_code_is_spent
            rc07_new_codes_kill_the_old
            rc08_codes_outlive_an_ordinary_change
            rc09_codes_die_by_reset
            rc10_code_from_staff_lives_a_day
            rc11_recovery_steps_are_taken_in_order
            rc12_recovery_expires_ten_minutes_after_each_step
            rc13_recovery_dies_with_any_other_change
            rc14_answers_have_few_tries_of_their_own
            rc15_questions_can_be_turned_off
            rc16_recovery_opens_the_log_in_again
            rc17_code_is_its_owners_alone
            ro01_changed_facts_void_a_claim_under_way
            ro02_harmless_edits_void_nothing
            ro03_shared_number_is_nobodys
            ro04_used_number_never_names_another
            ro05_who_leaves_the_roster_is_logged_out
            ro06_half_a_file_disables_nobody
            ro07_curtailed_access_ends_sessions
            ro08_confirmed_hold_puts_out_who_is_still_missing
            ro09_discarded_hold_changes_nobody
            ro10_held_school_does_not_hold_the_other
            ro11_another_source_touches_nobody_here
            ro12_delta_changes_only_whom_it_names
            rs01_staff_reset_ends_everything
            rs02_re_claim_keeps_what_the_person_chose
            rs03_reset_voids_a_claim_under_way
            s01_anonymous_visit_leads_to_login
            s02_prepared_person_claims_and_logs_in
            s02_spellings_of_one_person_are_one_person
            s03_humans_to_write_to_are_named
            s04_password_meets_stated_requirements
            s04_strictest_profile_of_all_schools_counts
            s05_answers_meet_stated_requirements
            s05_questions_can_be_turned_off
            s07_changing_a_password_needs_the_current_one
            s07_new_password_differs_and_meets_requirements
            s08_password_change_keeps_this_browser
            s08_private_window_is_another_browser
            s09_password_change_tells_the_tabs_of_this_browser
            s10_password_change_ends_other_browsers
            s10_password_change_of_one_is_nothing_to_others
            s11_log_out_ends_this_browser_only
            s11_log_out_leads_to_login
            s12_activity_in_any_tab_keeps_the_session
            s12_four_hours_of_inactivity
            s12_inactivity_is_judged_across_restarts
            s12_shared_computer_has_twenty_minutes
            s12_strictest_school_decides
            s13_activity_reported_late_takes_nothing_back
            s13_background_reads_are_not_activity
            s13_forged_activity_can_only_shorten
            s14_login_page_names_the_location_last_visited
            s15_after_password_change_elsewhere_too
            s15_another_person_goes_to_their_landing_page
            s15_bookmark_without_a_tag_is_followed_if_permitted
            s15_declared_applications_are_places_to_return_to
            s15_each_tab_returns_to_its_own_organization
            s15_logging_in_again_returns_to_screen_and_organization
            s15_lost_membership_leads_to_default_with_a_notice
            s15_programs_are_led_back_too
            s16_landing_page_shows_organizations_and_statistics
            s16_only_members_see_an_organization
            s16_statistics_count_what_is_done
            s17_default_organization_is_the_persons_choice
            s17_details_are_the_persons_own
            se05_made_up_session_is_never_adopted
            se10_logging_in_again_replaces_this_browsers_session
            se11_all_other_browsers_end_and_this_one_stays
            se11_ending_others_asks_for_the_password
            se11_nobody_ends_the_session_of_another
            se11_one_browser_ends_another
            se13_stale_session_asks_for_the_password
            se15_activity_cannot_stretch_a_day
            se17_one_browser_more_than_allowed_ends_the_oldest
            th02_waits_grow_from_thirty_seconds
            th04_success_clears_its_own_counter_only
            th07_known_browser_is_forgotten_after_ninety_days
            th07_known_browser_stays_open
            th09_full_queue_charges_nobody
        }
    };
}

/// Makes a test of every front-door scenario for a way in: `$new_door` is a function that returns a
/// `Box<dyn FrontDoor>`.
///
/// `store`, a function that returns an `Arc<dyn Store>`, runs them on new, empty stores of that kind
/// instead of in memory.
///
/// `known_gaps`, a slice of (scenario, why), names scenarios that this way in does not pass yet:
/// they are run all the same, and the test fails as soon as one passes, so that the list cannot go
/// stale.
#[macro_export]
macro_rules! front_door_scenarios {
    ($new_door:path) => {
        $crate::front_door_scenarios!($new_door, known_gaps = []);
    };
    ($new_door:path, store = $new_store:path) => {
        $crate::for_each_scenario!(($crate::scenario_tests) $new_door, [], $new_store);
    };
    ($new_door:path, known_gaps = $gaps:expr) => {
        $crate::for_each_scenario!(
            ($crate::scenario_tests) $new_door, $gaps, $crate::scenarios::in_memory
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! scenario_tests {
    ([$new_door:path, $gaps:expr, $new_store:path] $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let gaps: &[(&str, &str)] = &$gaps;
                let gap = gaps.iter().find(|(name, _)| *name == stringify!($name));
                let scenario = $crate::scenarios::scenario(stringify!($name));
                let passed = scenario.and_then(|scenario| {
                    $crate::scenarios::check_on(&scenario, &|| $new_door(), &|| $new_store())
                        .map_err(|failure| failure.to_string())
                });
                match (passed, gap) {
                    (Ok(true), None) => {}
                    (Ok(false), None) => eprintln!("does not apply to this way in"),
                    (Err(failure), None) => panic!("{failure}"),
                    (Err(failure), Some((_, why))) => eprintln!("known gap: {why}\n{failure}"),
                    (Ok(_), Some(_)) => panic!("passes: take it off the list of known gaps"),
                }
            }
        )*
    };
}

macro_rules! files {
    ([] $($name:ident)*) => {
        /// (name, text) of every scenario file.
        pub const FILES: &[(&str, &str)] = &[
            $((
                stringify!($name),
                include_str!(concat!("../../scenarios/", stringify!($name), ".json")),
            ),)*
        ];
    };
}
for_each_scenario!((files));

/// The store that scenarios run on if no other is given.
pub fn in_memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// A scenario by its name.
///
/// # Errors
/// There is none, or its file says something that scenarios do not say.
pub fn scenario(name: &str) -> Result<Scenario, String> {
    let (_, text) = FILES
        .iter()
        .find(|(file, _)| *file == name)
        .ok_or_else(|| format!("there is no scenario {name}"))?;
    serde_json::from_str(text).map_err(|error| format!("scenarios/{name}.json: {error}"))
}

/// All scenarios.
///
/// # Errors
/// As [`scenario`], for the first that cannot be read.
pub fn corpus() -> Result<Vec<Scenario>, String> {
    FILES.iter().map(|(name, _)| scenario(name)).collect()
}
