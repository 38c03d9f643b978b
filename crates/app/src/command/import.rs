//! `tenantry import`: brings over what a predecessor has stored.
//!
//! The file is read whole before anything is stored, so that nothing is of one that is cut short. Then rows go through
//! the services, batch by batch, as if clients had sent them; plans are a run of their feed. A thread reads while the
//! batch before is written.

mod feed;
mod past_plans;
mod progress;
mod store;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use tenantry_domain::{PageLimit, Tenant, TenantDraft, TenantFilter, TenantName, TenantRef, TenantStatus};
use tenantry_predecessor_files::{Batch, Origin, PastData, Predecessor, ReadOptions};
use tenantry_services::TenantService;
use tokio::sync::mpsc;

use super::find_feed::find_feed;
use super::{CommandError, complain, print_line};
use crate::application::Core;
use crate::config::Config;
use crate::logging;
use progress::Progress;
use store::Store;
use tally::Tally;

/// What is to be imported, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Whose file it is; told from its tables where it is left out
    #[arg(long, value_enum)]
    from: Option<PredecessorArg>,
    /// The tenant whose data it becomes, by number or id (not for `--from tenants`)
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The same for a tenant of this name, which is made unless there is one
    #[arg(long, value_name = "NAME", conflicts_with = "tenant")]
    new_tenant: Option<String>,
    /// The tenant's feed that plans of the search belong to: its id, or its name if no other has it (for `--from search`)
    #[arg(long, value_name = "FEED")]
    feed: Option<String>,
    /// Make that feed, with this URL and not enabled, unless there is one
    #[arg(long, value_name = "URL", requires = "feed")]
    feed_url: Option<String>,
    /// Take plans of this provider alone, as the file names it
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Take plans also where the file has no ids of their provider's: a later fetch cannot tell that they are the same
    #[arg(long)]
    without_provider_ids: bool,
    /// Let the file's values take the place of others that stand under their keys
    #[arg(long)]
    replace: bool,
    /// Only read the file and say what is in it; the database is not opened
    #[arg(long)]
    dry_run: bool,
    /// A plain-text pg_dump or an SQLite file; `-` is a dump on standard input
    file: PathBuf,
}

/// The predecessors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PredecessorArg {
    /// The key-value store: kvalue(id, key, value)
    Tenantbase,
    /// The log of activities: events(id, component, environment, message, email, data, created_at)
    Activity,
    /// The registry: tenants(tenant_number, tenant_id, tenant_info, created_at, updated_at)
    Tenants,
    /// The provider-event search: plans or events, with base plans and zones, or flat
    Search,
}

impl PredecessorArg {
    fn predecessor(self) -> Predecessor {
        match self {
            Self::Tenantbase => Predecessor::Tenantbase,
            Self::Activity => Predecessor::Activity,
            Self::Tenants => Predecessor::Tenants,
            Self::Search => Predecessor::Search,
        }
    }
}

/// So many rows are stored in one go.
const BATCH: usize = 1000;

pub(super) fn run(config: &Config, args: &ImportArgs) -> Result<(), CommandError> {
    let shown = if args.file == Path::new("-") {
        "standard input".to_owned()
    } else {
        args.file.display().to_string()
    };
    // Before a long file is read, where that is known by then.
    if let Some(from) = args.from.filter(|_| !args.dry_run) {
        check_place_is_wanted(args, from.predecessor())?;
    }
    let data = read(args, &shown)?;
    if !args.dry_run {
        check_place_is_wanted(args, data.predecessor())?;
    }
    let mut tally = Tally::new(&shown, &data);
    if !args.dry_run {
        logging::start(&config.settings().log);
        super::prepare_place_of_database(config)?;
        actix_web::rt::System::new().block_on(store(config, args, data, &mut tally))?;
    }
    tally.tell(args.dry_run)
}

fn read(args: &ImportArgs, shown: &str) -> Result<PastData, CommandError> {
    let origin =
        if args.file == Path::new("-") { Origin::StandardInput } else { Origin::File(args.file.clone()) };
    let progress = Progress::of_bytes("reading", origin.size());
    let options = ReadOptions {
        predecessor: args.from.map(PredecessorArg::predecessor),
        provider: args.provider.clone(),
        without_provider_ids: args.without_provider_ids,
    };
    let read = PastData::read(&origin, &options, &mut |bytes| progress.set(bytes));
    progress.finish();
    read.map_err(|error| CommandError::Failed(format!("{shown} {error}")))
}

fn check_place_is_wanted(args: &ImportArgs, predecessor: Predecessor) -> Result<(), CommandError> {
    let is_search = predecessor == Predecessor::Search;
    let asks_for_search = args.feed.is_some() || args.provider.is_some() || args.without_provider_ids;
    if asks_for_search && !is_search {
        return Err(CommandError::Usage(format!(
            "--feed, --provider and --without-provider-ids are for what the search kept, and this is of {predecessor}"
        )));
    }
    let is_named = args.tenant.is_some() || args.new_tenant.is_some();
    let text = match (predecessor.is_of_one_tenant(), is_named) {
        (true, false) => {
            format!("what {predecessor} kept becomes one tenant's: name it with --tenant or --new-tenant")
        }
        (false, true) => {
            format!(
                "what {predecessor} kept becomes tenants of their own: --tenant and --new-tenant are not for it"
            )
        }
        _ if is_search && args.feed.is_none() => {
            "plans belong to a feed: name it with --feed, and with --feed-url where it is to be made"
                .to_owned()
        }
        _ => return Ok(()),
    };
    Err(CommandError::Usage(text))
}

async fn store(
    config: &Config,
    args: &ImportArgs,
    data: PastData,
    tally: &mut Tally,
) -> Result<(), CommandError> {
    let core = Core::open(config).map_err(CommandError::failed)?;
    let caches = core.caches.start();
    core.caches.until_up().await;
    let stored = match tenant(&core.tenants, args).await {
        Ok(tenant) => {
            tally.becomes_that_of(tenant.as_ref());
            match (data.predecessor(), &tenant) {
                (Predecessor::Search, Some(tenant)) => {
                    feed::carry(&core, tenant.number, args, data, tally).await
                }
                _ => {
                    let store = Store::new(&core, tenant.map(|tenant| tenant.number), args.replace);
                    carry(data, &store, tally).await
                }
            }
        }
        Err(error) => Err(error),
    };
    core.storage.close().await;
    caches.finish().await;
    stored
}

/// Stores all batches. The thread that reads waits when two are ready.
async fn carry(mut data: PastData, store: &Store<'_>, tally: &mut Tally) -> Result<(), CommandError> {
    let progress = Progress::of_rows("storing", data.good_rows());
    let (give, mut batches) = mpsc::channel::<Batch>(2);
    let reading = tokio::task::spawn_blocking(move || {
        data.deliver(BATCH, &mut |batch| give.blocking_send(batch).is_ok())
    });
    let mut stored = Ok(());
    while let Some(batch) = batches.recv().await {
        stored = store.store(batch, tally).await;
        if stored.is_err() {
            break;
        }
        progress.set(tally.stored_or_not());
    }
    drop(batches);
    progress.finish();
    let read = reading.await.map_err(CommandError::failed)?;
    if let Err(why) = stored {
        return Err(CommandError::Failed(format!(
            "{why}; {}, and the same command goes on from there",
            tally.so_far()
        )));
    }
    read.map_err(|error| CommandError::Failed(format!("the rows {error}")))
}

/// The tenant whose data it becomes, if it is one's.
async fn tenant(tenants: &Arc<TenantService>, args: &ImportArgs) -> Result<Option<Tenant>, CommandError> {
    let tenant = match (&args.tenant, &args.new_tenant) {
        (Some(text), _) => {
            let named = TenantRef::parse(text);
            let named = named.ok_or_else(|| {
                CommandError::Usage(format!("--tenant: {text} is neither a tenant's number nor its id"))
            })?;
            let found = tenants.get(&named).await;
            found.map_err(|error| CommandError::Failed(format!("--tenant {text}: {error}")))?
        }
        (None, Some(name)) => named_tenant(tenants, name).await?,
        (None, None) => return Ok(None),
    };
    if tenant.status == TenantStatus::Deleting {
        return Err(CommandError::Failed(format!("the tenant {} is being deleted", tenant.id())));
    }
    Ok(Some(tenant))
}

/// The one tenant of that name, made if there is none.
async fn named_tenant(tenants: &TenantService, name: &str) -> Result<Tenant, CommandError> {
    if TenantName::new(name).is_none() {
        let text = format!("--new-tenant: {name} is no tenant's name, which is 1 to 64 of A-Z a-z 0-9 . _ -");
        return Err(CommandError::Usage(text));
    }
    let mut found: Option<Tenant> = None;
    let mut after = None;
    loop {
        let filter = TenantFilter { status: None, name_prefix: Some(name.to_owned()) };
        let page = tenants.list(filter, after, PageLimit::MAX).await.map_err(CommandError::failed)?;
        after = page.items.last().map(|tenant| tenant.number);
        let of_name = page.items.into_iter();
        for tenant in
            of_name.filter(|tenant| tenant.name.as_str() == name && tenant.status != TenantStatus::Deleting)
        {
            if let Some(other) = &found {
                let text = format!(
                    "several tenants are named {name} ({}, {}); name one with --tenant",
                    other.id(),
                    tenant.id()
                );
                return Err(CommandError::Failed(text));
            }
            found = Some(tenant);
        }
        if !page.more {
            break;
        }
    }
    match found {
        Some(tenant) => Ok(tenant),
        None => {
            let draft = TenantDraft { name: Some(name.to_owned()), tenant_info: None };
            tenants.create(draft).await.map_err(CommandError::failed)
        }
    }
}
