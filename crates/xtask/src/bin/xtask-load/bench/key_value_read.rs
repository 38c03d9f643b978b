//! P1: `GET /api/v1/kv/{key}`, authenticated, keys at random, from the cache.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use xtask::random::Random;

use super::settings::{KEYS, READ_CONNECTIONS, Settings, WRITE_CONNECTIONS, unmeasured};
use super::sides::Sides;
use super::table::{Row, Target};
use super::value::{key_name, value};
use super::{VALUE_LENGTH, turns};
use crate::Result;
use crate::bare;
use crate::generator::{self, Caller};
use crate::http::{Response, Template};

/// Measures it.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let sides = Sides::start(scratch, "P1")?;
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
    let (ours, bare) = turns::take(
        settings,
        &sides,
        "P1",
        |number| round(product, false, number),
        |number| round(bare, true, number),
    )?;
    let work = format!(
        "`GET kv/{{key}}`, authenticated, {KEYS} keys of {VALUE_LENGTH} bytes at random, cached, \
         {READ_CONNECTIONS} connections"
    );
    Ok(vec![Row::against_bare("P1", work, ours, bare, Target::Ratio(0.9))])
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
