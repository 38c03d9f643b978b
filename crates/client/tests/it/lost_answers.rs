//! What happens where connections break, or nothing is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenantry_client::{Client, ClientError, Increment, PutOptions, RetryPolicy, TransportKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing::Level;

use crate::support::hasty;

/// A server that reads a request and then does this with the connection; and how many requests it has seen.
async fn server<F>(then: impl Fn(TcpStream) -> F + Send + 'static) -> (Client, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(then(stream));
        }
    });
    let builder = Client::builder(format!("http://{address}")).retry(hasty());
    (builder.timeout(Duration::from_millis(300)).build().unwrap(), seen)
}

async fn hang_up(stream: TcpStream) {
    drop(stream);
}

async fn say_nothing(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

async fn stop_in_the_middle(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"1\"\r\nTenantry-Version: 1\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).await.unwrap();
}

fn kind(error: &ClientError) -> Option<TransportKind> {
    match error {
        ClientError::Transport(error) => Some(error.kind()),
        _ => None,
    }
}

#[tokio::test]
async fn a_read_whose_connection_breaks_is_sent_again() {
    let (client, seen) = server(hang_up).await;
    let error = client.key_values().get("a").await.unwrap_err();
    assert_eq!(kind(&error), Some(TransportKind::Interrupted), "{error:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let (client, seen) = server(stop_in_the_middle).await;
    let error = client.key_values().get("a").await.unwrap_err();
    assert_eq!(kind(&error), Some(TransportKind::Interrupted), "{error:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let (client, seen) = server(say_nothing).await;
    let error = client.key_values().put("a", "", PutOptions::text()).await.unwrap_err();
    assert_eq!(kind(&error), Some(TransportKind::Timeout), "{error:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_increment_whose_answer_is_lost_is_not_sent_again() {
    for lose in [0, 1] {
        let (client, seen) = if lose == 0 { server(hang_up).await } else { server(say_nothing).await };
        client.key_values().increment("n", &Increment { by: 1, ..Increment::default() }).await.unwrap_err();
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn an_increment_that_finds_nobody_is_sent_when_somebody_is_there_and_nothing_secret_is_logged() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let policy = RetryPolicy { max_attempts: u32::MAX, base_pause: Duration::from_millis(1), ..hasty() };
    let client = Client::builder(format!("http://{free}")).key("tnt_s3cret").retry(policy).build().unwrap();
    let somebody = async {
        while !log.text().contains("a request is sent again") {
            tokio::task::yield_now().await;
        }
        let (mut stream, _) = TcpListener::bind(free).await.unwrap().accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            request.push(stream.read_u8().await.unwrap());
        }
        let body = r#"{"value":1,"version":1,"revision":1}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
    };
    let keys = client.key_values();
    let increment = Increment { by: 1, ..Increment::default() };
    let (done, _stream) = tokio::join!(keys.increment("hidden", &increment), somebody);
    assert_eq!(done.unwrap().value, 1);
    let log = log.text();
    assert!(!log.contains("s3cret") && !log.contains("hidden"), "{log}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
