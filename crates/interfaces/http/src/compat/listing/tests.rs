use std::cell::Cell;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::middleware::from_fn;
use actix_web::test::TestRequest;
use actix_web::{App, HttpRequest, HttpServer, rt, web};

use super::*;
use crate::conventions::conventions;
use crate::problem_code::Code;

const FRAME: Frame = Frame { before: "[", after: "]" };

/// The page behind `after`, of one number each, up to `last`.
fn page(after: Option<u32>, last: u32) -> Result<Piece<u32>, Problem> {
    let number = after.map_or(1, |after| after + 1);
    let mut piece = Piece::of(&Page { items: vec![number], more: number < last }, |number| *number);
    piece.push(&number)?;
    Ok(piece)
}

/// The page behind `after`; of the third there is none.
fn breaking(after: Option<u32>) -> Result<Piece<u32>, Problem> {
    match after {
        Some(2) => Err(Problem::internal("the disk is gone")),
        after => page(after, 9),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    rt::System::new().block_on(work)
}

async fn answered(
    method: Method,
    read: impl FnMut(Option<u32>) -> future::Ready<Result<Piece<u32>, Problem>> + 'static,
) -> Result<HttpResponse, Problem> {
    answer(TestRequest::default().method(method).to_http_request().head(), FRAME, read).await
}

async fn chunk(body: &mut BoxBody) -> Option<Result<Bytes, String>> {
    poll_fn(|context| Pin::new(&mut *body).poll_next(context))
        .await
        .map(|chunk| chunk.map_err(|error| error.to_string()))
}

#[test]
fn a_page_is_read_when_what_stands_before_it_was_sent() {
    run(async {
        let reads = Rc::new(Cell::new(0));
        let counted = Rc::clone(&reads);
        let answer = answered(Method::GET, move |after| {
            counted.set(counted.get() + 1);
            future::ready(page(after, 3))
        });
        let mut body = answer.await.unwrap().into_body();
        for (text, count) in [("[1", 1), (",2", 2), (",3]", 3)] {
            assert_eq!(chunk(&mut body).await, Some(Ok(Bytes::from(text))));
            assert_eq!(reads.get(), count);
        }
        assert_eq!(chunk(&mut body).await, None);
    });
}

#[test]
fn what_fits_a_page_has_its_length() {
    run(async {
        let body = answered(Method::GET, |after| future::ready(page(after, 1))).await.unwrap().into_body();
        assert_eq!(body.size(), BodySize::Sized(3));
    });
}

#[test]
fn pages_without_items_leave_no_comma() {
    run(async {
        let read = |after: Option<u32>| {
            let mut piece = page(after, 4).unwrap();
            if after.is_none() || after == Some(2) {
                piece.items.clear();
            }
            future::ready(Ok(piece))
        };
        let body = answered(Method::GET, read).await.unwrap().into_body();
        let body = actix_web::body::to_bytes(body).await.unwrap();
        assert_eq!(body, "[2,4]");
    });
}

#[test]
fn nothing_is_read_for_a_body_that_nobody_wants() {
    run(async {
        let reads = Rc::new(Cell::new(0));
        let counted = Rc::clone(&reads);
        let answer = answered(Method::HEAD, move |after| {
            counted.set(counted.get() + 1);
            future::ready(page(after, 3))
        });
        assert_eq!(chunk(&mut answer.await.unwrap().into_body()).await, None);
        assert_eq!(reads.get(), 1);
    });
}

#[test]
fn what_fails_at_once_is_refused() {
    run(async {
        let refused = answered(Method::GET, |_| future::ready(Err(Problem::plain(Code::Unavailable)))).await;
        assert_eq!(refused.unwrap_err().code, Code::Unavailable);
    });
}

async fn broken_list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    answer(request.head(), FRAME, |after| async move {
        // As storage is waited for: what is there already goes out.
        rt::task::yield_now().await;
        breaking(after)
    })
    .await
}

/// Everything that the server sends until it hangs up.
fn exchange(address: SocketAddr, headers: &str) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    connection.write_all(format!("GET / HTTP/1.1\r\nhost: t\r\n{headers}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn what_fails_in_the_middle_ends_the_connection_and_not_the_list() {
    run(async {
        let app = || App::new().wrap(from_fn(conventions)).route("/", web::get().to(broken_list));
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        for headers in ["", "accept-encoding: gzip\r\n"] {
            let answer = web::block(move || exchange(address, headers)).await.unwrap();
            let text = String::from_utf8_lossy(&answer);
            // What is packed is held back until there is more of it.
            let is_begun = text.starts_with("HTTP/1.1 200 OK") && text.contains("[1") && text.contains(",2");
            assert!(is_begun || !headers.is_empty(), "{text}");
            // The last chunk would say that this is all.
            assert!(!answer.ends_with(b"0\r\n\r\n"), "{text}");
        }
        handle.stop(false).await;
    });
}
