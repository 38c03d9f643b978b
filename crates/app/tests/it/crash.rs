//! The end without a warning: SIGKILL under load.

use std::sync::Arc;

use crate::ledger::{Caller, Ledger};
use crate::process::Serving;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_each_kill() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    for round in 0..4 {
        let serving = Serving::start(dir.path(), &[]);
        let caller = Caller::new(&serving, dir.path()).await;
        if round > 0 {
            ledger.compare(&caller).await;
        }
        let writers = ledger.load(&caller);
        ledger.acknowledged(300).await;
        serving.kill();
        writers.join_all().await;
    }
    let last = Serving::start(dir.path(), &[]);
    ledger.compare(&Caller::new(&last, dir.path()).await).await;
}
