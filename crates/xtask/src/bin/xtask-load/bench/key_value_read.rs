//! P1 and P2: `GET /api/v1/kv/{key}`, authenticated, keys at random, from the cache and past every cache.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use xtask::random::Random;

use super::settings::{KEYS, READ_CONNECTIONS, Settings, WRITE_CONNECTIONS, unmeasured};
use super::sides::Sides;
use super::table::{Row, Target};
use super::turns::Side;
use super::value::{key_name, value};
use super::{VALUE_LENGTH, turns};
use crate::Result;
use crate::bare;
use crate::engine::Engine;
use crate::generator::{self, Caller};
use crate::http::{Response, Template};

/// Nothing is held in memory: neither values nor access keys.
const NO_CACHES: [&str; 3] =
    ["cache.access_max_bytes", "cache.tenants_max_bytes", "cache.key_values_max_bytes"];

/// Measures P1.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let (ours, bare) = compare(settings, &Sides::start(scratch, "P1", Engine::Sqlite, &[])?, "P1")?;
    let work = format!("{}, cached, {READ_CONNECTIONS} connections", work());
    Ok(vec![Row::against_bare("P1", work, ours, bare, Target::Ratio(0.9))])
}

/// Measures P2, on either engine.
pub(super) fn measure_cold(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let no_caches = NO_CACHES.map(|key| (key, "0".to_owned()));
        let sides = Sides::start(scratch, "P2", engine, &no_caches)?;
        let (ours, bare) = compare(settings, &sides, &format!("P2, {engine}"))?;
        let work = format!("{}, past every cache, {READ_CONNECTIONS} connections, {engine}", work());
        rows.push(Row::against_bare("P2", work, ours, bare, Target::Ratio(0.5)));
    }
    Ok(rows)
}

fn work() -> String {
    format!("`GET kv/{{key}}`, authenticated, {KEYS} keys of {VALUE_LENGTH} bytes at random")
}

/// Puts each key, reads each once, and then reads at random.
fn compare(settings: &Settings, sides: &Sides, name: &str) -> Result<(Side, Side)> {
    let (product, bare) = (sides.product.address(), sides.bare.address());

    let next = AtomicU64::new(0);
    let template = Template::new("PUT", "/api/v1/kv/", product, &sides.key);
    let filler =
        || Fill { template: template.clone().with_content_type("application/octet-stream"), next: &next };
    let filled = generator::run(&unmeasured(product, WRITE_CONNECTIONS), settings.per_thread(filler))?;
    expect_all("loaded", filled.answered)?;

    let next = AtomicU64::new(0);
    let template = Template::new("GET", "/api/v1/kv/", product, &sides.key);
    let reader = || Read { template: template.clone(), keys: Keys::Each(&next), is_bare: false };
    let read = generator::run(&unmeasured(product, READ_CONNECTIONS), settings.per_thread(reader))?;
    expect_all("read once", read.answered)?;

    let round = |address, is_bare: bool, number| {
        let template = Template::new("GET", "/api/v1/kv/", address, &sides.key);
        let mut thread = 0;
        let reader = || {
            thread += 1;
            let random = Random::part(settings.seed, number * 1000 + thread);
            Read { template: template.clone(), keys: Keys::AtRandom(random), is_bare }
        };
        generator::run(&settings.load(address, READ_CONNECTIONS), settings.per_thread(reader))
    };
    turns::take(
        settings,
        name,
        |number| Ok(round(product, false, number)?.into()),
        |number| Ok(round(bare, true, number)?.into()),
    )
}

/// Fails unless every key was answered for.
fn expect_all(what: &str, answered: u64) -> Result<()> {
    if answered == KEYS { Ok(()) } else { Err(format!("{answered} of {KEYS} keys were {what}").into()) }
}

/// PUTs each key once.
struct Fill<'a> {
    template: Template,
    next: &'a AtomicU64,
}

impl Caller for Fill<'_> {
    type Ticket = ();

    fn request(&mut self, request: &mut Vec<u8>) -> Option<()> {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        (key < KEYS).then(|| self.template.write_with_body(&key_name(key), &value(key, 0), request))
    }

    fn answer(&mut self, (): (), response: &Response<'_, '_>) -> Result<()> {
        match response.status {
            201 => Ok(()),
            status => Err(format!("PUT was answered with {status}").into()),
        }
    }
}

/// GETs keys and compares the values.
struct Read<'a> {
    template: Template,
    keys: Keys<'a>,
    is_bare: bool,
}

/// Which keys to read.
enum Keys<'a> {
    Each(&'a AtomicU64),
    AtRandom(Random),
}

impl Caller for Read<'_> {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        let key = match &mut self.keys {
            Keys::Each(next) => next.fetch_add(1, Ordering::Relaxed),
            Keys::AtRandom(random) => random.below(KEYS),
        };
        (key < KEYS).then(|| {
            self.template.write(&key_name(key), request);
            key
        })
    }

    fn answer(&mut self, key: u64, response: &Response<'_, '_>) -> Result<()> {
        let expected = if self.is_bare { bare::VALUE } else { value(key, 0) };
        if response.status != 200 || response.body != expected {
            let body = String::from_utf8_lossy(response.body);
            return Err(format!("GET of key {key} was answered with {}: {body}", response.status).into());
        }
        Ok(())
    }
}
