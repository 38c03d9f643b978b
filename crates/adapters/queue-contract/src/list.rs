//! The lists of the cases, and what is made of them: the names under which they can be reached, and an adapter's tests.

/// Hands the list of the cases that hold for every queue to the macro `$then`, behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_job_queue_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            delivery {
                a_job_that_was_published_is_delivered;
                an_empty_queue_delivers_nothing;
                a_worker_that_waits_hears_of_a_job;
                each_job_goes_to_one_of_the_workers;
                what_a_busy_worker_cannot_do_goes_to_others;
                who_stops_waiting_loses_no_job;
            }
            settling {
                a_job_that_is_done_is_not_delivered_again;
                a_job_whose_worker_dies_is_delivered_to_another;
                a_job_that_is_put_back_comes_again_and_not_too_early;
                a_job_that_is_set_aside_is_not_delivered_again;
                a_job_that_was_set_aside_may_be_published_once_more;
                a_job_that_is_published_while_a_worker_has_it_is_delivered_once_more;
                a_delivery_that_was_settled_takes_the_job_from_nobody;
                what_is_no_delivery_cannot_be_settled;
            }
        }
    };
}

/// The same for queues with a lease.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_leased_jobs_case {
    ($context:tt => $($then:tt)+) => {
        $($then)+! {
            $context
            lease {
                a_job_that_is_with_a_worker_is_delivered_to_nobody_else;
                a_job_that_is_kept_is_delivered_to_nobody_else;
                a_worker_that_comes_too_late_takes_the_job_from_nobody;
                a_job_that_waits_is_not_doubled;
                a_tenant_that_is_not_there_has_no_jobs;
            }
        }
    };
}

/// Makes one test of each case, in a module a subject. `$open` opens an empty queue: `async fn() -> Queue`.
#[macro_export]
macro_rules! job_queue_contract_tests {
    ($open:ident) => {
        $crate::for_each_job_queue_case! { ($open) => $crate::queue_tests }
    };
}

/// The same for what holds where a lease says whether a worker lives. It is to be of two seconds.
#[macro_export]
macro_rules! leased_jobs_contract_tests {
    ($open:ident) => {
        $crate::for_each_leased_jobs_case! { ($open) => $crate::queue_tests }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! queue_tests {
    (($open:ident) $($subject:ident { $($case:ident;)+ })+) => {
        $(
            mod $subject {
                $(
                    #[test]
                    fn $case() {
                        $crate::run(super::$open, $crate::listed::$subject::$case);
                    }
                )+
            }
        )+
    };
}

macro_rules! reach {
    (() $($subject:ident { $($case:ident;)+ })+) => {
        $(
            pub mod $subject {
                $(
                    pub async fn $case(fixture: &$crate::QueueFixture) {
                        $crate::cases::$subject::$case(fixture).await;
                    }
                )+
            }
        )+
    };
}

/// The cases by their names, for the macros alone.
#[expect(missing_docs, reason = "a case's name says what it proves")]
pub mod listed {
    for_each_job_queue_case! { () => reach }
    for_each_leased_jobs_case! { () => reach }
}
