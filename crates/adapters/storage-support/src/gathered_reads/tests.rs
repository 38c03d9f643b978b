use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use r2d2::Pool;
use tokio::sync::oneshot;

use super::*;
use crate::read_pool::ReadLimits;

/// A fake engine without anything in it.
#[derive(Debug, Default)]
struct Nothing {
    is_broken: bool,
}

impl ManageConnection for Nothing {
    type Connection = ();
    type Error = std::io::Error;

    fn connect(&self) -> Result<(), std::io::Error> {
        if self.is_broken { Err(std::io::Error::other("no connection")) } else { Ok(()) }
    }

    fn is_valid(&self, _: &mut ()) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn has_broken(&self, _: &mut ()) -> bool {
        false
    }
}

struct Rig {
    pool: ReadPool<Nothing>,
    reads: Arc<GatheredReads<Nothing, u32, String>>,
    /// What each query was asked.
    asked: Arc<Mutex<Vec<Vec<u32>>>>,
    fails: Arc<AtomicBool>,
    /// The query that reads key 0 waits for the other end of this, where there is one.
    held: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

impl Rig {
    fn new(waiting: usize, is_broken: bool) -> Self {
        Self::with_readers(1, waiting, is_broken, Duration::from_secs(60))
    }

    /// With so many readers; a query that takes longer than `long_query` is not waited for.
    fn with_readers(readers: u32, waiting: usize, is_broken: bool, long_query: Duration) -> Self {
        let patience = if is_broken { Duration::from_millis(1) } else { Duration::from_secs(60) };
        let connections = Pool::builder()
            .max_size(readers)
            .min_idle(Some(0))
            .connection_timeout(patience)
            .build_unchecked(Nothing { is_broken });
        let limits = ReadLimits { waiting, wait: Duration::from_secs(60) };
        let pool = ReadPool::start("test-reader", &connections, limits).unwrap();
        let (asked, fails) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let held = Arc::new(Mutex::new(None::<mpsc::Receiver<()>>));
        let mut reads = GatheredReads::new(&pool, {
            let (asked, fails, held) = (Arc::clone(&asked), Arc::clone(&fails), Arc::clone(&held));
            move |(): &mut (), keys: &[u32]| {
                asked.lock().unwrap().push(keys.to_vec());
                let held = keys.contains(&0).then(|| held.lock().unwrap().take()).flatten();
                if let Some(held) = held {
                    let _ = held.recv();
                }
                if fails.swap(false, Ordering::SeqCst) {
                    return Err(StorageError::Failed("so it is".to_owned()));
                }
                Ok(keys.iter().map(u32::to_string).collect())
            }
        });
        reads.long_query = long_query;
        Self { pool, reads: Arc::new(reads), asked, fails, held }
    }

    /// Begins a query that goes on until what is returned is dropped.
    async fn begin(&self) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<String, StorageError>>) {
        let (release, held) = mpsc::channel();
        *self.held.lock().unwrap() = Some(held);
        let reads = Arc::clone(&self.reads);
        let asked = tokio::spawn(async move { reads.read(0).await });
        while self.asked.lock().unwrap().is_empty() {
            yield_now().await;
        }
        (release, asked)
    }

    /// Occupies the reader until what is returned is dropped.
    async fn occupy(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        let (started, starts) = oneshot::channel();
        let mut started = Some(started);
        self.pool
            .submitter()
            .submit(move |_| {
                started.take().unwrap().send(()).unwrap();
                let _ = held.recv();
                true
            })
            .unwrap();
        starts.await.unwrap();
        release
    }

    /// Asks, and returns once the read waits.
    async fn ask(&self, key: u32) -> tokio::task::JoinHandle<Result<String, StorageError>> {
        let reads = Arc::clone(&self.reads);
        let before = self.reads.shared.state().waiting.len();
        let asked = tokio::spawn(async move { reads.read(key).await });
        while self.reads.shared.state().waiting.len() == before {
            yield_now().await;
        }
        asked
    }
}

#[tokio::test]
async fn a_lone_read_is_a_query_of_its_own() {
    let rig = Rig::new(100, false);
    assert_eq!(rig.reads.read(7).await, Ok("7".to_owned()));
    assert_eq!(*rig.asked.lock().unwrap(), [[7]]);
}

#[tokio::test]
async fn those_who_wait_are_read_by_one_query_and_each_gets_its_own() {
    let rig = Rig::new(100, false);
    let occupied = rig.occupy().await;
    let (a, b, c) = (rig.ask(1).await, rig.ask(2).await, rig.ask(3).await);
    drop(occupied);
    assert_eq!(a.await.unwrap(), Ok("1".to_owned()));
    assert_eq!(b.await.unwrap(), Ok("2".to_owned()));
    assert_eq!(c.await.unwrap(), Ok("3".to_owned()));
    assert_eq!(*rig.asked.lock().unwrap(), [[1, 2, 3]]);
}

#[tokio::test]
async fn reads_that_a_thread_has_at_hand_together_share_a_query_though_a_reader_is_free() {
    let rig = Rig::new(100, false);
    let (a, b, c) = tokio::join!(rig.reads.read(1), rig.reads.read(2), rig.reads.read(3));
    assert_eq!([a, b, c], ["1", "2", "3"].map(|text| Ok(text.to_owned())));
    assert_eq!(*rig.asked.lock().unwrap(), [[1, 2, 3]]);
}

#[tokio::test]
async fn a_read_that_is_given_up_before_it_has_sent_for_a_reader_does_so_all_the_same() {
    let rig = Rig::new(100, false);
    tokio::select! {
        biased;
        _ = rig.reads.read(1) => panic!("it was answered at once"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(rig.reads.read(2).await, Ok("2".to_owned()));
}

#[tokio::test]
async fn a_key_that_several_ask_for_is_looked_up_once_and_each_gets_its_own_answer() {
    let rig = Rig::new(100, false);
    let occupied = rig.occupy().await;
    let (a, b, c, d) = (rig.ask(1).await, rig.ask(2).await, rig.ask(1).await, rig.ask(3).await);
    drop(occupied);
    for (asked, answer) in [(a, "1"), (b, "2"), (c, "1"), (d, "3")] {
        assert_eq!(asked.await.unwrap(), Ok(answer.to_owned()));
    }
    assert_eq!(*rig.asked.lock().unwrap(), [[1, 2, 3]]);
}

#[tokio::test]
async fn those_who_come_while_a_query_is_under_way_share_the_next_though_a_reader_is_free() {
    let rig = Rig::with_readers(2, 100, false, Duration::from_secs(60));
    let (under_way, first) = rig.begin().await;
    let (a, b) = (rig.ask(1).await, rig.ask(2).await);
    drop(under_way);
    assert_eq!(first.await.unwrap(), Ok("0".to_owned()));
    assert_eq!(a.await.unwrap(), Ok("1".to_owned()));
    assert_eq!(b.await.unwrap(), Ok("2".to_owned()));
    assert_eq!(*rig.asked.lock().unwrap(), [vec![0], vec![1, 2]]);
}

#[tokio::test]
async fn a_query_that_takes_long_is_not_waited_for() {
    let rig = Rig::with_readers(2, 100, false, Duration::from_millis(1));
    let (under_way, first) = rig.begin().await;
    assert_eq!(rig.reads.read(1).await, Ok("1".to_owned()));
    drop(under_way);
    assert_eq!(first.await.unwrap(), Ok("0".to_owned()));
}

#[tokio::test]
async fn a_query_reads_a_bounded_number() {
    let rig = Rig::new(2000, false);
    let occupied = rig.occupy().await;
    let mut asked = Vec::new();
    for key in 0..600 {
        asked.push((key, rig.ask(key).await));
    }
    drop(occupied);
    for (key, read) in asked {
        assert_eq!(read.await.unwrap(), Ok(key.to_string()));
    }
    let lengths: Vec<_> = rig.asked.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(lengths, [256, 256, 88]);
}

#[tokio::test]
async fn a_query_that_fails_fails_for_all_it_was_to_read_and_for_nobody_else() {
    let rig = Rig::new(100, false);
    let occupied = rig.occupy().await;
    let (a, b) = (rig.ask(1).await, rig.ask(2).await);
    rig.fails.store(true, Ordering::SeqCst);
    drop(occupied);
    assert!(matches!(a.await.unwrap(), Err(StorageError::Failed(_))));
    assert!(matches!(b.await.unwrap(), Err(StorageError::Failed(_))));
    assert_eq!(rig.reads.read(3).await, Ok("3".to_owned()));
}

#[tokio::test]
async fn a_read_whose_caller_went_before_its_turn_is_not_read() {
    let rig = Rig::new(100, false);
    let occupied = rig.occupy().await;
    let (gone, stays) = (rig.ask(1).await, rig.ask(2).await);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(occupied);
    assert_eq!(stays.await.unwrap(), Ok("2".to_owned()));
    assert_eq!(*rig.asked.lock().unwrap(), [[2]]);
}

#[tokio::test]
async fn more_waiting_reads_than_the_bound_are_refused_at_once() {
    let rig = Rig::new(2, false);
    let occupied = rig.occupy().await;
    let (a, b) = (rig.ask(1).await, rig.ask(2).await);
    assert!(matches!(rig.reads.read(3).await, Err(StorageError::Unavailable(_))));
    drop(occupied);
    assert!(a.await.unwrap().is_ok() && b.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_read_that_is_not_answered_in_time_is_refused() {
    let rig = Rig::new(100, false);
    let occupied = rig.occupy().await;
    tokio::time::pause();
    assert!(matches!(rig.reads.read(1).await, Err(StorageError::Unavailable(_))));
    tokio::time::resume();
    drop(occupied);
    assert_eq!(rig.reads.read(2).await, Ok("2".to_owned()));
}

#[tokio::test]
async fn without_a_connection_storage_is_not_available() {
    let rig = Rig::new(100, true);
    assert!(matches!(rig.reads.read(1).await, Err(StorageError::Unavailable(_))));
    assert!(rig.asked.lock().unwrap().is_empty());
}
