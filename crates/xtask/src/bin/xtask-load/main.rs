//! `xtask-load`: what `cargo xtask bench`, `cargo xtask drill` and `cargo xtask provider` run.
//!
//! What belongs here: load, and the watching of what becomes of it, from outside, over HTTP. What never will:
//! a crate of the product, since a fault there would then be on both sides of a comparison.

mod bare;
mod bench;
mod database;
mod disturbance;
mod drill;
mod engine;
mod event_walk;
mod generator;
mod http;
mod moment;
mod private;
mod process_memory;
mod product;
mod provider;
mod psql;
mod rabbitmqctl;
mod scratch;
mod server;
mod worker_process;

use std::env;
use std::process::ExitCode;

use xtask::arguments::Arguments;

/// The bare server is to be no slower than it can be: it takes the product's allocator too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a task did not succeed, in words for a person: nobody here acts on the kind of a failure.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let task = words.next().unwrap_or_default();
    let arguments = Arguments::new(words);
    let done = match task.as_str() {
        "bench" => bench::run(arguments),
        "drill" => drill::run(arguments),
        "bare" => bare::run(arguments),
        "provider" => provider::run(arguments),
        private::GUARD_TASK => private::run_guard(),
        _ => Err("usage: xtask-load bench | drill | provider | bare".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask-load: {failure}");
            ExitCode::FAILURE
        }
    }
}
