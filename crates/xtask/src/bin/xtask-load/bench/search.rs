//! P7: `GET /api/v1/search`, against the bare server; at a pace, while the catalog is imported again and again; how soon
//! an import is seen; and all that with ten times as many plans.

mod catalog;
mod feed;
mod freshness;
mod imports;
mod provider;

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use xtask::median::median;

use super::settings::{READ_CONNECTIONS, Settings};
use super::table::{Row, Target};
use super::turns;
use crate::Result;
use crate::disturbance::Meter;
use crate::generator::{self, Load};
use crate::http::Template;
use catalog::Catalog;
use feed::{FOUND, MANY_PLANS, PLANS};

/// Requests a second that are sent whatever becomes of them.
const PACE: u32 = 10_000;

/// From the end of an import until a search shows it.
const SEEN_WITHIN_MS: f64 = 300.0;

/// With ten times the plans a search may take 1.3 times as long.
const LEAST_OF_SPEED: f64 = 0.77;

/// What a plan may take in a snapshot.
const MAX_BYTES_A_PLAN: f64 = 512.0;

/// A page as the product answers it, to the byte but for its digits: what the bare server answers.
pub(crate) static PAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let plan = r#"{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","title":"plan 000000","start_date":"2021-06-30","start_time":"21:00:00","end_date":"2021-06-30","end_time":"22:00:00","min_price":15.0,"max_price":30.0}"#;
    let plans = vec![plan; usize::from(FOUND)].join(",");
    format!(r#"{{"data":{{"events":[{plans}]}},"error":null,"next_cursor":null}}"#).into_bytes()
});

/// Measures it.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let catalog = Catalog::start(settings, scratch, "P7", PLANS)?;
    let (ours, theirs) = turns::take(
        settings,
        "P7",
        |number| Ok(catalog.round(false, number)?.into()),
        |number| Ok(catalog.round(true, number)?.into()),
    )?;
    let work = format!("`search`, {PLANS} plans, spans of {FOUND} results, {READ_CONNECTIONS} connections");
    let mut rows = vec![Row::against_bare("P7", work, ours, theirs, Target::Ratio(0.7))];
    rows.extend(larger(settings, scratch, &catalog)?);

    let (product, key) = (catalog.sides.product.address(), &catalog.sides.key);
    let seen_ms = freshness::measure(&catalog.imports, product, key, settings.rounds)?;
    println!("P7, from the end of an import until a search shows it: {seen_ms:.0?} ms");
    let work = format!("from the end of an import until `search` shows it, {PLANS} plans");
    rows.push(Row::alone("P7", &work, "ms", seen_ms, Target::AtMost(SEEN_WITHIN_MS)));
    rows.push(at_a_pace(settings, &catalog)?);
    Ok(rows)
}

/// The same search among ten times as many plans, in turns with that among fewer, and what memory a plan takes.
fn larger(settings: &Settings, scratch: &Path, few: &Catalog<'_>) -> Result<Vec<Row>> {
    let many = Catalog::start(settings, scratch, "P7-larger", MANY_PLANS)?;
    let (of_many, of_few) = turns::take(
        settings,
        "P7, ten times the plans",
        |number| Ok(many.round(false, 2000 + number)?.into()),
        |number| Ok(few.round(false, 3000 + number)?.into()),
    )?;
    let work = format!("the same, {MANY_PLANS} plans, against {PLANS} plans");
    let bytes = many.snapshot_mib()? * 1024.0 * 1024.0 / MANY_PLANS as f64;
    let memory = format!("memory of the search, a plan of {MANY_PLANS}");
    Ok(vec![
        Row::against("fewer", "P7", work, of_many, of_few, Target::Ratio(LEAST_OF_SPEED)),
        Row::alone("P7", &memory, "bytes", vec![bytes], Target::AtMost(MAX_BYTES_A_PLAN)),
    ])
}

/// At a pace, while the catalog is imported again and again by a provider that fails.
fn at_a_pace(settings: &Settings, catalog: &Catalog<'_>) -> Result<Row> {
    catalog.provider.fail_two_times_in_three(settings.seed);
    let product = catalog.sides.product.address();
    let (mut p99_ms, mut reached) = (Vec::new(), Vec::new());
    for number in 1..=settings.rounds as u64 {
        let load = Load { per_second: Some(PACE), ..settings.load(product, READ_CONNECTIONS) };
        let template = Template::new("GET", "", product, &catalog.sides.key);
        let meter = Meter::start()?;
        let searchers = catalog.searchers(&template, false, 1000 + number);
        let (outcome, imported) = catalog.imports.meanwhile(|| generator::run(&load, searchers))?;
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
    Ok(Row::alone("P7", &work, "ms", p99_ms, Target::AtMost(5.0)))
}
