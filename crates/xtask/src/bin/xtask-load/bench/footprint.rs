//! P10: memory when idle, start from cold to ready, size of the release binary.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::table::{Row, Target};
use crate::Result;
use crate::process_memory::resident_mib;
use crate::product;
use crate::server::Server;

const STARTS: usize = 10;
const IDLE_RUNS: usize = 3;

/// Measures it.
pub(super) fn measure(scratch: &Path) -> Result<Vec<Row>> {
    let folder = scratch.join("P10");
    fs::create_dir_all(&folder)?;

    let mut idle_mib = Vec::new();
    for run in 0..IDLE_RUNS {
        let server = product::start(&folder.join(format!("idle-{run}")), &[])?;
        product::wait_until_ready(server.address())?;
        idle_mib.push(settled_memory_mib(&server)?);
        server.stop()?;
    }

    let mut fresh_ms = Vec::new();
    for run in 0..STARTS {
        fresh_ms.push(start_ms(&folder.join(format!("fresh-{run}")))?);
    }

    let existing = folder.join("existing");
    let server = product::start(&existing, &[])?;
    product::make_tenant(server.address(), &existing)?;
    server.stop()?;
    let mut existing_ms = Vec::new();
    for _ in 0..STARTS {
        existing_ms.push(start_ms(&existing)?);
    }

    let size_mib = fs::metadata(product::program()?)?.len() as f64 / (1024.0 * 1024.0);
    Ok(vec![
        Row::alone("P10", "resident memory, idle", "MiB", idle_mib, Target::AtMost(30.0)),
        Row::alone("P10", "start to ready, fresh data directory", "ms", fresh_ms, Target::AtMost(150.0)),
        Row::alone(
            "P10",
            "start to ready, existing data directory",
            "ms",
            existing_ms,
            Target::AtMost(150.0),
        ),
        Row::alone("P10", "release binary", "MiB", vec![size_mib], Target::AtMost(40.0)),
    ])
}

/// From the start of the process to the first 200 of `/readyz`.
fn start_ms(data_dir: &Path) -> Result<f64> {
    let begun = Instant::now();
    let server = product::start(data_dir, &[])?;
    product::wait_until_ready(server.address())?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    server.stop()?;
    Ok(milliseconds)
}

/// The resident memory once it has not changed by more than a hundredth for two seconds.
fn settled_memory_mib(server: &Server) -> Result<f64> {
    let mut samples: Vec<f64> = Vec::new();
    for _ in 0..80 {
        thread::sleep(Duration::from_millis(250));
        samples.push(resident_mib(server.process_id())?);
        if let Some(last) = samples.last_chunk::<8>() {
            let (low, high) = last
                .iter()
                .fold((f64::MAX, 0.0_f64), |(low, high), sample| (low.min(*sample), high.max(*sample)));
            if high - low <= high / 100.0 {
                return Ok(high);
            }
        }
    }
    Err("the memory of an idle server did not settle within 20 seconds".into())
}
