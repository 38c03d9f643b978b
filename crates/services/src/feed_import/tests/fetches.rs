//! How a fetch becomes the end of a run.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tenantry_domain::{RunCounts, RunTrigger, TimeZone};
use tenantry_ports::{
    ClaimError, ClaimOutcome, FeedItem, FetchEnd, FetchError, MockFeedRunRepository, RunEnd, StorageError,
    Validators,
};

use super::rig::*;
use crate::feed_import::ImportOutcome;
use crate::samples::{Standstill, feed_settings, run_key};

/// Carries out a scheduled run in which the provider does this, and answers how it ended.
async fn ends_of(acts: Vec<Act>) -> Vec<RunEnd> {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let told = taking(&mut runs);
    let service = service(runs, &Provider::new(acts), Arc::new(Standstill));
    let outcome = service.carry_out(run_key(2), pending()).await;
    assert_eq!(outcome, Ok(ImportOutcome::Ended(Box::new(finished()))));
    told.ends()
}

#[tokio::test]
async fn what_a_feed_says_is_staged_in_its_order_and_becomes_the_catalog_at_the_end() {
    let mut runs = runs_claimed(RunTrigger::Request, 1);
    let told = taking(&mut runs);
    let reject = rejected("<plan/>");
    let provider = Provider::new(vec![
        Act::Deliver(vec![plan("1"), FeedItem::Reject(reject.clone())]),
        Act::Deliver(vec![plan("2")]),
        whole(),
    ]);
    let service = service(runs, &provider, Arc::new(Standstill));
    let outcome = service.carry_out(run_key(2), pending()).await;
    assert_eq!(outcome, Ok(ImportOutcome::Ended(Box::new(finished()))));

    assert_eq!(told.staged(), [["1", "2"]]);
    assert_eq!(told.staged.lock().unwrap()[0].rejects, [reject]);
    let validators = Validators { etag: Some("\"2\"".to_owned()), last_modified: None };
    let end = RunEnd::Whole { validators, max_leaving_permille: 500 };
    let counts = RunCounts { attempts: 2, bytes: 1234, ..RunCounts::default() };
    assert_eq!(*told.ends.lock().unwrap(), [(end, counts)]);

    let [asked] = provider.requests().try_into().unwrap();
    assert_eq!(asked.tenant, run_key(2).tenant);
    assert_eq!((asked.url, asked.time_zone), (feed_settings().url, TimeZone::UTC));
    assert_eq!(asked.validators, self::validators());
}

#[tokio::test]
async fn a_fetch_that_fails_changes_nothing_and_says_why() {
    for error in [
        FetchError::Unavailable("503".to_owned()),
        FetchError::Forbidden("127.0.0.1 is not public".to_owned()),
        FetchError::Unreadable("it ends early".to_owned()),
        FetchError::LeftAlone(60),
        FetchError::Stopped,
    ] {
        let detail = error.to_string();
        let ends = ends_of(vec![Act::Deliver(vec![plan("1")]), Act::End(Err(error))]).await;
        assert_eq!(ends, [RunEnd::Failed { detail }]);
    }
}

#[tokio::test]
async fn what_a_provider_says_is_cut_to_a_readable_length() {
    let ends = ends_of(vec![Act::End(Err(FetchError::Unreadable("é".repeat(5000))))]).await;
    let [RunEnd::Failed { detail }] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!(detail.chars().count(), 1000);
}

#[tokio::test]
async fn what_a_provider_says_is_kept_without_the_letter_that_not_every_storage_takes() {
    let ends = ends_of(vec![Act::End(Err(FetchError::Unreadable("a\0b".to_owned())))]).await;
    let [RunEnd::Failed { detail }] = ends.as_slice() else { panic!("{ends:?}") };
    assert!(detail.contains("a\u{FFFD}b"), "{detail:?}");
}

#[tokio::test]
async fn a_provider_that_has_nothing_new_leaves_everything_as_it_is() {
    assert_eq!(ends_of(vec![Act::End(Ok(FetchEnd::NotModified))]).await, [RunEnd::Unchanged]);
}

#[tokio::test]
async fn nothing_new_is_not_believed_where_it_was_not_asked_for() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_claim().returning(|_, _| {
        let mut claimed = claimed(RunTrigger::Schedule, 1);
        claimed.validators = Validators::default();
        Ok(ClaimOutcome::Claimed(Box::new(claimed)))
    });
    let told = taking(&mut runs);
    let provider = Provider::new(vec![Act::End(Ok(FetchEnd::NotModified))]);
    let service = service(runs, &provider, Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    assert!(matches!(told.ends().as_slice(), [RunEnd::Failed { .. }]));
}

#[tokio::test]
async fn an_attempt_that_begins_anew_leaves_nothing_of_the_one_before() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let told = taking(&mut runs);
    let provider = Provider::new(vec![
        Act::Deliver(vec![plan("old")]),
        Act::Restart,
        Act::Deliver(vec![plan("new")]),
        whole(),
    ]);
    let service = service(runs, &provider, Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    assert_eq!((told.staged(), told.restaged.load(Ordering::SeqCst)), (vec![vec!["new".to_owned()]], 1));
}

#[tokio::test]
async fn batches_are_bounded_by_records_and_by_bytes() {
    for (deliveries, items, raw_bytes, batches) in
        [(12, 100, 0, vec![500, 500, 200]), (7, 1, 400_000, vec![3, 3, 1])]
    {
        let mut runs = runs_claimed(RunTrigger::Schedule, 1);
        let told = taking(&mut runs);
        let delivery = vec![FeedItem::Reject(rejected(&"x".repeat(raw_bytes))); items];
        let mut acts = vec![Act::Deliver(delivery); deliveries];
        acts.push(whole());
        let service = service(runs, &Provider::new(acts), Arc::new(Standstill));
        service.carry_out(run_key(2), pending()).await.unwrap();
        let sizes: Vec<_> = told.staged.lock().unwrap().iter().map(|batch| batch.rejects.len()).collect();
        assert_eq!(sizes, batches);
    }
}

#[tokio::test]
async fn a_feed_without_records_stages_nothing_and_is_whole() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let told = taking(&mut runs);
    let service = service(runs, &Provider::new(vec![whole()]), Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    assert_eq!(told.staged(), Vec::<Vec<String>>::new());
    assert!(matches!(told.ends().as_slice(), [RunEnd::Whole { .. }]));
}

#[tokio::test]
async fn what_storage_cannot_take_ends_the_run_and_its_cause_is_not_shown() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    refusing(&mut runs, ClaimError::Storage(StorageError::Failed("syntax error near secret".to_owned())));
    let told = Arc::default();
    ending(&mut runs, &told);
    let provider = Provider::new(vec![Act::Deliver(vec![plan("1")]), whole()]);
    let service = service(runs, &provider, Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    let ends = told.ends();
    let [RunEnd::Failed { detail }] = ends.as_slice() else { panic!("{ends:?}") };
    assert!(!detail.contains("secret"), "{detail}");
}

#[tokio::test]
async fn a_full_storage_leaves_the_run_to_be_done_when_there_is_room() {
    let full = StorageError::Full("no space".to_owned());
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    refusing(&mut runs, ClaimError::Storage(full.clone()));
    // The claim is given back.
    runs.expect_extend().once().withf(|_, lasts| lasts.is_zero()).return_const(Ok(()));
    let provider = Provider::new(vec![Act::Deliver(vec![plan("1")]), whole()]);
    let service = service(runs, &provider, Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Err(full));
}
