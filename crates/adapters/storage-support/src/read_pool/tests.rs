use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;

/// A fake engine whose connections are numbers, counted as they are made.
#[derive(Debug, Default)]
struct Numbers {
    made: Arc<AtomicUsize>,
    is_broken: bool,
}

impl ManageConnection for Numbers {
    type Connection = usize;
    type Error = std::io::Error;

    fn connect(&self) -> Result<usize, std::io::Error> {
        if self.is_broken {
            return Err(std::io::Error::other("no connection"));
        }
        Ok(self.made.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn is_valid(&self, _: &mut usize) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn has_broken(&self, _: &mut usize) -> bool {
        false
    }
}

const PATIENT: ReadLimits = ReadLimits { waiting: 100, wait: Duration::from_secs(60) };

fn pool(numbers: Numbers, threads: u32, limits: ReadLimits) -> ReadPool<Numbers> {
    let patience = Duration::from_secs(if numbers.is_broken { 0 } else { 60 });
    let connections = Pool::builder()
        .max_size(threads)
        .min_idle(Some(0))
        .connection_timeout(patience.max(Duration::from_millis(1)))
        .build_unchecked(numbers);
    ReadPool::start("test-reader", &connections, limits).unwrap()
}

/// Occupies a reader until what is returned is dropped.
async fn occupy(pool: &Arc<ReadPool<Numbers>>) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    let pool = Arc::clone(pool);
    tokio::spawn(async move {
        pool.read(move |_, _| {
            started.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        })
        .await
    });
    starts.await.unwrap();
    release
}

#[tokio::test]
async fn a_read_gets_a_connection_and_its_answer_comes_back() {
    let pool = pool(Numbers::default(), 2, PATIENT);
    assert_eq!(pool.read(|connection, _| Ok(*connection > 0)).await, Ok(true));
    let failed = StorageError::Failed("so it is".to_owned());
    assert_eq!(
        pool.read(|_, _| Err::<(), _>(StorageError::Failed("so it is".to_owned()))).await,
        Err(failed)
    );
}

#[tokio::test]
async fn no_more_connections_are_made_than_there_are_readers() {
    let numbers = Numbers::default();
    let made = Arc::clone(&numbers.made);
    let pool = Arc::new(pool(numbers, 2, PATIENT));
    let reads = (0..100).map(|_| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { pool.read(|_, _| Ok(())).await })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap(), Ok(()));
    }
    assert!((1..=2).contains(&made.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn a_read_whose_turn_does_not_come_in_time_is_refused() {
    let pool = Arc::new(pool(Numbers::default(), 1, PATIENT));
    let occupied = occupy(&pool).await;
    // From here on time passes whenever everyone waits.
    tokio::time::pause();
    assert!(matches!(pool.read(|_, _| Ok(())).await, Err(StorageError::Unavailable(_))));
    tokio::time::resume();
    drop(occupied);
    assert_eq!(pool.read(|_, _| Ok(())).await, Ok(()));
}

#[tokio::test]
async fn a_read_that_has_begun_may_take_longer_than_the_wait() {
    let pool = Arc::new(pool(Numbers::default(), 1, PATIENT));
    let (started, starts) = oneshot::channel();
    let (release, held) = mpsc::channel::<()>();
    let read = pool.read(move |_, _| {
        started.send(()).unwrap();
        let _ = held.recv();
        Ok("late")
    });
    let outlast = async {
        starts.await.unwrap();
        // The wait passes on the runtime's clock alone.
        tokio::time::pause();
        tokio::time::advance(PATIENT.wait * 2).await;
        tokio::task::yield_now().await;
        drop(release);
    };
    assert_eq!(tokio::join!(read, outlast).0, Ok("late"));
}

#[tokio::test]
async fn more_waiting_reads_than_the_bound_are_refused_at_once() {
    let pool = Arc::new(pool(Numbers::default(), 1, ReadLimits { waiting: 1, ..PATIENT }));
    let occupied = occupy(&pool).await;
    let mut waits = Box::pin(pool.read(|_, _| Ok(1)));
    assert!(futures_are_pending(waits.as_mut()).await);
    assert!(matches!(pool.read(|_, _| Ok(2)).await, Err(StorageError::Unavailable(_))));
    drop(occupied);
    assert_eq!(waits.await, Ok(1));
}

#[tokio::test]
async fn a_read_whose_caller_went_before_its_turn_is_not_run() {
    let pool = Arc::new(pool(Numbers::default(), 1, PATIENT));
    let occupied = occupy(&pool).await;
    let ran = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ran);
    let mut given_up = Box::pin(pool.read(move |_, _| Ok(count.fetch_add(1, Ordering::SeqCst))));
    assert!(futures_are_pending(given_up.as_mut()).await);
    drop(given_up);
    drop(occupied);
    assert_eq!(pool.read(|_, _| Ok(())).await, Ok(()), "the next one, whose turn is after it");
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_read_that_has_begun_learns_that_its_caller_has_gone() {
    let pool = pool(Numbers::default(), 1, PATIENT);
    let (begun, begins) = oneshot::channel();
    let (told, tells) = oneshot::channel();
    let read = pool.read(move |_, caller| {
        begun.send(()).unwrap();
        while !caller.has_gone() {
            thread::yield_now();
        }
        told.send(()).unwrap();
        Ok(())
    });
    tokio::select! {
        biased;
        answer = read => panic!("nobody has gone, and yet {answer:?}"),
        begun = begins => begun.unwrap(),
    }
    tells.await.unwrap();
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_reader_lives() {
    let pool = pool(Numbers::default(), 1, PATIENT);
    let panicked = pool.read(|_, _| -> Result<(), _> { panic!("a fault in the code") }).await;
    assert!(matches!(panicked, Err(StorageError::Failed(_))));
    assert_eq!(pool.read(|_, _| Ok(5)).await, Ok(5));
}

#[tokio::test]
async fn without_a_connection_storage_is_not_available() {
    let pool = pool(Numbers { is_broken: true, ..Numbers::default() }, 1, PATIENT);
    assert!(matches!(pool.read(|_, _| Ok(())).await, Err(StorageError::Unavailable(_))));
}

/// Polls once, and says whether there is no answer yet.
async fn futures_are_pending(future: std::pin::Pin<&mut (impl Future + ?Sized)>) -> bool {
    let mut future = Some(future);
    std::future::poll_fn(|context| {
        let future = future.take().map(|future| future.poll(context));
        std::task::Poll::Ready(future.is_some_and(|poll| poll.is_pending()))
    })
    .await
}
