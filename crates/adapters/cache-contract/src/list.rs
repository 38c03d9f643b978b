//! The lists of the cases, and what is made of them: the names under which they can be reached, and an adapter's
//! tests.
//!
//! A case that is written and not listed is never used, and the crate denies dead code.

/// Hands the list of the shared cache's cases to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_shared_cache_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            lookup {
                another_tenant_sees_nothing;
                another_namespace_sees_nothing;
                keys_are_told_apart_by_their_bytes;
                any_bytes_come_back_as_they_were;
                what_has_lived_its_time_is_held_no_more;
                a_cache_that_is_up_says_so_and_is_not_needed;
            }
            lease {
                what_is_not_held_is_leased_to_one_of_all_nodes;
                what_the_holder_of_the_lease_has_read_is_held;
                an_absence_that_was_read_is_held;
                who_has_not_the_lease_fills_nothing;
                a_lease_fills_once;
                a_change_takes_the_lease_away;
                a_lease_that_nobody_uses_ends;
                a_lease_is_the_tenants_own;
            }
            replace {
                a_newer_value_replaces_an_older_one;
                an_older_value_never_replaces_a_newer_one;
                versions_compare_as_numbers;
                a_deletion_is_held_as_an_absence_that_is_newer;
                an_absence_that_was_read_gives_way_to_the_first_change;
                of_changes_at_once_the_newest_stays;
                many_are_replaced_in_one_call;
                a_value_that_is_too_large_leaves_nothing_older_behind;
            }
            generation {
                a_node_that_starts_believes_nothing_that_was_held_before;
                a_node_that_meets_a_generation_believes_nothing_older;
                a_generation_is_met_without_being_told_to_look;
                a_cache_that_is_distrusted_is_down_until_a_new_generation;
                what_a_lease_of_an_older_generation_fills_is_not_believed;
                what_is_not_believed_still_keeps_out_what_is_older;
                an_absence_that_is_read_anew_keeps_out_what_is_older;
                the_same_version_is_believed_again_once_it_was_stored_anew;
            }
        }
    };
}

/// Hands the list of the bus's cases to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_change_bus_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            bus {
                a_node_is_told_that_it_has_joined_before_anything_else;
                the_others_hear_every_kind_of_change;
                a_node_does_not_hear_itself;
                changes_are_heard_in_the_order_of_their_announcement;
                many_changes_are_announced_in_one_call;
                announcements_at_once_are_each_heard_once;
                another_namespace_hears_nothing;
            }
        }
    };
}

/// Hands the list of the cases about a shared cache whose server fails to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_cache_fault_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            cache_fault {
                a_server_that_freezes_is_passed_by_and_nothing_old_is_believed_afterwards;
                a_server_that_is_killed_is_passed_by_and_nothing_old_is_believed_afterwards;
                a_freeze_that_only_one_node_has_noticed_is_soon_known_to_the_other;
                a_server_that_is_down_costs_no_time;
                after_faults_under_load_what_is_held_is_what_storage_has;
            }
        }
    };
}

/// Hands the list of the cases about a bus whose server fails to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_bus_fault_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            bus_fault {
                a_server_that_freezes_is_lost_within_two_seconds_and_joined_again;
                a_server_that_is_killed_is_lost_and_joined_again;
                while_the_bus_is_lost_announcing_fails_at_once;
            }
        }
    };
}

/// Makes one test of each case about the shared cache, in a module a subject.
///
/// It takes the name of a function that opens one node's cache in a namespace:
/// `async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache`.
#[macro_export]
macro_rules! shared_cache_contract_tests {
    ($open:ident) => {
        $crate::for_each_shared_cache_case! { ($open run_cache listed_cache) => $crate::test_each_cache_case }
    };
}

/// Makes one test of each case about the bus, in a module.
///
/// It takes the name of a function that opens one node's bus in a namespace:
/// `async fn open(namespace: String, listener: Arc<dyn BusListener>) -> OpenBus`.
#[macro_export]
macro_rules! change_bus_contract_tests {
    ($open:ident) => {
        $crate::for_each_change_bus_case! { ($open run_bus listed_bus) => $crate::test_each_cache_case }
    };
}

/// Makes one test of each case about a shared cache whose server fails.
///
/// It takes the names of two functions: one that starts a server of the test's own, `fn server() -> PrivateServer` (or
/// another [`FaultyServer`](crate::FaultyServer)), and one that opens one node's cache at its URL, with time limits as they are in production:
/// `async fn open(url: String, namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache`.
#[macro_export]
macro_rules! shared_cache_fault_tests {
    ($server:ident, $open:ident) => {
        $crate::for_each_cache_fault_case! {
            ($server $open run_cache_fault listed_cache_fault) => $crate::test_each_fault_case
        }
    };
}

/// Makes one test of each case about a bus whose server fails; as [`shared_cache_fault_tests!`].
#[macro_export]
macro_rules! change_bus_fault_tests {
    ($server:ident, $open:ident) => {
        $crate::for_each_bus_fault_case! {
            ($server $open run_bus_fault listed_bus_fault) => $crate::test_each_fault_case
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! test_each_fault_case {
    (($server:ident $open:ident $run:ident $listed:ident) $subject:ident { $($case:ident;)+ }) => {
        mod $subject {
            $(#[test]
            fn $case() {
                $crate::$run(super::$server, super::$open, $crate::$listed::$subject::$case);
            })+
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! test_each_cache_case {
    (($open:ident $run:ident $listed:ident) $($subject:ident { $($case:ident;)+ })+) => {
        $crate::test_each_cache_case! { @ $open $run $listed $($subject { $($case;)+ })+ }
    };
    (@ $open:ident $run:ident $listed:ident $subject:ident { $($case:ident;)+ } $($rest:tt)*) => {
        mod $subject {
            $(#[test]
            fn $case() {
                $crate::$run(super::$open, $crate::$listed::$subject::$case);
            })+
        }
        $crate::test_each_cache_case! { @ $open $run $listed $($rest)* }
    };
    (@ $open:ident $run:ident $listed:ident) => {};
}

macro_rules! reach_each_cache_case {
    ($listed:ident $($subject:ident { $($case:ident;)+ })+) => {
        /// Every case that is listed, for the macro.
        pub mod $listed {
            $(/// The cases of this subject.
            pub mod $subject {
                $(pub use crate::cases::$subject::$case;)+
            })+
        }
    };
}

for_each_shared_cache_case! { listed_cache => reach_each_cache_case }
for_each_change_bus_case! { listed_bus => reach_each_cache_case }
for_each_cache_fault_case! { listed_cache_fault => reach_each_cache_case }
for_each_bus_fault_case! { listed_bus_fault => reach_each_cache_case }
