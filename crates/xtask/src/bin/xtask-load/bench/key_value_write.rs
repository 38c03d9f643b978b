//! P5: `PUT /api/v1/kv/{key}`, durable.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use xtask::random::Random;

use super::settings::{KEYS, READ_CONNECTIONS, Settings, WRITE_CONNECTIONS, unmeasured};
use super::sides::Sides;
use super::table::{Row, Target};
use super::value::{key_name, value};
use super::{VALUE_LENGTH, turns};
use crate::Result;
use crate::engine::Engine;
use crate::generator::{self, Caller};
use crate::http::{Response, Template};

/// The last write of each key that was acknowledged: its revision and its number. Revision 0: none.
type LastWrites = Vec<(u64, u64)>;

/// Measures it on either engine.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    [Engine::Sqlite, Engine::Postgres]
        .map(|engine| measure_on(engine, settings, scratch))
        .into_iter()
        .collect()
}

/// Measures it, and checks that every key has the value of its last write.
fn measure_on(engine: Engine, settings: &Settings, scratch: &Path) -> Result<Row> {
    let sides = Sides::start(scratch, "P5", engine, &[])?;
    let (product, bare) = (sides.product.address(), sides.bare.address());

    let numbers = AtomicU64::new(1);
    let round = |address, is_bare: bool, number: u64| {
        let template = Template::new("PUT", "/api/v1/kv/", address, &sides.key);
        let mut thread = 0;
        let writer = || {
            thread += 1;
            let random = Random::part(settings.seed, number * 1000 + thread);
            let template = template.clone().with_content_type("application/octet-stream");
            Write { template, random, is_bare, numbers: &numbers, last: vec![(0, 0); KEYS as usize] }
        };
        generator::run(&settings.load(address, WRITE_CONNECTIONS), settings.per_thread(writer))
    };
    let mut last: LastWrites = vec![(0, 0); KEYS as usize];
    let (ours, bare) = turns::take(
        settings,
        &format!("P5, {engine}"),
        |number| {
            let outcome = round(product, false, number)?;
            for caller in &outcome.callers {
                for (known, new) in last.iter_mut().zip(&caller.last) {
                    *known = (*known).max(*new);
                }
            }
            Ok(outcome.into())
        },
        |number| Ok(round(bare, true, number)?.into()),
    )?;

    let next = AtomicU64::new(0);
    let template = Template::new("GET", "/api/v1/kv/", product, &sides.key);
    let reader = || Check { template: template.clone(), next: &next, last: &last };
    let checked = generator::run(&unmeasured(product, READ_CONNECTIONS), settings.per_thread(reader))?;
    let written = last.iter().filter(|(revision, _)| *revision > 0).count();
    if checked.answered != written as u64 {
        return Err(format!("{} of {written} written keys were checked", checked.answered).into());
    }
    println!("P5, {engine}: each of {written} keys has the value of its last acknowledged write");

    let work = format!(
        "`PUT kv/{{key}}`, {VALUE_LENGTH} bytes, durable, {KEYS} keys at random, {WRITE_CONNECTIONS} connections, \
         {engine}"
    );
    Ok(Row::against_bare("P5", work, ours, bare, Target::Ratio(0.7)))
}

/// PUTs keys at random.
struct Write<'a> {
    template: Template,
    random: Random,
    is_bare: bool,
    numbers: &'a AtomicU64,
    last: LastWrites,
}

impl Caller for Write<'_> {
    type Ticket = (u64, u64);

    fn request(&mut self, request: &mut Vec<u8>) -> Option<(u64, u64)> {
        let key = self.random.below(KEYS);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.template.write_with_body(&key_name(key), &value(key, number), request);
        Some((key, number))
    }

    fn answer(&mut self, (key, number): (u64, u64), response: &Response<'_, '_>) -> Result<()> {
        let is_expected = if self.is_bare {
            response.status == 200 && response.body == value(key, number)
        } else {
            matches!(response.status, 200 | 201) && response.body.is_empty()
        };
        if !is_expected {
            let body = String::from_utf8_lossy(response.body);
            return Err(format!("PUT of key {key} was answered with {}: {body}", response.status).into());
        }
        if !self.is_bare {
            let revision = response.entity_tag().ok_or("PUT was answered without a revision")?;
            let last = &mut self.last[key as usize];
            *last = (*last).max((revision, number));
        }
        Ok(())
    }
}

/// GETs each written key once, and compares.
struct Check<'a> {
    template: Template,
    next: &'a AtomicU64,
    last: &'a LastWrites,
}

impl Caller for Check<'_> {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        loop {
            let key = self.next.fetch_add(1, Ordering::Relaxed);
            let (revision, _) = self.last.get(key as usize)?;
            if *revision > 0 {
                self.template.write(&key_name(key), request);
                return Some(key);
            }
        }
    }

    fn answer(&mut self, key: u64, response: &Response<'_, '_>) -> Result<()> {
        let (revision, number) = self.last[key as usize];
        let is_last = response.body == value(key, number) && response.entity_tag() == Some(revision);
        if response.status != 200 || !is_last {
            let body = String::from_utf8_lossy(response.body);
            return Err(format!(
                "key {key} does not have the value of write {number}, revision {revision}, but: {} {body}",
                response.status
            )
            .into());
        }
        Ok(())
    }
}
