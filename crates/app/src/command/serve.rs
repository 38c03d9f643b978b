//! `tenantry serve`: serves until it is told to stop.

use std::io::{self, Write};

use super::CommandError;
use super::signals::Signals;
use crate::application::{Application, ApplicationHandle};
use crate::config::Config;
use crate::logging;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    logging::start(&config.settings().log);
    actix_web::rt::System::new().block_on(serve(config))
}

async fn serve(config: &Config) -> Result<(), CommandError> {
    let application = Application::build(config).await.map_err(CommandError::failed)?;
    let signals = Signals::listen().map_err(CommandError::failed)?;
    announce(&application);
    let watch = actix_web::rt::spawn(stop(signals, application.handle()));
    let ended = application.run().await;
    watch.abort();
    ended.map_err(CommandError::failed)
}

/// Says that connections are taken from now on. That nobody reads standard output is no reason to end.
fn announce(application: &Application) {
    tracing::info!(address = %application.address(), version = env!("CARGO_PKG_VERSION"), "ready");
    let mut text = format!("tenantry is ready on http://{}\n", application.address());
    if let Some(demo) = application.demo() {
        text.push_str(&demo.guide(application.address(), application.admin_key_file()));
    }
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// The first signal stops gracefully, the second at once: what is on disk then is whole in any case,
/// and nothing is acknowledged before it is on disk.
async fn stop(mut signals: Signals, handle: ApplicationHandle) {
    signals.next().await;
    handle.stop();
    signals.next().await;
    tracing::warn!("stopped at once by a second signal: requests under way were cut off");
    std::process::exit(1);
}
