//! A catalog that is searched: the product with so many plans, and the bare server beside it.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use xtask::random::Random;

use super::super::settings::{READ_CONNECTIONS, Settings};
use super::super::sides::Sides;
use super::super::value::write_digits;
use super::PAGE;
use super::feed::{self, FOUND};
use super::imports::Imports;
use super::provider::Provider;
use crate::engine::Engine;
use crate::generator::{self, Caller, Outcome};
use crate::http::{Client, Response, Template};
use crate::process_memory::resident_mib;
use crate::{Result, product};

/// Where the title of the first plan stands in an answer.
const TITLE_AT: usize = br#"{"data":{"events":[{"id":"00000000-0000-0000-0000-000000000000","title":""#.len();

/// How long memory may settle.
const SETTLES: Duration = Duration::from_secs(3);

/// A catalog, and all that it stands on.
pub(super) struct Catalog<'a> {
    settings: &'a Settings,
    pub(super) sides: Sides,
    pub(super) provider: Provider,
    pub(super) imports: Imports,
    plans: u64,
}

impl<'a> Catalog<'a> {
    /// Starts it, and imports so many plans.
    pub(super) fn start(settings: &'a Settings, scratch: &Path, name: &str, plans: u64) -> Result<Self> {
        let provider = Provider::start(plans)?;
        let sides = Sides::start(scratch, name, Engine::Sqlite, &near())?;
        let imports = Imports::of(sides.product.address(), &sides.key, &provider)?;
        let begun = Instant::now();
        imports.run_one()?;
        // The first search has the snapshot made, and waits for it.
        search_once(sides.product.address(), &sides.key)?;
        println!(
            "{name}: {plans} plans were imported, and are found, {:.1} s after",
            begun.elapsed().as_secs_f64()
        );
        Ok(Self { settings, sides, provider, imports, plans })
    }

    /// Searches for a round, without a pause.
    pub(super) fn round(&self, is_bare: bool, number: u64) -> Result<Outcome<Searcher>> {
        let server = if is_bare { &self.sides.bare } else { &self.sides.product };
        let load = self.settings.load(server.address(), READ_CONNECTIONS);
        let template = Template::new("GET", "", server.address(), &self.sides.key);
        generator::run(&load, self.searchers(&template, is_bare, number))
    }

    /// A searcher for each thread of the load generator.
    pub(super) fn searchers(&self, template: &Template, is_bare: bool, number: u64) -> Vec<Searcher> {
        let mut thread = 0;
        self.settings.per_thread(|| {
            thread += 1;
            let random = Random::part(self.settings.seed, number * 1000 + thread);
            Searcher { template: template.clone(), random, target: Vec::new(), plans: self.plans, is_bare }
        })
    }

    /// How much more memory a product has, in MiB, that has been searched than one that has not: it is started anew, and
    /// has imported nothing.
    pub(super) fn snapshot_mib(self) -> Result<f64> {
        let Sides { product: former, key, folder, .. } = self.sides;
        former.stop()?;
        let product = product::start(&folder.join("data"), &near())?;
        product::wait_until_ready(product.address())?;
        thread::sleep(SETTLES);
        let idle = resident_mib(product.process_id())?;
        search_once(product.address(), &key)?;
        thread::sleep(SETTLES);
        Ok(resident_mib(product.process_id())? - idle)
    }
}

fn search_once(product: SocketAddr, key: &str) -> Result<()> {
    let mut path = Vec::new();
    feed::write_search(0, &mut path);
    let answer = Client::connect(product, Some(key))?.get(&String::from_utf8(path)?)?;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("a search was answered with {status}").into()),
    }
}

/// The provider is on this machine.
fn near() -> [(&'static str, String); 1] {
    [("feeds.allow_private_addresses", "true".to_owned())]
}

/// Searches spans at random, and looks at what is found.
pub(super) struct Searcher {
    template: Template,
    random: Random,
    target: Vec<u8>,
    plans: u64,
    is_bare: bool,
}

impl Caller for Searcher {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        let first = self.random.below(self.plans - u64::from(FOUND));
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
