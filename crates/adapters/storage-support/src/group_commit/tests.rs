mod rig;

use std::sync::{Arc, Mutex};

use self::rig::*;
use super::*;

#[tokio::test]
async fn a_lone_write_is_committed_at_once_and_gets_back_what_it_gave() {
    let rig = Rig::new(WIDE);
    assert_eq!(rig.add(7).await, Ok((7, 1)));
    assert_eq!(rig.committed(), [7]);
}

#[tokio::test]
async fn those_who_wait_are_committed_together_in_their_order() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (a, b, c) = (rig.add(1), rig.add(2), rig.add(3));
    hold.release();
    assert_eq!(tokio::try_join!(a, b, c), Ok(((1, 1), (2, 2), (3, 3))));
    assert_eq!(rig.committed(), [1, 2, 3]);
    assert_eq!(rig.seen.lock().unwrap().commits, 2, "one for the holder, one for the three");
}

#[tokio::test]
async fn a_failed_commit_acknowledges_nothing() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (a, b) = (rig.add(1), rig.add(2));
    // The holder's own commit fails first, then that of the two.
    rig.seen.lock().unwrap().next_commit = Some(StorageError::Failed("the holder's".to_owned()));
    let seen = Arc::clone(&rig.seen);
    let fail_next = rig.commit.write(None, 0, (), move |(), _| {
        seen.lock().unwrap().next_commit = Some(StorageError::Full("no room".to_owned()));
        Ok(())
    });
    hold.release();
    let full = StorageError::Full("no room".to_owned());
    assert_eq!(a.await, Err(full.clone()));
    assert_eq!(b.await, Err(full.clone()));
    assert_eq!(fail_next.await, Err(full));
    assert_eq!(rig.committed(), [0_u32; 0]);
    assert_eq!(rig.seen.lock().unwrap().announced, [0_u32; 0], "nobody hears of it");
    assert_eq!(rig.add(3).await, Ok((3, 1)), "and the next one starts afresh");
}

#[tokio::test]
async fn without_a_transaction_everyone_gets_the_reason() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (a, b) = (rig.add(1), rig.add(2));
    let busy = StorageError::Unavailable("locked".to_owned());
    rig.seen.lock().unwrap().next_begin = Some(busy.clone());
    hold.release();
    assert_eq!((a.await, b.await), (Err(busy.clone()), Err(busy)));
    assert_eq!(rig.committed(), [0_u32; 0]);
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_and_does_not_fail_its_neighbours() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (before, bad, after) = (rig.add(1), rig.add_and_fail(2), rig.add(3));
    hold.release();
    assert_eq!(bad.await, Err(StorageError::Failed("2 is bad".to_owned())));
    assert_eq!(before.await, Ok((1, 1)));
    assert_eq!(after.await, Ok((3, 2)));
    assert_eq!(rig.committed(), [1, 3]);
}

#[tokio::test]
async fn many_writes_that_fail_do_not_fail_their_neighbours_either() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let good: Vec<_> = (0..20).map(|number| (rig.add_and_fail(100 + number), rig.add(number))).collect();
    hold.release();
    for (at, (bad, good)) in good.into_iter().enumerate() {
        assert_eq!(bad.await, Err(StorageError::Failed(format!("{} is bad", 100 + at))));
        assert!(good.await.is_ok());
    }
    assert_eq!(rig.committed(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_panic_fails_its_own_write_alone_and_the_writer_lives() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let before = rig.add(1);
    let panics = rig.commit.write(None, 1, (), |(), ledger| -> Result<(), _> {
        ledger.pending.push(2);
        panic!("a fault in the code")
    });
    let after = rig.add(3);
    hold.release();
    assert_eq!(panics.await, Err(StorageError::Failed("a write panicked: a fault in the code".to_owned())));
    assert!(before.await.is_ok() && after.await.is_ok());
    assert_eq!(rig.add(4).await, Ok((4, 1)));
    assert_eq!(rig.committed(), [1, 3, 4]);
}

#[tokio::test]
async fn a_listener_that_panics_takes_no_answer_away() {
    let rig = Rig::new(WIDE);
    rig.seen.lock().unwrap().announce_panics = true;
    assert_eq!(rig.add(1).await, Ok((1, 1)));
    assert_eq!(rig.add(2).await, Ok((2, 1)));
}

#[tokio::test]
async fn listeners_hear_before_the_answer() {
    let rig = Rig::new(WIDE);
    for number in 0..100 {
        rig.add(number).await.unwrap();
        assert_eq!(rig.seen.lock().unwrap().announced.last(), Some(&number));
    }
}

#[tokio::test]
async fn more_writes_than_the_bound_are_refused_at_once() {
    let rig = Rig::new(QueueLimits { writes: 3, bytes: 1000 });
    let hold = rig.hold();
    let (a, b) = (rig.add(1), rig.add(2));
    assert!(unavailable(&rig.add(3).await), "the holder and the two are three");
    hold.release();
    assert!(a.await.is_ok() && b.await.is_ok());
    assert_eq!(rig.committed(), [1, 2]);
    assert!(rig.add(4).await.is_ok(), "whoever has an answer finds its room free");
}

#[tokio::test]
async fn more_bytes_than_the_bound_are_refused_but_one_large_write_is_not() {
    let rig = Rig::new(QueueLimits { writes: 100, bytes: 10 });
    let heavy = |weight| rig.commit.write(None, weight, (), |(), _| Ok(()));
    assert!(heavy(1000).await.is_ok());
    let hold = rig.hold();
    let light = heavy(10);
    assert!(unavailable(&heavy(1).await));
    hold.release();
    assert!(light.await.is_ok());
}

#[tokio::test]
async fn a_write_whose_caller_has_gone_is_carried_out() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    drop(rig.add(1));
    let after = rig.add(2);
    hold.release();
    assert_eq!(after.await, Ok((2, 2)));
    assert_eq!(rig.committed(), [1, 2]);
}

#[tokio::test]
async fn closing_finishes_what_was_accepted_and_refuses_what_comes_later() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let accepted: Vec<_> = (0..50).map(|number| rig.add(number)).collect();
    hold.release();
    rig.commit.close();
    assert_eq!(rig.committed().len(), 50, "closing waits for them");
    assert!(rig.seen.lock().unwrap().closed);
    for answer in accepted {
        assert!(answer.await.is_ok());
    }
    assert!(unavailable(&rig.add(99).await));
    rig.commit.close();
    assert_eq!(rig.committed().len(), 50);
}

#[tokio::test]
async fn dropping_it_finishes_what_was_accepted_too() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let write = rig.add(1);
    hold.release();
    let Rig { commit, seen } = rig;
    drop(commit);
    assert_eq!(seen.lock().unwrap().committed, [1]);
    assert!(write.await.is_ok());
}

#[tokio::test]
async fn its_last_owner_may_be_a_write_of_its_own() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let Rig { commit, seen } = rig;
    let owner = Arc::new(Mutex::new(None));
    let write = commit.write(None, 0, Arc::clone(&owner), |owner, _| {
        drop(owner.lock().unwrap().take());
        Ok(())
    });
    *owner.lock().unwrap() = Some(commit);
    hold.release();
    assert!(write.await.is_ok());
    assert!(owner.lock().unwrap().is_none());
    drop(seen);
}

#[tokio::test]
async fn a_batch_is_told_what_its_writes_claim_once_each_in_ascending_order() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let claim = |claim| rig.commit.write(claim, 0, (), |(), _| Ok(()));
    let writes = [claim(Some('c')), claim(None), claim(Some('a')), claim(Some('c')), claim(Some('b'))];
    hold.release();
    for write in writes {
        assert!(write.await.is_ok());
    }
    assert_eq!(rig.seen.lock().unwrap().claims, [vec![], vec!['a', 'b', 'c']]);
}

#[tokio::test]
async fn what_is_staged_is_carried_out_at_once_and_each_gets_its_own() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (a, b, c) = (rig.stage(5), rig.add(7), rig.stage(6));
    hold.release();
    assert_eq!((a.await, b.await, c.await), (Ok((5, 1)), Ok((7, 1)), Ok((6, 2))));
    assert_eq!(rig.committed(), [7, 5, 6]);
    assert_eq!(rig.seen.lock().unwrap().commits, 2, "the hold's, and one");
}

#[tokio::test]
async fn a_staged_write_that_makes_the_flush_fail_is_found_and_fails_alone() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let good: Vec<_> = (0..10).map(|number| rig.stage(number)).collect();
    let bad = rig.stage(BAD);
    let more: Vec<_> = (10..20).map(|number| rig.stage(number)).collect();
    hold.release();
    assert_eq!(bad.await, Err(StorageError::Failed("one of them is bad".to_owned())));
    for write in good.into_iter().chain(more) {
        assert!(write.await.is_ok());
    }
    assert_eq!(rig.committed(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn when_a_flush_loses_the_database_nothing_is_tried_again() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let (a, b, c) = (rig.stage(1), rig.stage(UNREACHABLE), rig.add(3));
    hold.release();
    assert!(unavailable(&a.await) && unavailable(&b.await) && unavailable(&c.await));
    assert!(rig.committed().is_empty());
    assert_eq!(rig.seen.lock().unwrap().claims.len(), 2, "the hold's, and one");
}

#[tokio::test]
async fn a_write_that_fails_when_it_fetches_what_came_of_it_fails_alone() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let good = rig.stage(1);
    let bad = rig.commit.write_staged(
        None,
        0,
        (),
        |(), ledger| {
            ledger.staged.push(2);
            Ok(())
        },
        |(), (), _| Err::<(), _>(StorageError::Failed("nothing came".to_owned())),
    );
    hold.release();
    assert!(matches!(bad.await, Err(StorageError::Failed(_))));
    assert_eq!(good.await, Ok((1, 0)));
    assert_eq!(rig.committed(), [1]);
}

#[tokio::test]
async fn closing_waits_no_longer_than_it_is_told_for_a_thread_that_is_stuck() {
    let rig = Rig::new(WIDE);
    let hold = rig.hold();
    let write = rig.add(1);
    assert!(!rig.commit.close_within(Duration::from_millis(10)));
    assert!(unavailable(&rig.add(2).await), "it is closed all the same");
    hold.release();
    assert!(write.await.is_ok(), "what comes loose goes on");
    drop(rig);
}

#[tokio::test]
async fn closing_within_a_time_finishes_what_was_accepted() {
    let rig = Rig::new(WIDE);
    let write = rig.add(1);
    assert!(rig.commit.close_within(Duration::from_secs(60)));
    assert!(write.await.is_ok());
    assert!(rig.commit.close_within(Duration::ZERO), "once more, which changes nothing");
}
