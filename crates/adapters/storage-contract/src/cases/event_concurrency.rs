//! Events: stored by many at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenantry_domain::{EventId, PageLimit, TenantNumber, TenantStatus};
use tenantry_ports::{EventQuery, EventWriteError};

use crate::fixture::Fixture;
use crate::samples::{event, events, unknown_tenant};
use crate::wait::at_once;

pub async fn appends_at_once_take_sequences_without_gap_or_double_in_each_tenant(s: &Fixture) {
    let mut tenants = Vec::new();
    for _ in 0..4 {
        tenants.push(s.tenant().await);
    }
    let append = |number: usize| {
        let (s, tenant) = (s.clone(), tenants[number % 4]);
        // One to three events a call, of ids that no other call has.
        let first = u128::try_from(number * 10).unwrap();
        let new = events(first..first + 1 + first / 10 % 3);
        async move { (tenant, s.events.append(tenant, new).await.unwrap()) }
    };
    let mut answered: BTreeMap<TenantNumber, Vec<(u64, EventId)>> = BTreeMap::new();
    for (tenant, stored) in at_once((0..256).map(append)).await {
        let taken: Vec<_> = stored.iter().map(|stored| stored.event().sequence.get()).collect();
        assert!(taken.windows(2).all(|pair| pair[1] == pair[0] + 1), "one list was torn apart: {taken:?}");
        let answers = answered.entry(tenant).or_default();
        answers.extend(stored.iter().map(|stored| (stored.event().sequence.get(), stored.event().id)));
    }
    for (tenant, mut answers) in answered {
        answers.sort_unstable();
        let stored = s.all_events(tenant).await;
        let stored: Vec<_> = stored.iter().map(|event| (event.sequence.get(), event.id)).collect();
        assert_eq!(stored, answers, "what is stored is what was answered");
        let sequences: Vec<_> = stored.into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(sequences, (1..=u64::try_from(sequences.len()).unwrap()).collect::<Vec<_>>());
    }
}

pub async fn appends_at_once_of_one_id_store_it_once(s: &Fixture) {
    let tenant = s.tenant().await;
    let append = |number: u128| {
        let s = s.clone();
        async move { s.events.append(tenant, vec![event(1000 + number), event(7)]).await.unwrap() }
    };
    let answers = at_once((0..64).map(append)).await;
    let of_one_id: Vec<_> = answers.iter().map(|stored| &stored[1]).collect();
    assert_eq!(of_one_id.iter().filter(|stored| !stored.is_duplicate()).count(), 1);
    assert!(of_one_id.iter().all(|stored| stored.event() == of_one_id[0].event()));
    let sequences: Vec<_> = s.all_events(tenant).await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=65).collect::<Vec<_>>());
}

pub async fn an_append_that_fails_among_others_fails_alone_and_takes_no_sequence(s: &Fixture) {
    let tenant = s.tenant().await;
    let deleted = s.tenant().await;
    s.set_status(deleted, TenantStatus::Deleting).await;
    let append = |number: usize| {
        let (s, tenant) = (s.clone(), [tenant, unknown_tenant(), tenant, deleted][number % 4]);
        let id = u128::try_from(number).unwrap();
        async move { (number.is_multiple_of(2), s.events.append(tenant, vec![event(id)]).await) }
    };
    for (good, answer) in at_once((0..128).map(append)).await {
        if good {
            assert!(answer.is_ok(), "a good append failed with its neighbours: {answer:?}");
        } else {
            assert_eq!(answer, Err(EventWriteError::TenantNotFound));
        }
    }
    let sequences: Vec<_> = s.all_events(tenant).await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=64).collect::<Vec<_>>());
}

pub async fn readers_see_whole_lists_and_no_gap_while_events_are_stored(s: &Fixture) {
    let tenant = s.tenant().await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (s, done) = (s.clone(), done.clone());
        tokio::spawn(async move {
            let mut last = 0;
            while !done.load(Ordering::SeqCst) {
                let query = EventQuery { limit: PageLimit::MAX, ..EventQuery::default() };
                let page = s.events.list(tenant, query).await.unwrap();
                let mut seen: Vec<_> = page.items.iter().map(|event| event.sequence.get()).collect();
                seen.reverse();
                let count = u64::try_from(seen.len()).unwrap();
                assert_eq!(seen, (1..=count).collect::<Vec<_>>(), "a reader sees a gap");
                assert_eq!(count % 10, 0, "a reader sees a part of a list");
                assert!(count >= last, "a reader sees fewer events than before");
                last = count;
                tokio::task::yield_now().await;
            }
        })
    };
    let append = |number: u128| {
        let s = s.clone();
        async move { s.events.append(tenant, events(number * 10..number * 10 + 10)).await.unwrap() }
    };
    at_once((0..64).map(append)).await;
    done.store(true, Ordering::SeqCst);
    reader.await.unwrap();
    assert_eq!(s.all_events(tenant).await.len(), 640);
}

pub async fn a_write_is_seen_by_whoever_reads_after_its_answer(s: &Fixture) {
    let tenant = s.tenant().await;
    let write_and_read = |number: u128| {
        let s = s.clone();
        async move {
            let stored = s.append(tenant, event(number)).await;
            assert_eq!(s.events.find(tenant, stored.id).await.unwrap(), Some(stored));
        }
    };
    at_once((0..64).map(write_and_read)).await;
}
