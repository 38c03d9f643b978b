//! The one list of the cases, and what is made of it: the names under which they can be reached, and an
//! adapter's tests.
//!
//! A case that is written and not listed is never used, and the crate denies dead code. One list has to stand
//! in one file, however long it is.

/// Hands the list to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_storage_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            tenant {
                a_new_tenant_is_active_of_version_1_and_made_now;
                each_new_tenants_number_is_larger_than_any_before;
                the_number_of_an_erased_tenant_is_never_given_again;
                tenants_made_at_once_get_numbers_of_their_own;
                tenants_may_have_the_same_name;
                a_name_of_64_characters_is_kept;
                a_tenants_info_is_kept_as_the_value_that_it_was;
                a_tenant_is_found_whatever_its_status;
                an_unknown_number_finds_no_tenant;
                an_update_changes_the_tenant_and_takes_its_next_version;
                updated_at_never_falls_when_the_clock_is_set_back;
                an_update_of_another_version_is_refused_with_the_one_that_stands;
                an_update_of_an_unknown_tenant_is_not_found;
                an_update_of_an_erased_tenant_is_not_found;
                of_updates_at_once_of_one_version_one_succeeds;
                an_update_leaves_other_tenants_as_they_are;
                an_update_tells_the_listener_before_it_answers;
            }
            past_tenant {
                a_past_tenant_is_stored_under_its_number_with_its_times;
                a_past_tenant_without_times_has_those_of_its_write;
                new_tenants_numbers_are_larger_than_those_of_past_ones;
                a_number_that_is_taken_stays_its_holders;
                the_number_of_an_erased_tenant_is_not_given_to_a_past_one;
                a_past_tenant_can_be_written_to_and_changed;
                of_past_tenants_at_once_of_one_number_one_is_stored;
                a_dropped_creation_of_a_past_tenant_is_carried_out;
            }
            tenant_list {
                tenants_are_listed_once_each_by_number_in_pages_of_any_size;
                without_tenants_the_list_is_empty_and_ends;
                a_list_by_status_shows_only_tenants_of_that_status;
                a_list_by_name_prefix_goes_by_the_letter_and_knows_no_wildcards;
                a_list_by_status_and_name_prefix_shows_tenants_of_both;
                a_list_behind_a_number_that_is_gone_goes_on_behind_its_place;
                deleting_names_only_tenants_being_deleted_lowest_first_up_to_the_limit;
                deleting_names_nobody_where_none_is_being_deleted;
            }
            tenant_erasure {
                a_deleted_tenant_says_since_when_and_that_nothing_is_erased_yet;
                the_keys_of_a_deleted_tenant_do_not_authenticate;
                writes_of_a_deleted_tenants_data_find_no_such_tenant;
                an_erasure_goes_in_steps_of_at_most_max_rows_and_counts_them;
                an_erased_tenant_leaves_nothing;
                an_erasure_leaves_other_tenants_and_administrators_as_they_are;
                a_tenant_that_is_not_being_deleted_is_not_erased;
                an_unknown_tenant_counts_as_erased;
                a_tenant_without_data_is_erased;
                the_listener_hears_that_a_tenant_is_gone;
                an_erasure_that_several_carry_on_at_once_ends;
                a_tenant_made_after_an_erasure_starts_from_nothing;
                writes_of_a_deleted_tenants_catalog_find_nothing;
                an_erased_tenants_catalog_is_gone_and_no_other;
            }
            access_key {
                a_key_is_found_as_it_was_stored_with_its_tenants_status;
                a_key_is_found_also_when_it_is_past_its_time;
                a_keys_name_is_kept_to_the_letter;
                an_unknown_id_finds_no_key_and_the_case_of_its_letters_counts;
                a_key_of_an_unknown_tenant_is_refused_and_not_stored;
                a_key_whose_id_another_tenant_has_takes_nothing_from_it;
                making_and_revoking_a_key_tells_the_listener_before_it_answers;
                a_revoked_key_is_gone_and_cannot_be_revoked_again;
                a_key_is_not_revoked_for_another_tenant;
                of_several_who_revoke_a_key_at_once_one_does;
                a_keys_use_is_noted;
                a_keys_last_use_never_goes_back;
                uses_noted_at_once_leave_the_latest;
                uses_of_keys_that_are_gone_are_passed_over;
            }
            access_key_list {
                keys_are_listed_once_each_in_the_order_in_which_they_were_made;
                a_list_of_keys_shows_no_other_tenants_and_no_administrators;
                a_list_behind_a_key_that_is_gone_goes_on_behind_its_place;
                a_page_of_keys_that_ends_with_the_list_says_so;
            }
            admin_key {
                the_first_admin_key_is_stored_and_found_without_a_tenants_status;
                a_second_first_admin_key_is_not_stored;
                a_tenants_key_is_no_admin_key;
                of_several_first_admin_keys_at_once_one_is_stored;
            }
            event_append {
                the_first_event_takes_sequence_1_and_each_the_next;
                each_tenant_has_sequences_of_its_own;
                a_list_is_stored_and_answered_in_the_order_given;
                an_empty_list_stores_nothing;
                an_event_is_kept_with_all_that_it_has;
                awkward_texts_are_kept_to_the_letter;
                the_longest_texts_are_kept_to_the_letter;
                the_data_keeps_every_digit_of_its_numbers;
                the_deepest_data_is_kept;
                an_id_that_the_tenant_has_already_changes_nothing_and_answers_what_is_stored;
                an_id_twice_in_one_list_is_stored_once;
                duplicates_among_new_events_take_no_sequence;
                one_id_in_two_tenants_is_two_events;
                events_of_an_unknown_tenant_are_refused;
                created_at_is_the_time_of_the_write;
                created_at_never_falls_within_a_tenant_when_the_clock_is_set_back;
                an_unknown_id_finds_no_event;
                an_event_is_not_found_for_another_tenant;
                events_of_a_suspended_tenant_are_stored;
            }
            event_list {
                events_are_listed_once_each_in_both_orders_in_pages_of_any_size;
                a_list_of_events_begins_with_the_newest_unless_told;
                a_page_of_events_goes_on_behind_after_in_its_direction;
                a_page_of_events_that_ends_with_the_list_says_so;
                a_list_of_events_shows_no_other_tenants;
                a_filtered_list_of_events_shows_no_other_tenants;
            }
            event_filter {
                every_combination_of_filters_shows_what_all_of_them_show;
                components_environments_and_emails_go_by_the_letter_and_any_of_several_will_do;
                awkward_components_environments_and_emails_are_told_apart;
                a_filter_may_name_many_components;
                a_range_of_times_holds_both_its_ends;
                after_sequence_shows_only_later_events_in_both_orders;
            }
            event_filter_message {
                a_part_of_a_message_is_found_whatever_the_case_of_its_letters;
                a_part_of_a_message_knows_no_wildcards_and_no_quotes;
                a_part_is_found_at_the_end_of_the_longest_message;
            }
            event_filter_data {
                data_contains_goes_by_jsons_containment;
            }
            event_concurrency {
                appends_at_once_take_sequences_without_gap_or_double_in_each_tenant;
                appends_at_once_of_one_id_store_it_once;
                an_append_that_fails_among_others_fails_alone_and_takes_no_sequence;
                readers_see_whole_lists_and_no_gap_while_events_are_stored;
                a_write_is_seen_by_whoever_reads_after_its_answer;
            }
            past_event {
                past_events_keep_their_times_and_take_the_next_sequences;
                events_behind_past_ones_take_the_next_sequence_and_the_time_of_their_write;
                a_past_event_from_before_the_newest_is_raised_to_its_time;
                a_past_event_from_the_future_is_lowered_to_now;
                a_past_event_whose_id_is_held_changes_nothing;
                a_long_list_of_past_events_is_stored_whole;
                past_events_are_each_tenants_own;
                past_events_of_a_tenant_that_is_absent_or_being_deleted_are_refused;
                past_events_and_new_ones_at_once_leave_no_gap_and_no_time_that_falls;
                dropped_past_events_are_stored;
            }
            key_value_put {
                a_key_that_was_absent_is_created_with_version_1;
                a_key_that_was_there_takes_its_next_version_and_keeps_created_at;
                a_key_that_comes_back_is_a_new_one;
                every_write_of_a_tenant_takes_its_next_revision;
                each_tenant_has_revisions_of_its_own;
                one_key_of_two_tenants_is_two_entries;
                a_key_is_not_found_for_another_tenant;
                a_put_for_an_unknown_tenant_is_refused;
                a_put_happens_only_if_its_precondition_holds;
                a_put_of_an_absent_key_happens_only_if_its_precondition_holds;
                a_put_tells_the_listener_before_it_answers_and_a_refused_one_does_not;
                a_value_may_be_empty_a_mebibyte_or_any_bytes;
                keys_are_told_apart_by_their_bytes;
                a_content_type_is_kept_as_it_was_sent;
                a_time_to_live_says_when_the_value_ends;
            }
            key_value_delete {
                a_deleted_key_is_absent_and_its_deletion_takes_a_revision;
                a_deletion_happens_only_if_its_precondition_holds;
                an_absent_key_is_not_found_or_fails_a_precondition_that_asks_for_it;
                a_key_cannot_be_deleted_twice;
                a_key_is_not_deleted_for_another_tenant;
                a_deletion_for_an_unknown_tenant_is_refused;
                a_deletion_tells_the_listener_before_it_answers_and_a_refused_one_does_not;
            }
            key_value_increment {
                an_increment_adds_and_keeps_the_content_type_and_the_end;
                an_absent_key_becomes_initial_to_which_nothing_is_added;
                an_absent_key_without_initial_is_not_found;
                numbers_of_64_bits_are_added_in_decimal;
                what_is_no_integer_is_not_incremented;
                a_sum_that_does_not_fit_is_refused;
                an_increment_happens_only_if_its_precondition_holds;
                an_absent_key_becomes_initial_only_if_the_precondition_holds;
                a_key_is_not_incremented_for_another_tenant;
                an_increment_for_an_unknown_tenant_is_refused;
                an_increment_tells_the_listener_before_it_answers_and_a_refused_one_does_not;
                an_increment_counts_on_from_a_value_that_was_put;
            }
            key_value_list {
                entries_are_listed_once_each_in_the_order_of_their_keys_bytes;
                a_listed_entry_is_the_one_that_is_found;
                a_list_of_keys_only_leaves_out_the_values_and_nothing_else;
                a_prefix_goes_by_bytes_and_knows_no_wildcards;
                a_list_goes_on_behind_any_key_also_one_that_is_not_there;
                a_page_of_entries_that_ends_with_the_list_says_so;
                a_page_ends_behind_the_entry_with_which_its_values_reach_max_value_bytes;
                a_page_holds_at_least_one_entry_however_large;
                pages_ended_by_their_bytes_give_every_entry_once;
                a_list_of_entries_shows_no_other_tenants;
                deleted_keys_are_not_listed;
            }
            key_value_expiry {
                a_value_is_there_to_its_last_microsecond_and_then_absent;
                ended_values_do_not_count_in_a_page_or_in_whether_more_comes;
                an_ended_key_can_be_created_anew;
                a_put_over_an_ended_key_creates_it;
                an_ended_key_cannot_be_deleted;
                an_ended_counter_starts_again;
                a_put_without_a_time_to_live_lives_for_good;
                a_put_with_another_time_to_live_ends_by_that_one;
                an_incremented_value_still_ends;
                remove_expired_removes_only_what_has_ended;
                remove_expired_removes_at_most_its_limit;
                each_removed_key_takes_a_revision_of_its_tenant_and_tells_the_listener;
                a_value_of_100_years_is_still_there_after_99;
            }
            key_value_concurrency {
                puts_at_once_take_revisions_without_gap_or_double_in_each_tenant;
                puts_at_once_of_one_key_take_versions_in_the_order_of_their_revisions;
                increments_at_once_add_up;
                of_puts_at_once_that_ask_for_absence_one_succeeds;
                of_puts_at_once_that_ask_for_one_revision_one_succeeds;
                of_deletions_at_once_one_succeeds;
                a_write_that_fails_among_others_fails_alone_and_takes_no_revision;
                the_listener_hears_of_every_write_at_once_exactly_once;
                keys_removed_at_once_because_they_ended_are_removed_once;
            }
            dropped_write {
                a_dropped_append_is_carried_out;
                a_dropped_put_is_carried_out_and_told_to_the_listener;
                a_dropped_delete_is_carried_out;
                a_dropped_increment_is_carried_out_once;
                a_dropped_removal_of_ended_keys_is_carried_out;
                a_dropped_creation_of_a_tenant_is_carried_out;
                a_dropped_update_of_a_tenant_is_carried_out;
                a_dropped_step_of_an_erasure_is_carried_out;
                dropped_writes_of_access_keys_are_carried_out;
                a_dropped_setting_is_stored;
                dropped_writes_of_feeds_are_carried_out;
                dropped_steps_of_a_run_are_carried_out;
            }
            setting {
                a_setting_that_was_never_stored_is_absent;
                a_setting_is_stored_once_and_then_found;
                settings_are_kept_apart_by_the_letters_of_their_names;
                a_setting_may_be_any_bytes_or_none;
                all_who_store_a_setting_at_once_get_the_same_value;
            }
            export {
                an_empty_storage_exports_nothing;
                settings_and_admin_keys_are_exported_as_they_are_stored;
                tenants_of_any_status_are_exported_with_what_was_given_out_last;
                the_last_number_is_that_of_a_tenant_that_is_gone_too;
                a_tenants_rows_are_exported_once_each_in_pages_and_no_other_tenants;
                a_page_ends_behind_the_row_with_which_it_reaches_its_bytes;
                a_catalog_is_exported_in_pages_by_its_positions_and_no_other_tenants;
                key_values_that_have_ended_are_exported;
            }
            import {
                what_was_imported_is_exported_as_it_was;
                an_imported_catalog_is_served_and_goes_on_from_what_it_was;
                an_imported_plan_of_the_past_is_found_by_its_key;
                rows_that_are_brought_again_change_nothing;
                an_imported_storage_goes_on_with_the_next_number_sequence_and_revision;
                a_move_that_is_not_finished_is_found_with_what_was_noted_last;
                a_storage_with_a_tenant_is_not_empty;
                a_storage_whose_tenants_are_gone_is_not_empty;
                a_storage_with_a_setting_or_an_admin_key_is_not_empty;
                nothing_is_imported_before_a_move_has_begun;
            }
            feed {
                a_new_feed_is_of_version_1_made_now_and_due_at_once;
                a_new_feed_that_is_not_enabled_has_no_next_run;
                what_a_feed_is_said_to_be_is_kept_to_the_letter;
                a_feed_too_many_is_refused_with_how_many_there_are;
                feeds_are_listed_once_each_by_id_in_pages_of_any_size;
                an_update_changes_the_feed_and_takes_its_next_version;
                updated_at_of_a_feed_never_falls;
                an_update_of_another_version_is_refused_with_the_one_that_stands;
                a_feed_that_is_not_there_is_neither_found_nor_changed;
                an_unknown_tenant_has_no_feed_and_gets_none;
                another_tenant_neither_sees_nor_changes_a_feed;
                a_feed_is_due_now_where_its_interval_changed_or_it_is_enabled_again;
                what_the_provider_said_is_forgotten_with_another_url_or_time_zone_and_only_then;
                a_deleted_feed_leaves_its_plans_and_they_are_on_sale_no_more;
                a_deleted_feed_takes_its_runs_and_rejects_with_it;
                the_end_of_a_feed_that_had_nothing_on_sale_takes_no_revision;
                a_worker_with_a_run_of_a_deleted_feed_finds_its_claim_lost;
            }
            feed_precondition {
                a_feed_is_deleted_only_if_the_precondition_holds_for_its_version;
                a_run_is_made_only_if_the_precondition_holds_for_the_feeds_version;
                an_open_run_is_answered_only_if_the_precondition_holds_for_the_feeds_version;
                a_held_run_is_confirmed_only_if_the_precondition_holds_for_the_feeds_version;
                what_is_not_there_is_not_found_whatever_the_precondition;
                of_changes_at_once_that_expect_one_version_one_happens;
            }
            feed_run {
                a_run_that_is_asked_for_is_queued_now;
                while_a_run_is_open_no_other_is_made;
                no_run_is_made_of_a_feed_that_is_not_there;
                a_feed_whose_time_has_come_gets_a_run_and_is_due_again_an_interval_later;
                a_slots_jitter_moves_the_time_of_the_next_run;
                the_feeds_that_are_due_longest_come_first_one_a_slot;
                a_due_feed_with_an_open_run_gets_no_other_and_is_due_again_all_the_same;
                the_timer_makes_no_run_where_feed_or_tenant_is_not_active;
                runs_that_nobody_took_or_whose_claim_has_ended_are_stranded;
                runs_are_listed_once_each_the_newest_first_in_pages_of_any_size;
                another_tenant_neither_sees_nor_changes_a_run;
                the_oldest_runs_that_have_ended_are_pruned_but_for_held_ones;
            }
            feed_claim {
                a_queued_run_is_claimed_with_its_feed_and_what_was_said_of_it;
                a_claimed_run_is_busy_until_its_claim_was_ended;
                a_claim_ends_by_itself_when_its_time_has_passed;
                whoever_lost_a_claim_changes_nothing_any_more;
                what_a_claim_before_has_staged_and_counted_is_discarded;
                restaging_begins_anew_under_the_same_claim;
                of_claims_at_once_one_succeeds;
                of_requests_at_once_one_makes_a_run;
                a_run_that_has_ended_or_is_not_there_cannot_be_claimed;
            }
            feed_import {
                a_first_import_makes_plans_of_version_1_seen_now;
                nothing_that_is_staged_is_seen_before_the_end;
                a_plan_of_which_anything_differs_takes_its_next_version;
                a_plan_that_is_as_it_was_before_takes_a_version_again;
                an_import_in_which_nothing_differs_takes_no_revision_and_tells_nobody;
                a_plan_that_the_feed_holds_no_more_leaves_sale_and_keeps_its_content;
                a_plan_that_comes_back_is_on_sale_again;
                what_was_never_sold_online_takes_no_revision_when_it_leaves_or_comes_back;
                a_feed_that_has_not_changed_was_seen_again;
                a_run_that_failed_changes_nothing_and_leaves_nothing;
                of_records_with_the_same_key_the_first_is_taken;
                a_batch_that_is_staged_once_more_changes_nothing;
                the_same_plan_id_under_two_base_plans_is_two_plans;
                two_feeds_and_two_tenants_do_not_meet;
                validators_of_a_feed_that_was_updated_meanwhile_are_not_kept;
                no_time_falls_when_the_clock_is_set_back;
                a_large_import_becomes_the_catalog_whole;
            }
            past_plan {
                past_plans_come_in_beside_what_is_in_the_feed_and_are_not_on_sale;
                a_past_plan_keeps_its_id_also_when_its_feed_is_fetched;
                a_past_plan_without_an_id_has_the_one_that_a_fetch_gives_it;
                a_plan_that_the_catalog_has_keeps_its_id;
                an_id_that_another_plan_has_is_not_given_twice;
                of_past_plans_with_the_same_key_the_first_is_taken;
                past_plans_are_changed_by_later_ones_until_their_feed_is_fetched;
                past_plans_that_are_brought_again_change_nothing;
                a_past_plans_id_may_be_anothers_in_another_tenant;
                a_run_of_the_past_whose_ids_were_taken_meanwhile_fails_and_changes_nothing;
                a_run_of_the_past_keeps_what_the_provider_said_and_supersedes_a_held_one;
                prices_without_zones_are_kept_and_differ;
                many_past_plans_come_in_and_are_found_by_their_keys;
            }
            feed_hold {
                a_run_with_which_too_many_would_leave_is_held_and_changes_nothing;
                a_run_is_held_only_above_the_bound;
                a_confirmed_run_becomes_the_catalog;
                validators_of_a_held_run_are_not_kept_if_the_feed_was_updated;
                only_a_held_run_is_confirmed_and_only_once;
                a_later_run_that_succeeds_is_unchanged_or_held_supersedes_a_held_one;
                a_run_that_failed_leaves_a_held_one_waiting;
                a_run_that_staged_before_another_was_confirmed_is_compared_with_what_stands_then;
            }
            feed_reject {
                a_reject_is_kept_with_the_run_and_the_time_that_met_it;
                a_reject_that_is_met_again_keeps_when_it_was_first_met;
                of_too_many_rejects_those_met_longest_ago_leave;
                a_run_that_failed_or_was_unchanged_leaves_rejects_as_they_were;
                rejects_that_are_tried_again_become_plans_or_stay;
                rejects_that_the_last_whole_fetch_had_no_more_become_plans_that_are_not_in_the_feed;
                many_rejects_that_are_tried_again_are_removed;
                rejects_are_listed_once_each_by_id_in_pages_of_any_size;
                a_page_of_rejects_ends_behind_the_one_with_which_it_reaches_its_bytes;
                another_tenant_sees_no_reject;
            }
            plan {
                what_a_provider_told_is_kept_to_the_letter;
                a_plan_without_zones_has_no_price;
                an_empty_catalog_has_revision_0_and_no_plan;
                a_search_may_find_what_was_ever_sold_online_with_its_newest_content;
                searchable_plans_are_ordered_by_their_start_and_then_by_id;
                whatever_is_read_meanwhile_is_the_catalog_of_one_revision;
                a_plans_versions_are_listed_once_each_the_newest_first;
                a_page_of_versions_ends_behind_the_one_with_which_it_reaches_its_bytes;
                the_version_of_a_moment_is_the_last_one_seen_by_then;
                another_tenant_sees_nothing_of_a_catalog;
            }
            health {
                a_storage_that_works_says_so_within_2_seconds;
                a_storage_has_a_name_in_reports;
            }
        }
    };
}

/// Makes one test of each case, in a module a noun.
///
/// It takes the name of a function that gives one fresh, empty [`Storage`](crate::Storage), which reads
/// the time off the clock and tells the listener that it is handed:
/// `async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage`. It is called
/// once a case; cases run at the same time.
#[macro_export]
macro_rules! storage_contract_tests {
    ($fresh:ident) => {
        $crate::for_each_storage_case! { $fresh => $crate::test_each_storage_case }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! test_each_storage_case {
    ($fresh:ident $($noun:ident { $($case:ident;)+ })+) => {
        $(mod $noun {
            $(#[test]
            fn $case() {
                $crate::run(super::$fresh, $crate::listed::$noun::$case);
            })+
        })+
    };
}

macro_rules! reach_each_storage_case {
    (() $($noun:ident { $($case:ident;)+ })+) => {
        /// Every case that is listed, for the macro.
        pub mod listed {
            $(/// The cases of this noun.
            pub mod $noun {
                $(pub use crate::cases::$noun::$case;)+
            })+
        }
    };
}

for_each_storage_case! { () => reach_each_storage_case }
