//! The load generator against a server that answers as it is told.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::http::Template;

/// What the test's server does with the requests of a connection, the first being number 1.
type Script = fn(number: u64) -> Reaction;

enum Reaction {
    Answer(&'static str),
    Close,
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";

/// Serves any number of connections until the test's process ends.
fn serve(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut request = [0; 1024];
                for number in 1.. {
                    // Whatever the test does not wait for may be gone already.
                    if !stream.read(&mut request).is_ok_and(|length| length > 0) {
                        return;
                    }
                    match script(number) {
                        Reaction::Close => return,
                        Reaction::Answer(answer) => {
                            let (start, end) = answer.split_at(answer.len() / 2);
                            let _ = stream.write_all(start.as_bytes());
                            let _ = stream.write_all(end.as_bytes());
                        }
                    }
                }
            });
        }
    });
    address
}

/// Asks a number of times, and wants to hear "ok".
struct Asker {
    template: Template,
    left: u64,
    heard: u64,
}

impl Caller for Asker {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        self.template.write(b"", request);
        Some(self.left)
    }

    fn answer(&mut self, _: u64, response: &Response<'_, '_>) -> Result<()> {
        self.heard += 1;
        if response.body == b"ok" { Ok(()) } else { Err("that is not ok".into()) }
    }
}

fn ask(script: Script, requests: u64, may_break: bool) -> Result<Outcome<Asker>> {
    let address = serve(script);
    let load = Load {
        address,
        connections: 5,
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(20),
        per_second: None,
        may_break,
    };
    let template = Template::new("GET", "/", address, "key");
    let asker = || Asker { template: template.clone(), left: requests, heard: 0 };
    run(&load, vec![asker(), asker()])
}

#[test]
fn each_request_gets_one_answer_and_all_are_counted() {
    let outcome = ask(|_| Reaction::Answer(GOOD), 500, false).unwrap();
    assert_eq!(outcome.answered, 1000);
    assert_eq!(outcome.latency_us.len(), 1000);
    assert!(outcome.per_second > 0.0);
    assert_eq!(outcome.callers.iter().map(|caller| caller.heard).collect::<Vec<_>>(), [500, 500]);
}

#[test]
fn one_wrong_answer_ends_the_load() {
    let script: Script = |number| Reaction::Answer(if number == 50 { BAD } else { GOOD });
    assert!(ask(script, 500, false).is_err());
    assert!(ask(script, 500, true).is_err(), "also where connections may break");
}

#[test]
fn what_is_no_answer_ends_the_load() {
    assert!(ask(|_| Reaction::Answer("HELLO\r\n\r\n"), 5, true).is_err());
}

#[test]
fn a_connection_that_breaks_is_a_failure_unless_it_may() {
    let script: Script = |number| if number == 10 { Reaction::Close } else { Reaction::Answer(GOOD) };
    assert!(ask(script, 500, false).is_err());
    let outcome = ask(script, 500, true).unwrap();
    assert_eq!(outcome.answered, 5 * 9, "nine answers on each of five connections");
}

#[test]
fn at_a_pace_no_more_is_sent_than_is_due_and_latency_counts_from_then() {
    let address = serve(|_| Reaction::Answer(GOOD));
    let measured = Duration::from_millis(500);
    let load = Load {
        address,
        connections: 2,
        warm_up: Duration::ZERO,
        measured,
        per_second: Some(400),
        may_break: false,
    };
    let template = Template::new("GET", "/", address, "key");
    let asker = || Asker { template: template.clone(), left: u64::MAX, heard: 0 };
    let outcome = run(&load, vec![asker(), asker()]).unwrap();
    // A machine that stands still sends what was due later; never more than that.
    assert!((1..=201).contains(&outcome.answered), "{}", outcome.answered);
}
