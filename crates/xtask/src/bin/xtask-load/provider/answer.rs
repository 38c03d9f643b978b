//! The answer of a provider that means well.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread::sleep;

use xtask::random::Random;

use super::encoding::Body;
use super::{Request, State};
use crate::Result;

/// Answers without a body.
pub(super) fn status(mut to: TcpStream, status: &str, headers: &str) -> Result<()> {
    write!(to, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n")?;
    Ok(())
}

/// Answers request number `number` with the feed, as far as the settings let it come to that.
pub(super) fn feed(state: &State, mut to: TcpStream, request: &Request, number: u64) -> Result<()> {
    let settings = &state.settings;
    let mut random = Random::part(settings.feed.seed, number);
    sleep(settings.latency(&mut random));
    if random.below(100) < settings.failures {
        let wait = settings.retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n"));
        return status(to, "503 Service Unavailable", &wait.unwrap_or_default());
    }
    let version = state.sent_whole.load(Ordering::Relaxed);
    let has_changed = settings.feed.changes > 0 || settings.feed.leaving > 0;
    let tag = format!("\"{}-{}\"", settings.feed.seed, if has_changed { version } else { 0 });
    let mut headers = String::new();
    if settings.has_validators {
        headers = format!("ETag: {tag}\r\n");
        if request.header("if-none-match") == Some(&tag) && !has_changed {
            return status(to, "304 Not Modified", &headers);
        }
    }
    let accepted = request.header("accept-encoding").unwrap_or_default();
    let coding = ["gzip", "br"].into_iter().find(|coding| settings.compresses && accepted.contains(coding));
    if let Some(coding) = coding {
        headers += &format!("Content-Encoding: {coding}\r\n");
    }
    let is_cut = random.below(100) < settings.cuts;
    let up_to = if is_cut { random.below(settings.feed.plans.max(1)) } else { u64::MAX };
    write!(
        to,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
    )?;
    let mut body = Body::new(coding.unwrap_or_default(), to);
    settings.feed.write(version, up_to, &mut body)?;
    if is_cut {
        body.flush()?;
        return Ok(());
    }
    body.finish()?;
    state.sent_whole.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
