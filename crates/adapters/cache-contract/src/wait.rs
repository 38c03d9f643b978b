//! Waiting for what must come: without sleeps.

use std::time::Duration;

/// How long something that must happen may take before it counts as not happening.
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks again and again until the answer is yes.
///
/// # Panics
/// When it does not come within 20 seconds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(DEADLINE, wait).await.is_ok(),
        "in {DEADLINE:?} it did not come that {what}"
    );
}
