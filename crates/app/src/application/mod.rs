//! The running application: what is wired to what, and in which order it starts and stops.
//!
//! Starting: data directory, storage, services, listening socket, first admin key, sample data.
//! Stopping: no new connections, requests under way, background work, jobs (what is not done is given back), what is only
//! noted in memory, storage, what other nodes are yet to be told. Whatever was acknowledged was on disk before, so stopping in any other way loses nothing either.

mod admin_key;
mod background;
mod caches;
mod error;
mod jobs;
mod maintenance;
mod openings;
mod search;
mod storage;
mod wiring;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use tenantry_http::{Server, Services};
use tenantry_ports::SettingRepository;
use tokio::sync::watch;

use crate::config::{Config, MaintenanceSettings};
use crate::data_dir::DataDir;
use crate::demo::{self, Demo};
use background::Background;
use caches::CacheTasks;
pub use error::{RunError, StartError};
use jobs::Jobs;
use search::SearchThread;
pub use storage::OpenError;
use storage::Storage;
pub(crate) use wiring::Core;

/// A Tenantry that listens already, and serves once it [runs](Application::run).
pub struct Application {
    server: Server,
    storage: Storage,
    services: Services,
    caches: CacheTasks,
    search: SearchThread,
    jobs: Jobs,
    maintenance: MaintenanceSettings,
    admin_key_file: PathBuf,
    demo: Option<Demo>,
    stop: watch::Sender<Option<Stop>>,
}

/// Stops a running application, from any thread.
#[derive(Debug, Clone)]
pub struct ApplicationHandle {
    stop: watch::Sender<Option<Stop>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Gracefully,
    AtOnce,
}

impl ApplicationHandle {
    /// Asks the application to stop once the requests under way are answered, or their time is up;
    /// [`Application::run`] returns when it has.
    pub fn stop(&self) {
        self.stop.send_replace(Some(Stop::Gracefully));
    }

    /// The same without waiting for requests: their connections are cut. What was handed to storage is
    /// written in any case.
    pub fn stop_at_once(&self) {
        self.stop.send_replace(Some(Stop::AtOnce));
    }
}

impl Application {
    /// Makes everything ready: from here on connections are taken, and answered once it runs.
    /// To be called in an actix system.
    ///
    /// # Errors
    /// The first thing that cannot be had. What was opened before is closed again.
    pub async fn build(config: &Config) -> Result<Self, StartError> {
        let data_dir = DataDir::prepare(&config.settings().data_dir)?;
        let jobs = &config.settings().jobs;
        let workers = if jobs.run_in_serve { jobs.workers } else { 0 };
        let core = Core::open_with_workers(config, workers)?;
        // From the start: what is written below must reach other nodes too.
        let caches = core.caches.start();
        core.caches.until_up().await;
        match Self::on_core(config, &data_dir, &core).await {
            Ok(application) => Ok(Self { caches, ..application }),
            Err(error) => {
                caches.finish().await;
                core.storage.close().await;
                Err(error)
            }
        }
    }

    async fn on_core(config: &Config, data_dir: &DataDir, core: &Core) -> Result<Self, StartError> {
        let services = core.services(cursor_secret(&*core.storage.settings).await?);
        let options = config.http_options();
        let (listen, compat) = (options.listen, options.compat.clone());
        let server = Server::bind(options, services.clone())
            .map_err(|error| StartError::Listen { address: listen, error })?;
        admin_key::ensure(&services.access, data_dir).await?;
        let demo = match config.settings().demo {
            true => {
                let (settings, limits) = (&*core.storage.settings, config.feed_file_limits());
                let demo = demo::fill_once(&services, settings).await?;
                demo::fill_catalog_once(&demo, &services, &core.imports, &limits, settings).await?;
                Some(demo)
            }
            false => None,
        };
        openings::warn(&compat, &services.tenants).await;
        Ok(Self {
            server,
            storage: core.storage.clone(),
            services,
            caches: CacheTasks::none(),
            search: SearchThread::start(Arc::clone(&core.caches.snapshots), core.storage.plans.clone())
                .map_err(StartError::Thread)?,
            jobs: core.jobs.clone(),
            maintenance: config.settings().maintenance.clone(),
            admin_key_file: data_dir.admin_key_file(),
            demo,
            stop: watch::Sender::new(None),
        })
    }

    /// The address on which it listens: of port 0, the port that was free.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The port of [`address`](Self::address).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// Stops it, now or once it runs.
    #[must_use]
    pub fn handle(&self) -> ApplicationHandle {
        ApplicationHandle { stop: self.stop.clone() }
    }

    /// The file of the first admin key, by its absolute path. The operator may have moved it away.
    #[must_use]
    pub fn admin_key_file(&self) -> &Path {
        &self.admin_key_file
    }

    /// The sample data, where the configuration asks for it.
    #[must_use]
    pub fn demo(&self) -> Option<&Demo> {
        self.demo.as_ref()
    }

    /// Serves until the [handle](Self::handle) stops it.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self) -> Result<(), RunError> {
        let mut background = Background::new();
        maintenance::start(&mut background, &self.services, &self.maintenance);
        let jobs = self.jobs.start();
        let served = serve(self.server, self.stop.subscribe()).await;
        background.finish().await;
        jobs.finish().await;
        self.search.finish().await;
        if let Err(error) = self.services.access.flush_uses().await {
            tracing::warn!(%error, "when keys were last used could not be written down");
        }
        self.storage.close().await;
        self.caches.finish().await;
        tracing::info!("stopped");
        served.map_err(RunError::Serve)
    }
}

/// Serves until it is asked to stop, or ends by itself.
async fn serve(server: Server, mut stop: watch::Receiver<Option<Stop>>) -> io::Result<()> {
    let handle = server.handle();
    let mut serving = pin!(server.run());
    tokio::select! {
        ended = &mut serving => ended,
        asked = stop.wait_for(Option::is_some) => {
            let gracefully = !matches!(asked.as_deref(), Ok(Some(Stop::AtOnce)));
            drop(asked);
            tracing::info!(gracefully, "stopping");
            let (ended, ()) = tokio::join!(serving, handle.stop(gracefully));
            ended
        }
    }
}

/// The secret with which cursors are sealed: the same for every node, and for good.
async fn cursor_secret(settings: &dyn SettingRepository) -> Result<[u8; 32], StartError> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|_| StartError::Entropy)?;
    let secret = settings.find_or_insert("cursor_secret", fresh.to_vec()).await?;
    <[u8; 32]>::try_from(secret).map_err(|other| StartError::CursorSecret(other.len()))
}
