//! What a case about the bus is given, and how it is run.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tenantry_ports::{BusListener, Change, ChangeBus};

use crate::recorded::{BusEvent, RecordedBus};
use crate::server_url::namespace;
use crate::wait::until;

/// No case takes as long, unless it hangs.
const CASE_DEADLINE: Duration = Duration::from_secs(60);

/// One node's bus, on which it stays while this lives.
pub struct OpenBus {
    /// The bus.
    pub bus: Arc<dyn ChangeBus>,
    /// What must live as long.
    pub keep_alive: Box<dyn Any + Send>,
}

/// A node of a case.
pub(crate) struct BusNode {
    pub(crate) bus: Arc<dyn ChangeBus>,
    pub(crate) heard: Arc<RecordedBus>,
    _keep_alive: Box<dyn Any + Send>,
}

/// Two nodes on one bus, and one on another.
pub struct BusFixture {
    pub(crate) first: BusNode,
    pub(crate) second: BusNode,
    pub(crate) stranger: BusNode,
}

/// Runs one case in namespaces of its own, in a runtime of two threads.
///
/// # Panics
/// When the bus breaks the promise that the case is about, or takes longer than a minute.
pub fn run_bus<F>(open: impl Fn(String, Arc<dyn BusListener>) -> F, case: impl AsyncFnOnce(&BusFixture))
where
    F: Future<Output = OpenBus> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let open = |namespace: &str, listener| -> BoxFuture<'static, OpenBus> {
        Box::pin(open(namespace.to_owned(), listener))
    };
    let case = async {
        let (own, other) = (namespace(), namespace());
        let fixture = BusFixture {
            first: BusNode::open(&open, &own).await,
            second: BusNode::open(&open, &own).await,
            stranger: BusNode::open(&open, &other).await,
        };
        case(&fixture).await;
    };
    runtime.expect("a runtime starts").block_on(async {
        tokio::time::timeout(CASE_DEADLINE, case).await.expect("the case ends in time");
    });
}

impl BusNode {
    pub(crate) async fn open(
        open: &impl Fn(&str, Arc<dyn BusListener>) -> BoxFuture<'static, OpenBus>,
        namespace: &str,
    ) -> Self {
        let heard = Arc::new(RecordedBus::default());
        let OpenBus { bus, keep_alive } = open(namespace, heard.clone()).await;
        until("the node joins the bus", async || heard.all().contains(&BusEvent::Joined)).await;
        Self { bus, heard, _keep_alive: keep_alive }
    }

    pub(crate) async fn announce(&self, changes: &[Change]) {
        self.bus.announce(changes.to_vec()).await.expect("announced");
    }

    /// Waits until so many changes were heard, and answers them.
    pub(crate) async fn hears(&self, count: usize) -> Vec<Change> {
        until("the changes are heard", async || self.heard.changes().len() >= count).await;
        self.heard.changes()
    }
}
