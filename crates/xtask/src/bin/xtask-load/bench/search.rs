//! P7: `GET /api/v1/search`, against the bare server; and at a pace, while the catalog is imported again and again.

mod feed;
mod imports;
mod provider;

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use xtask::median::median;
use xtask::random::Random;

use super::settings::{READ_CONNECTIONS, Settings};
use super::sides::Sides;
use super::table::{Row, Target};
use super::turns;
use super::value::write_digits;
use crate::Result;
use crate::disturbance::Meter;
use crate::engine::Engine;
use crate::generator::{self, Caller, Load};
use crate::http::{Response, Template};
use feed::{FOUND, PLANS};
use imports::Imports;
use provider::Provider;

/// Requests a second that are sent whatever becomes of them.
const PACE: u32 = 10_000;

/// Where the title of the first plan stands in an answer.
const TITLE_AT: usize = br#"{"data":{"events":[{"id":"00000000-0000-0000-0000-000000000000","title":""#.len();

/// A page as the product answers it, to the byte but for its digits: what the bare server answers.
pub(crate) static PAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let plan = r#"{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","title":"plan 000000","start_date":"2021-06-30","start_time":"21:00:00","end_date":"2021-06-30","end_time":"22:00:00","min_price":15.0,"max_price":30.0}"#;
    let plans = vec![plan; usize::from(FOUND)].join(",");
    format!(r#"{{"data":{{"events":[{plans}]}},"error":null,"next_cursor":null}}"#).into_bytes()
});

/// Measures it.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let provider = Provider::start()?;
    let near = [("feeds.allow_private_addresses", "true".to_owned())];
    let sides = Sides::start(scratch, "P7", Engine::Sqlite, &near)?;
    let (product, bare) = (sides.product.address(), sides.bare.address());
    let imports = Imports::of(product, &sides.key, &provider)?;
    imports.run_one()?;

    let round = |address, is_bare: bool, number| {
        let load = settings.load(address, READ_CONNECTIONS);
        generator::run(
            &load,
            searchers(settings, &Template::new("GET", "", address, &sides.key), is_bare, number),
        )
    };
    let (ours, theirs) = turns::take(
        settings,
        "P7",
        |number| Ok(round(product, false, number)?.into()),
        |number| Ok(round(bare, true, number)?.into()),
    )?;
    let work = format!("`search`, {PLANS} plans, spans of {FOUND} results, {READ_CONNECTIONS} connections");
    let mut rows = vec![Row::against_bare("P7", work, ours, theirs, Target::Ratio(0.7))];

    provider.fail_two_times_in_three(settings.seed);
    let (mut p99_ms, mut reached) = (Vec::new(), Vec::new());
    for number in 1..=settings.rounds as u64 {
        let load = Load { per_second: Some(PACE), ..settings.load(product, READ_CONNECTIONS) };
        let template = Template::new("GET", "", product, &sides.key);
        let meter = Meter::start()?;
        let (outcome, imported) = imports
            .meanwhile(|| generator::run(&load, searchers(settings, &template, false, 1000 + number)))?;
        let (others, outcome) = (meter.share_of_others()?, outcome?);
        let p99 = Duration::from_micros(outcome.latency_us.value_at_quantile(0.99));
        println!(
            "P7, at a pace, round {number}: p99 {:.2} ms, p50 {:.2} ms, {:.0}/s, {imported} imports (others used {:.0} %)",
            p99.as_secs_f64() * 1e3,
            outcome.latency_us.value_at_quantile(0.5) as f64 / 1e3,
            outcome.per_second,
            others * 100.0
        );
        p99_ms.push(p99.as_secs_f64() * 1e3);
        reached.push(outcome.per_second);
    }
    let work = format!(
        "`search` at a pace of {PACE}/s during imports, with the provider failing: p99, at {:.0}/s answered",
        median(&reached)
    );
    rows.push(Row::alone("P7", &work, "ms", p99_ms, Target::AtMost(5.0)));
    Ok(rows)
}

fn searchers(settings: &Settings, template: &Template, is_bare: bool, number: u64) -> Vec<Searcher> {
    let mut thread = 0;
    settings.per_thread(|| {
        thread += 1;
        let random = Random::part(settings.seed, number * 1000 + thread);
        Searcher { template: template.clone(), random, target: Vec::new(), is_bare }
    })
}

/// Searches spans at random, and looks at what is found.
struct Searcher {
    template: Template,
    random: Random,
    target: Vec<u8>,
    is_bare: bool,
}

impl Caller for Searcher {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        let first = self.random.below(PLANS - u64::from(FOUND));
        self.target.clear();
        feed::write_search(first, &mut self.target);
        self.template.write(&self.target, request);
        Some(first)
    }

    fn answer(&mut self, first: u64, response: &Response<'_, '_>) -> Result<()> {
        let mut title = *b"plan 000000";
        write_digits(if self.is_bare { 0 } else { first }, &mut title[5..]);
        let found = response.body.get(TITLE_AT..).is_some_and(|rest| rest.starts_with(&title));
        if response.status != 200 || response.body.len() != PAGE.len() || !found {
            let body = String::from_utf8_lossy(response.body);
            return Err(format!(
                "the search from plan {first} was answered with {}: {body}",
                response.status
            )
            .into());
        }
        Ok(())
    }
}
