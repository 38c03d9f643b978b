//! What runs while a node is connected with others.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tenantry_services::Propagation;
use tokio::task::JoinHandle;

/// How long what other nodes do not know of yet may take at the end, also while the bus or the shared cache is down, until
/// it is given up: other nodes hold nothing for longer than they should in any case.
const CARRY_WITHIN: Duration = Duration::from_secs(2);

/// Tasks that run, in the actix system of whoever starts them, until they are told to finish.
pub(crate) struct CacheTasks {
    carrying: Option<(Arc<Propagation>, JoinHandle<()>)>,
    running: Vec<JoinHandle<()>>,
}

impl CacheTasks {
    /// There is nothing to run.
    pub(crate) fn none() -> Self {
        Self { carrying: None, running: Vec::new() }
    }

    /// Carries changes to other nodes.
    pub(super) fn carrying(propagation: Arc<Propagation>) -> Self {
        let running = Arc::clone(&propagation);
        let task = actix_web::rt::spawn(async move { running.run().await });
        Self { carrying: Some((propagation, task)), running: Vec::new() }
    }

    pub(super) fn run(&mut self, future: BoxFuture<'static, ()>) {
        self.running.push(actix_web::rt::spawn(future));
    }

    /// Carries what is queued, and ends the rest. To be called when nothing is written any more.
    pub(crate) async fn finish(self) {
        if let Some((propagation, task)) = self.carrying {
            propagation.finish();
            let abort = task.abort_handle();
            match tokio::time::timeout(CARRY_WITHIN, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "carrying changes to other nodes broke down"),
                Err(_) => {
                    abort.abort();
                    tracing::warn!("the last changes could not be carried to other nodes in time");
                }
            }
        }
        self.running.iter().for_each(JoinHandle::abort);
    }
}
