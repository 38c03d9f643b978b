use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// A server that does what the test says.
#[derive(Default)]
struct Server {
    /// Answers to nothing.
    frozen: AtomicU64,
    connects: AtomicU64,
    generation: Mutex<Option<u64>>,
}

impl Server {
    async fn answer<T>(&self, answer: T) -> Result<T, String> {
        if self.frozen.load(Ordering::SeqCst) > 0 {
            std::future::pending::<()>().await;
        }
        Ok(answer)
    }
}

impl Peer for Server {
    type Connection = u64;

    fn name(&self) -> String {
        "test".to_owned()
    }

    async fn connect(&self) -> Result<u64, String> {
        let connects = self.connects.fetch_add(1, Ordering::SeqCst);
        self.answer(connects).await
    }

    async fn begin_generation(&self, _: &u64, at_least: u64) -> Result<u64, String> {
        let generation = {
            let mut held = self.generation.lock().unwrap();
            let next = held.map_or(at_least, |held| at_least.max(held + 1));
            *held = Some(next);
            next
        };
        self.answer(generation).await
    }

    async fn generation(&self, _: &u64) -> Result<Option<u64>, String> {
        let generation = *self.generation.lock().unwrap();
        self.answer(generation).await
    }
}

#[derive(Default)]
struct Heard {
    began: AtomicU64,
    met: AtomicU64,
}

impl SharedCacheListener for Heard {
    fn began_generation(&self) {
        self.began.fetch_add(1, Ordering::SeqCst);
    }

    fn met_generation(&self) {
        self.met.fetch_add(1, Ordering::SeqCst);
    }
}

const TIMES: Times = Times { connect: Duration::from_secs(1), answer: Duration::from_millis(100) };

/// Keeps a link with the server while the test goes on, in time that passes only when all wait.
async fn kept(test: impl AsyncFnOnce(&Link<u64>, &Server, &Heard)) {
    let (link, server, heard) = (Link::new(), Server::default(), Heard::default());
    tokio::select! {
        () = keep(&link, &server, TIMES, &heard) => {}
        () = async {
            until(|| link.is_up()).await;
            test(&link, &server, &heard).await;
        } => {}
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_comes_up_with_a_new_generation() {
    kept(async |link, server, heard| {
        let generation = server.generation.lock().unwrap().unwrap();
        assert_eq!(link.to_read().unwrap().generation, generation);
        until(|| heard.began.load(Ordering::SeqCst) == 1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_freezes_is_down_within_a_second_and_comes_back_with_a_new_generation() {
    kept(async |link, server, heard| {
        let before = link.to_read().unwrap().generation;
        server.frozen.store(1, Ordering::SeqCst);
        let froze = tokio::time::Instant::now();
        until(|| !link.is_up()).await;
        assert!(froze.elapsed() < Duration::from_secs(1), "{:?}", froze.elapsed());
        server.frozen.store(0, Ordering::SeqCst);
        until(|| link.is_up() && heard.began.load(Ordering::SeqCst) == 2).await;
        assert!(link.to_read().unwrap().generation > before);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_lost_begins_a_new_generation() {
    kept(async |link, server, heard| {
        let before = link.to_read().unwrap();
        link.change_lost();
        assert!(!link.is_up());
        until(|| link.is_up() && heard.began.load(Ordering::SeqCst) == 2).await;
        assert!(link.to_read().unwrap().generation > before.generation);
        assert_eq!(server.connects.load(Ordering::SeqCst), 2, "over a new connection");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_generation_of_another_node_is_met_by_itself_or_when_told_to_look() {
    for told in [false, true] {
        kept(async |link, server, heard| {
            let before = link.to_read().unwrap().generation;
            *server.generation.lock().unwrap() = Some(before + 1);
            let began = tokio::time::Instant::now();
            if told {
                link.recheck();
            }
            until(|| heard.met.load(Ordering::SeqCst) == 1).await;
            let limit = if told { Duration::from_millis(10) } else { Duration::from_secs(1) };
            assert!(began.elapsed() < limit, "{:?}", began.elapsed());
            assert_eq!(link.to_read().unwrap().generation, before + 1);
            assert_eq!(heard.began.load(Ordering::SeqCst), 1);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_forgotten_its_generation_gets_a_newer_one() {
    kept(async |link, server, heard| {
        let before = link.to_read().unwrap().generation;
        *server.generation.lock().unwrap() = None;
        until(|| heard.began.load(Ordering::SeqCst) == 2 && link.is_up()).await;
        assert!(link.to_read().unwrap().generation > before);
    })
    .await;
}
