//! The contracts on a server that takes long to start: all cases in one test each.

use tenantry_cache_contract::{
    for_each_change_bus_case, for_each_shared_cache_case, listed_bus, listed_cache, run_bus, run_cache,
};

use crate::contract::PATIENT;
use crate::open::{bus, cache, options};

/// Runs each case after the other, and says which.
macro_rules! run_each {
    (($url:ident $run:ident $listed:ident $open:ident) $($subject:ident { $($case:ident;)+ })+) => {
        $($(
            eprintln!("{}::{}", stringify!($subject), stringify!($case));
            let url = $url.to_owned();
            $run(
                move |namespace, listener| {
                    let options = options(&url, namespace, PATIENT);
                    async move { $open(options, listener) }
                },
                $listed::$subject::$case,
            );
        )+)+
    };
}

pub(crate) fn passes_that_of_the_shared_cache(url: &str) {
    for_each_shared_cache_case! { (url run_cache listed_cache cache) => run_each }
}

pub(crate) fn passes_that_of_the_bus(url: &str) {
    for_each_change_bus_case! { (url run_bus listed_bus bus) => run_each }
}
