//! Changes of feeds that happen only if the feed is as their caller knows it.

use tenantry_domain::{FeedId, RunState, RunTrigger, TenantNumber};
use tenantry_ports::{ConfirmError, FeedWriteError, RequestError, RequestedRun, RunEnd};

use crate::catalog::{MAX_REJECTS, batch, feed_id, record, run_id, settings, whole_if_half_stay};
use crate::fixture::Fixture;
use crate::samples::preconditions;
use crate::wait::at_once;

/// The feed of that number, of version 2.
async fn updated_feed(s: &Fixture, tenant: TenantNumber, number: u128) -> FeedId {
    let feed = s.feed(tenant, number).await.id;
    s.feeds.update(tenant, feed, 1, settings("updated")).await.expect("updated").id
}

pub async fn a_feed_is_deleted_only_if_the_precondition_holds_for_its_version(s: &Fixture) {
    let tenant = s.tenant().await;
    for (number, precondition) in (1..).zip(preconditions(2)) {
        let feed = updated_feed(s, tenant, number).await;
        let standing = s.feed_now(tenant, feed).await;
        let deleted = s.feeds.delete(tenant, feed, precondition.clone()).await;
        let left = s.feeds.find(tenant, feed).await.unwrap();
        let expected = match precondition.holds(Some(2)) {
            true => (Ok(()), None),
            false => (Err(FeedWriteError::VersionConflict { current: 2 }), Some(standing)),
        };
        assert_eq!((deleted, left), expected, "{precondition:?}");
        let _ = s.delete_feed(tenant, feed).await;
    }
}

pub async fn a_run_is_made_only_if_the_precondition_holds_for_the_feeds_version(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = updated_feed(s, tenant, 1).await;
    for (number, precondition) in (1..).zip(preconditions(2)) {
        for (run, trigger) in [(2 * number, RunTrigger::Request), (2 * number + 1, RunTrigger::Replay)] {
            let requested =
                s.feed_runs.request(tenant, feed, run_id(run), trigger, precondition.clone()).await;
            if precondition.holds(Some(2)) {
                assert!(matches!(requested, Ok(RequestedRun::New(_))), "{precondition:?}: {requested:?}");
                let claim = s.claim_queued(tenant, feed, run).await.claim;
                s.finish(&claim, RunEnd::Unchanged).await;
            } else {
                let refused = Err(RequestError::VersionConflict { current: 2 });
                assert_eq!(requested, refused, "{precondition:?}");
                assert_eq!(s.feed_runs.find(tenant, feed, run_id(run)).await, Ok(None));
            }
        }
    }
}

pub async fn an_open_run_is_answered_only_if_the_precondition_holds_for_the_feeds_version(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = updated_feed(s, tenant, 1).await;
    let key = s.queued(tenant, feed, 1).await;
    let open = s.run_now(tenant, feed, 1).await;
    for precondition in preconditions(2) {
        let requested =
            s.feed_runs.request(tenant, feed, run_id(2), RunTrigger::Request, precondition.clone()).await;
        let expected = match precondition.holds(Some(2)) {
            true => Ok(RequestedRun::Open(open.clone())),
            false => Err(RequestError::VersionConflict { current: 2 }),
        };
        assert_eq!(requested, expected, "{precondition:?}");
    }
    assert_eq!(s.run_now(tenant, feed, key.run.get().as_u128()).await, open);
}

pub async fn a_held_run_is_confirmed_only_if_the_precondition_holds_for_the_feeds_version(s: &Fixture) {
    let tenant = s.tenant().await;
    for (number, precondition) in (1..).zip(preconditions(2)) {
        let feed = updated_feed(s, tenant, number).await;
        s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
        let held = s.run(tenant, feed, 2, batch(vec![]), whole_if_half_stay()).await;
        assert_eq!(held.state, RunState::Held);
        let standing = s.catalog(tenant).await;
        let confirm = s.feed_runs.confirm(tenant, feed, held.id, precondition.clone(), s.now(), MAX_REJECTS);
        let confirmed = confirm.await;
        if precondition.holds(Some(2)) {
            assert_eq!(confirmed.unwrap().state, RunState::Succeeded, "{precondition:?}");
            assert_eq!(s.catalog(tenant).await, standing + 1);
        } else {
            assert_eq!(confirmed, Err(ConfirmError::VersionConflict { current: 2 }), "{precondition:?}");
            assert_eq!((s.run_now(tenant, feed, 2).await, s.catalog(tenant).await), (held, standing));
        }
    }
}

pub async fn what_is_not_there_is_not_found_whatever_the_precondition(s: &Fixture) {
    let tenant = s.tenant().await;
    for precondition in preconditions(1) {
        let deleted = s.feeds.delete(tenant, feed_id(1), precondition.clone()).await;
        assert_eq!(deleted, Err(FeedWriteError::NotFound), "{precondition:?}");
        let requested = s
            .feed_runs
            .request(tenant, feed_id(1), run_id(1), RunTrigger::Replay, precondition.clone())
            .await;
        assert_eq!(requested, Err(RequestError::NotFound), "{precondition:?}");
        let confirmed =
            s.feed_runs.confirm(tenant, feed_id(1), run_id(1), precondition.clone(), s.now(), 9).await;
        assert_eq!(confirmed, Err(ConfirmError::NotFound), "{precondition:?}");
    }
}

pub async fn of_changes_at_once_that_expect_one_version_one_happens(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 1..=8 {
        let feed = s.feed(tenant, number).await.id;
        let changes = (0..4).map(|change| {
            let s = s.clone();
            async move {
                match change % 2 {
                    0 => s.feeds.update(tenant, feed, 1, settings("changed")).await.map(|_| ()),
                    _ => s.feeds.delete(tenant, feed, tenantry_domain::Precondition::revision(1)).await,
                }
            }
        });
        let answers = at_once(changes).await;
        let happened = answers.iter().position(Result::is_ok).expect("the first that comes happens");
        let left = s.feeds.find(tenant, feed).await.unwrap().map(|feed| feed.version);
        let (refusal, stands) = match happened % 2 {
            0 => (FeedWriteError::VersionConflict { current: 2 }, Some(2)),
            _ => (FeedWriteError::NotFound, None),
        };
        assert_eq!(left, stands, "{answers:?}");
        for (change, answer) in answers.iter().enumerate().filter(|(change, _)| *change != happened) {
            assert_eq!(*answer, Err(refusal.clone()), "change {change} of {answers:?}");
        }
    }
}
