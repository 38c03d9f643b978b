use tenantry_domain::RunState;
use tenantry_ports::{
    ConfirmError, MockFeedRepository, MockFeedRunRepository, MockJobQueue, QueueError, RequestError,
    StorageError,
};

use super::*;
use crate::samples::{clock_at, down, feed, feed_id, feed_run, number, time};

const LIMITS: FeedLimits = FeedLimits { max_feeds: 3, max_rejects: 20, max_page_bytes: 4096 };
const ALWAYS: Precondition = Precondition { if_match: None, if_none_match: None };

#[derive(Default)]
struct Ports {
    feeds: MockFeedRepository,
    runs: MockFeedRunRepository,
    queue: MockJobQueue,
}

impl Ports {
    fn service(self) -> FeedService {
        let (feeds, runs, queue) = (Arc::new(self.feeds), Arc::new(self.runs), Arc::new(self.queue));
        FeedService::new(feeds, runs, queue, clock_at(time(100)), LIMITS)
    }

    /// Storage that holds the sample feed, of version 3.
    fn with_feed() -> Self {
        let mut ports = Self::default();
        ports.feeds.expect_find().returning(|_, asked| Ok(Some(feed()).filter(|feed| feed.id == asked)));
        ports
    }
}

#[tokio::test]
async fn a_new_feed_has_an_id_of_its_own_and_is_stored_within_the_limit() {
    let mut ports = Ports::default();
    ports.feeds.expect_create().once().returning(|tenant, id, settings, max_feeds| {
        assert_eq!((tenant, max_feeds, id.get().get_version_num()), (number(7), 3, 7));
        assert_eq!(settings, feed().settings);
        Ok(feed())
    });
    let created = ports.service().create(number(7), feed().settings.to_draft()).await;
    assert_eq!(created, Ok(feed()));
}

#[tokio::test]
async fn a_draft_that_breaks_a_rule_is_not_stored() {
    let refused = Ports::default().service().create(number(7), FeedDraft::default()).await;
    let Err(FeedError::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.as_slice().len(), 2);
}

#[tokio::test]
async fn what_storage_refuses_is_told_as_such() {
    for (refused, told) in [
        (FeedWriteError::TooMany(3), FeedError::TooMany(3)),
        (FeedWriteError::TenantNotFound, FeedError::TenantNotFound),
        (FeedWriteError::Storage(down()), FeedError::Storage(down())),
    ] {
        let mut ports = Ports::default();
        ports.feeds.expect_create().return_const(Err(refused));
        assert_eq!(ports.service().create(number(7), feed().settings.to_draft()).await, Err(told));
    }
}

#[tokio::test]
async fn a_patch_is_written_over_the_version_that_was_read() {
    let mut ports = Ports::with_feed();
    ports.feeds.expect_update().once().returning(|_, _, version, settings| {
        assert_eq!((version, settings.interval_seconds), (3, 60));
        Ok(Feed { version: 4, settings, ..feed() })
    });
    let patched = ports.service().patch(number(7), feed_id(), r#"{"interval_seconds":60}"#, &ALWAYS).await;
    assert_eq!(patched.unwrap().version, 4);
}

#[tokio::test]
async fn a_patch_begins_anew_when_somebody_was_faster_and_gives_up_in_the_end() {
    let mut ports = Ports::with_feed();
    let conflict = FeedWriteError::VersionConflict { current: 4 };
    ports.feeds.expect_update().times(MAX_TRIES).return_const(Err(conflict));
    let patched = ports.service().patch(number(7), feed_id(), "{}", &ALWAYS).await;
    assert_eq!(patched, Err(FeedError::Contended));
}

#[tokio::test]
async fn a_precondition_that_does_not_hold_is_told_before_a_patch_that_is_not_valid() {
    let ports = Ports::with_feed();
    let patched = ports.service().patch(number(7), feed_id(), r#"{"x":1}"#, &Precondition::revision(2)).await;
    assert_eq!(patched, Err(FeedError::PreconditionFailed { current: 3 }));
}

#[tokio::test]
async fn a_feed_is_deleted_if_its_version_is_the_expected_one() {
    let mut ports = Ports::default();
    ports.feeds.expect_delete().times(2).returning(|_, _, precondition| match precondition.holds(Some(3)) {
        true => Ok(()),
        false => Err(FeedWriteError::VersionConflict { current: 3 }),
    });
    let service = ports.service();
    let stale = service.delete(number(7), feed_id(), Precondition::revision(2)).await;
    assert_eq!(stale, Err(FeedError::PreconditionFailed { current: 3 }));
    assert_eq!(service.delete(number(7), feed_id(), Precondition::revision(3)).await, Ok(()));
}

#[tokio::test]
async fn a_run_is_made_or_confirmed_if_the_feeds_version_is_the_expected_one() {
    let mut ports = Ports::default();
    ports.runs.expect_request().times(2).returning(|_, _, _, _, precondition| {
        assert_eq!(precondition, Precondition::revision(2));
        Err(RequestError::VersionConflict { current: 3 })
    });
    ports.runs.expect_confirm().once().returning(|_, _, _, precondition, _, _| {
        assert_eq!(precondition, Precondition::revision(2));
        Err(ConfirmError::VersionConflict { current: 3 })
    });
    let (service, tenant, id) = (ports.service(), number(7), feed_id());
    let stale = FeedError::PreconditionFailed { current: 3 };
    let revision = || Precondition::revision(2);
    assert_eq!(service.request_run(tenant, id, revision()).await, Err(stale.clone()));
    assert_eq!(service.replay_rejects(tenant, id, revision()).await, Err(stale.clone()));
    assert_eq!(service.confirm_run(tenant, id, feed_run().id, revision()).await, Err(stale));
}

#[tokio::test]
async fn a_feed_that_is_gone_is_not_found() {
    let mut ports = Ports::default();
    ports.feeds.expect_find().returning(|_, _| Ok(None));
    ports.feeds.expect_delete().returning(|_, _, _| Err(FeedWriteError::NotFound));
    ports.runs.expect_request().returning(|_, _, _, _, _| Err(RequestError::NotFound));
    ports.runs.expect_list().returning(|_, _, _, _| Ok(None));
    ports.runs.expect_rejects().returning(|_, _, _, _, _| Ok(None));
    ports.runs.expect_find().returning(|_, _, _| Ok(None));
    let (service, tenant, id) = (ports.service(), number(7), feed_id());
    let limit = PageLimit::default();
    assert_eq!(service.get(tenant, id).await, Err(FeedError::NotFound));
    assert_eq!(service.patch(tenant, id, "{}", &ALWAYS).await, Err(FeedError::NotFound));
    assert_eq!(service.delete(tenant, id, ALWAYS).await, Err(FeedError::NotFound));
    assert_eq!(service.request_run(tenant, id, ALWAYS).await, Err(FeedError::NotFound));
    assert_eq!(service.replay_rejects(tenant, id, ALWAYS).await, Err(FeedError::NotFound));
    assert_eq!(service.list_runs(tenant, id, None, limit).await, Err(FeedError::NotFound));
    assert_eq!(service.list_rejects(tenant, id, None, limit).await, Err(FeedError::NotFound));
    assert_eq!(service.get_run(tenant, id, feed_run().id).await, Err(FeedError::RunNotFound));
}

#[tokio::test]
async fn a_run_that_is_asked_for_is_made_and_told_to_the_queue() {
    for (trigger, replay) in [(RunTrigger::Request, false), (RunTrigger::Replay, true)] {
        let mut ports = Ports::default();
        ports.runs.expect_request().once().returning(move |_, _, run, asked, _| {
            assert_eq!((run.get().get_version_num(), asked), (7, trigger));
            Ok(RequestedRun::New(FeedRun { id: run, trigger, ..feed_run() }))
        });
        let (told, published) = std::sync::mpsc::channel();
        ports.queue.expect_publish().once().returning(move |job| {
            told.send(job).unwrap();
            Ok(())
        });
        let service = ports.service();
        let requested = match replay {
            true => service.replay_rejects(number(7), feed_id(), ALWAYS).await,
            false => service.request_run(number(7), feed_id(), ALWAYS).await,
        };
        let Ok(RequestedRun::New(run)) = requested else { panic!("{requested:?}") };
        let key = RunKey { tenant: number(7), feed: feed_id(), run: run.id };
        assert_eq!(published.recv(), Ok(Job::FeedRun(key)));
    }
}

#[tokio::test]
async fn a_run_that_is_open_is_answered_and_not_told_again() {
    let mut ports = Ports::default();
    ports.runs.expect_request().returning(|_, _, _, _, _| Ok(RequestedRun::Open(feed_run())));
    let requested = ports.service().request_run(number(7), feed_id(), ALWAYS).await;
    assert_eq!(requested, Ok(RequestedRun::Open(feed_run())));
}

#[tokio::test]
async fn a_run_is_made_while_the_queue_is_away() {
    let mut ports = Ports::default();
    ports.runs.expect_request().returning(|_, _, _, _, _| Ok(RequestedRun::New(feed_run())));
    ports.queue.expect_publish().once().return_const(Err(QueueError::Unavailable("away".to_owned())));
    let requested = ports.service().request_run(number(7), feed_id(), ALWAYS).await;
    assert_eq!(requested, Ok(RequestedRun::New(feed_run())));
}

#[tokio::test]
async fn a_held_run_is_confirmed_now() {
    let run = FeedRun { state: RunState::Succeeded, ..feed_run() };
    let (mut ports, answer) = (Ports::default(), run.clone());
    ports
        .runs
        .expect_confirm()
        .once()
        .withf(|tenant, feed, run, _, now, max_rejects| {
            (*tenant, *feed, *run) == (number(7), feed_id(), feed_run().id)
                && (*now, *max_rejects) == (time(100), 20)
        })
        .return_once(|_, _, _, _, _, _| Ok(answer));
    assert_eq!(ports.service().confirm_run(number(7), feed_id(), run.id, ALWAYS).await, Ok(run));
}

#[tokio::test]
async fn what_cannot_be_confirmed_is_told_as_such() {
    let failed = StorageError::Failed("no".to_owned());
    for (refused, told) in [
        (ConfirmError::NotFound, FeedError::RunNotFound),
        (ConfirmError::NotHeld, FeedError::NotHeld),
        (ConfirmError::Storage(failed.clone()), FeedError::Storage(failed)),
    ] {
        let mut ports = Ports::default();
        ports.runs.expect_confirm().return_const(Err(refused));
        let confirmed = ports.service().confirm_run(number(7), feed_id(), feed_run().id, ALWAYS).await;
        assert_eq!(confirmed, Err(told));
    }
}

#[tokio::test]
async fn pages_are_asked_for_as_they_were_ordered() {
    let after = RejectId::new([1; 16]);
    let mut ports = Ports::default();
    ports
        .runs
        .expect_rejects()
        .once()
        .withf(move |_, _, behind, limit, bytes| {
            (*behind, *limit, *bytes) == (Some(after), PageLimit::MAX, 4096)
        })
        .returning(|_, _, _, _, _| Ok(Some(Page { items: Vec::new(), more: false })));
    ports
        .runs
        .expect_list()
        .once()
        .withf(|_, _, behind, limit| (*behind, *limit) == (Some(feed_run().id), PageLimit::MAX))
        .returning(|_, _, _, _| Ok(Some(Page { items: vec![feed_run()], more: true })));
    let (service, tenant, id) = (ports.service(), number(7), feed_id());
    let rejects = service.list_rejects(tenant, id, Some(after), PageLimit::MAX).await;
    assert_eq!(rejects, Ok(Page { items: Vec::new(), more: false }));
    let runs = service.list_runs(tenant, id, Some(feed_run().id), PageLimit::MAX).await;
    assert_eq!(runs, Ok(Page { items: vec![feed_run()], more: true }));
}
