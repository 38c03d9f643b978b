//! Health.

use std::time::Duration;

use crate::fixture::Fixture;

pub async fn a_storage_that_works_says_so_within_2_seconds(s: &Fixture) {
    let check = tokio::time::timeout(Duration::from_secs(2), s.health.check());
    assert_eq!(check.await.expect("an answer within 2 seconds"), Ok(()));
}

pub async fn a_storage_has_a_name_in_reports(s: &Fixture) {
    assert!(!s.health.name().is_empty());
}
