//! Files that are imported where they are.

use std::future::pending;
use std::sync::Arc;

use tenantry_domain::{FeedRun, PastPlan, PlanId, RunState, RunTrigger};
use tenantry_ports::{
    ClaimError, ClaimOutcome, FeedItem, FetchEnd, MockFeedRunRepository, RequestError, RequestedRun, RunEnd,
    StagedBatch, Validators,
};
use uuid::Uuid;

use super::rig::*;
use crate::feed_import::FileImportError;
use crate::samples::{Standstill, down, feed_id, feed_run, number, run_key};

/// Storage in which a run for a file can be made, and is claimed.
fn runs_for_file() -> MockFeedRunRepository {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_request()
        .once()
        .withf(|_, _, _, trigger, _| *trigger == RunTrigger::File)
        .returning(|_, _, _, _, _| Ok(RequestedRun::New(feed_run())));
    runs.expect_claim()
        .once()
        .returning(|_, _| Ok(ClaimOutcome::Claimed(Box::new(claimed(RunTrigger::File, 1)))));
    runs
}

#[tokio::test]
async fn a_file_is_imported_as_a_fetch_would_be_and_the_provider_not_asked() {
    let mut runs = runs_for_file();
    let told = taking(&mut runs);
    let (provider, file) =
        (Provider::new(Vec::new()), Provider::new(vec![Act::Deliver(vec![plan("1")]), whole()]));
    let service = service(runs, &provider, Arc::new(Standstill));
    assert_eq!(service.import_file(number(7), feed_id(), file.clone()).await, Ok(finished()));
    assert_eq!(told.staged(), [["1"]]);
    assert!(matches!(told.ends().as_slice(), [RunEnd::Whole { max_leaving_permille: 500, .. }]));
    assert!(provider.requests().is_empty());
    assert_eq!(file.requests()[0].validators, Validators::default(), "the file is read in any case");
}

#[tokio::test]
async fn what_another_system_has_kept_is_staged_with_its_ids_and_says_nothing_of_what_is_in_the_feed() {
    let mut runs = runs_for_file();
    let told = taking(&mut runs);
    let past = |number: u128| {
        let id = Some(PlanId::new(Uuid::from_u128(number)));
        PastPlan { record: plan_record(&number.to_string()), id }
    };
    let items = [1, 2].map(|number| FeedItem::PastPlan(past(number))).to_vec();
    let file = Provider::new(vec![Act::Deliver(items), Act::End(Ok(FetchEnd::Past))]);
    let service = service(runs, &file, Arc::new(Standstill));
    assert_eq!(service.import_file(number(7), feed_id(), file).await, Ok(finished()));
    let staged = told.staged.lock().unwrap().clone();
    assert_eq!(staged, [StagedBatch { past: vec![past(1), past(2)], ..StagedBatch::default() }]);
    assert_eq!(told.ends(), [RunEnd::Past]);
}

#[tokio::test]
async fn a_file_waits_for_no_run_that_is_open_and_for_no_feed_that_is_not_there() {
    let open = FeedRun { state: RunState::Running, ..feed_run() };
    let busy = FileImportError::Busy(open.id);
    for (answer, error) in [
        (Err(RequestError::NotFound), FileImportError::FeedNotFound),
        (Ok(RequestedRun::Open(open)), busy),
        (Err(RequestError::Storage(down())), FileImportError::Storage(down())),
    ] {
        let mut runs = MockFeedRunRepository::new();
        runs.expect_request().return_once(move |_, _, _, _, _| answer);
        let provider = Provider::new(Vec::new());
        let service = service(runs, &provider, Arc::new(Standstill));
        assert_eq!(service.import_file(number(7), feed_id(), provider).await, Err(error));
    }
}

#[tokio::test]
async fn an_import_that_was_overtaken_says_so_unless_its_end_was_written() {
    for (found, answer) in [
        (Some(finished()), Ok(finished())),
        (Some(FeedRun { state: RunState::Running, ..feed_run() }), Err(FileImportError::Overtaken)),
        (None, Err(FileImportError::Overtaken)),
    ] {
        let mut runs = runs_for_file();
        runs.expect_finish().returning(|_, _, _, _, _| Err(ClaimError::Lost));
        runs.expect_find().return_once(move |_, _, _| Ok(found));
        let file = Provider::new(vec![whole()]);
        let service = service(runs, &file, Arc::new(Standstill));
        assert_eq!(service.import_file(number(7), feed_id(), file).await, answer);
    }
}

#[tokio::test]
async fn a_worker_that_finds_the_run_of_a_file_ends_it_since_it_has_not_the_file() {
    let mut runs = runs_claimed(RunTrigger::File, 2);
    let told = taking(&mut runs);
    let service = service(runs, &Provider::new(Vec::new()), Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    assert!(matches!(told.ends().as_slice(), [RunEnd::Failed { .. }]));
}
