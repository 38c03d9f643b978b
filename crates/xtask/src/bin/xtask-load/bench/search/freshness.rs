//! How long after the end of an import a search shows it.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::feed;
use super::imports::Imports;
use crate::Result;
use crate::http::Client;

/// Between two searches, of which each says which revision of the catalog it shows.
const LOOK: Duration = Duration::from_millis(1);

/// No snapshot takes as long.
const PATIENCE: Duration = Duration::from_secs(180);

/// Imports so often, and answers the milliseconds that it took each time.
pub(super) fn measure(imports: &Imports, product: SocketAddr, key: &str, rounds: usize) -> Result<Vec<f64>> {
    (0..rounds).map(|_| measure_once(imports, product, key)).collect()
}

fn measure_once(imports: &Imports, product: SocketAddr, key: &str) -> Result<f64> {
    let mut client = Client::connect(product, Some(key))?;
    let before = revision(&mut client)?;
    thread::scope(|scope| {
        let seen = scope.spawn(move || {
            let deadline = Instant::now() + PATIENCE;
            while revision(&mut client)? == before {
                if Instant::now() > deadline {
                    return Err("no search shows what was imported".into());
                }
                thread::sleep(LOOK);
            }
            Ok(SystemTime::now())
        });
        let ended = imports.run_one()?;
        let seen: Result<SystemTime> =
            seen.join().unwrap_or_else(|_| Err("the thread that searches panicked".into()));
        Ok(seen?.duration_since(ended).unwrap_or_default().as_secs_f64() * 1e3)
    })
}

fn revision(client: &mut Client) -> Result<u64> {
    let mut path = Vec::new();
    feed::write_search(0, &mut path);
    let answer = client.get(&String::from_utf8(path)?)?;
    match answer.entity_tag() {
        Some(revision) if answer.status == 200 => Ok(revision),
        _ => Err(format!("a search was answered with {}", answer.status).into()),
    }
}
